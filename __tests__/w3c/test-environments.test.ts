/**
 * @jest-environment jsdom
 * @jest-environment-options {"customExportConditions": ["node", "node-addons"]}
 */
/* eslint-disable @typescript-eslint/no-require-imports -- loaded while the timers are faked */
// In jsdom the globals are a browser's, and so are those that fake timers replace: ours have to be Node's all the same.
import { EventTarget as RuntimeTarget } from '../../ts/platform';
import { outcomes } from './environment-outcomes';

const timersBefore = { setTimeout, setImmediate: (globalThis as { setImmediate?: unknown }).setImmediate };
jest.useFakeTimers();

describe('in jsdom, with timers that were faked before the import', () => {
  test('the classes and timers are not those of Node', () => {
    expect(globalThis).toHaveProperty('document');
    expect(EventTarget).not.toBe(RuntimeTarget);
    expect(timersBefore.setTimeout).not.toBe(setTimeout);
  });

  outcomes(require('ossa-webrtc') as typeof import('ossa-webrtc'));
});
