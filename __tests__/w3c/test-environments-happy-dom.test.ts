/**
 * @jest-environment ./__tests__/w3c/happy-dom-environment.mjs
 */
// In happy-dom the globals are a browser's, in Node's own context: ours have to be Node's all the same.
import * as ossa from 'ossa-webrtc';
import { Event as RuntimeEvent, EventTarget as RuntimeTarget, setTimeout as runtimeTimer } from '../../ts/platform';
import { outcomes } from './environment-outcomes';

describe('in happy-dom', () => {
  test('the classes and timers are not those of Node', () => {
    expect(globalThis).toHaveProperty('document');
    expect(Event).not.toBe(RuntimeEvent);
    expect(EventTarget).not.toBe(RuntimeTarget);
    expect(setTimeout).not.toBe(runtimeTimer);
  });

  outcomes(ossa);
});
