// The doctor's own STUN, byte by byte, and what it concludes from answers.
import { randomBytes } from 'node:crypto';

import { mappingOf, type Seen } from '../../ts/cli/doctor/nat';
import { bindingAnswer, bindingRequest } from '../../ts/cli/doctor/stun';

test('it reads the answers of RFC 5769', () => {
  // 2.2 and 2.3: software, mapped address 192.0.2.1:32853 and [2001:db8:1234:5678:11:2233:4455:6677]:32853.
  const transaction = Buffer.from('b7e7a701bc34d686fa87dfae', 'hex');
  const software = '8022000b7465737420766563746f7220';
  const packet = (attributes: string) => {
    const length = (attributes.length / 2).toString(16).padStart(4, '0');
    return Buffer.from(`0101${length}2112a442b7e7a701bc34d686fa87dfae${attributes}`, 'hex');
  };
  const four = bindingAnswer(packet(`${software}002000080001a147e112a643`), transaction);
  expect(four).toEqual({ mapped: { address: '192.0.2.1', port: 32853 } });
  const six = bindingAnswer(packet(`${software}002000140002a1470113a9faa5d3f179bc25f4b5bed2b9d9`), transaction);
  expect(six).toEqual({ mapped: { address: '2001:db8:1234:5678:11:2233:4455:6677', port: 32853 } });
  expect(bindingAnswer(packet(''), randomBytes(12))).toBeUndefined();
});

test('its requests are as RFC 8489 and RFC 5780 write them', () => {
  const transaction = Buffer.alloc(12, 7);
  const tail = '07'.repeat(12);
  expect(bindingRequest(transaction).toString('hex')).toBe(`000100002112a442${tail}`);
  const change = bindingRequest(transaction, { ip: true, port: true });
  expect(change.toString('hex')).toBe(`000100082112a442${tail}0003000400000006`);
});

test('whatever a server sends, it does not throw', () => {
  const transaction = Buffer.alloc(12);
  const header = Buffer.concat([Buffer.from('010100002112a442', 'hex'), transaction]);
  for (let round = 0; round < 20_000; round++) {
    const packet = Buffer.concat([header, randomBytes(round % 61)]);
    packet.writeUInt16BE(round % 3 === 0 ? packet.length - 20 : round % 65_536, 2);
    if (round % 2) packet.writeUInt16BE([0x0020, 0x0001, 0x802c, 0x0009][round % 4]!, Math.min(20, packet.length - 2));
    bindingAnswer(packet.subarray(0, packet.length - (round % 5)), transaction);
  }
});

test.each<[string, [server: string, port: number, mapped: string][], string]>([
  ['nobody answers', [], 'unknown'],
  ['one server', [['192.0.2.1', 1, '198.51.100.1:5000']], 'unknown'],
  ['our own address', [['192.0.2.1', 1, '10.0.0.1:4000']], 'none'],
  [
    'the same at two addresses',
    [
      ['192.0.2.1', 1, '198.51.100.1:5000'],
      ['192.0.2.2', 1, '198.51.100.1:5000'],
    ],
    'endpoint-independent',
  ],
  [
    'the same at two ports of one address only',
    [
      ['192.0.2.1', 1, '198.51.100.1:5000'],
      ['192.0.2.1', 2, '198.51.100.1:5000'],
    ],
    'unknown',
  ],
  [
    'different at two addresses',
    [
      ['192.0.2.1', 1, '198.51.100.1:5000'],
      ['192.0.2.2', 1, '198.51.100.1:5001'],
    ],
    'destination-dependent',
  ],
  [
    'different at two addresses, the same at two ports',
    [
      ['192.0.2.1', 1, '198.51.100.1:5000'],
      ['192.0.2.2', 1, '198.51.100.1:5001'],
      ['192.0.2.2', 2, '198.51.100.1:5001'],
    ],
    'address-dependent',
  ],
  [
    'different at two ports of one address',
    [
      ['192.0.2.1', 1, '198.51.100.1:5000'],
      ['192.0.2.1', 2, '198.51.100.1:5001'],
    ],
    'address-and-port-dependent',
  ],
])('%s', (_, answers, mapping) => {
  const seen = answers.map(([address, port, mapped]): Seen => {
    const [outer, outerPort] = mapped.split(':') as [string, string];
    return { server: { url: 'stun:x', address, port }, mapped: { address: outer, port: Number(outerPort) } };
  });
  expect(mappingOf(seen, 4000, new Set(['10.0.0.1']))).toBe(mapping);
});
