// What `doctor` says about addresses and errors.
import { named } from '../../ts/cli/doctor/examine';
import { scopeOf } from '../../ts/cli/doctor/network';

test.each([
  ['192.0.2.7', 'reserved'],
  ['198.51.100.1', 'reserved'],
  ['203.0.113.9', 'reserved'],
  ['2001:db8::1', 'reserved'],
  ['3fff:123::1', 'reserved'],
  ['198.18.0.1', 'reserved'],
  ['240.0.0.1', 'reserved'],
  ['198.51.101.1', 'public'],
  ['2001:db9::1', 'public'],
  ['8.8.8.8', 'public'],
  ['100.64.0.1', 'private'],
  ['fd00::1', 'private'],
  ['fe80::1', 'link-local'],
])('%s is %s', (address, scope) => expect(scopeOf(address)).toBe(scope));

test.each([
  [
    'ws://127.0.0.1:9',
    'ws://127.0.0.1:9 could not be reached: 127.0.0.1:9: Connection refused',
    'ws://127.0.0.1:9 could not be reached: Connection refused',
  ],
  [
    'wss://signal.example/',
    'wss://signal.example could not be reached: signal.example: not found',
    'wss://signal.example could not be reached: not found',
  ],
  ['http://[::1]:80/', 'no answer in time', 'http://[::1]:80/: no answer in time'],
  [
    'ws://a.example',
    'ws://a.example could not be reached: b.example: a proxy',
    'ws://a.example could not be reached: b.example: a proxy',
  ],
])('an error about %s names it once', (url, message, text) => expect(named(url, message)).toBe(text));
