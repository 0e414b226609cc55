import { createW3cDriver } from '../../interop/w3c-driver.cjs';

/** A channel that a test opens, and takes back, when it likes. */
class FakeChannel extends EventTarget {
  readyState = 'connecting';
  bufferedAmount = 0;
  readonly label = 'late';
  readonly sent: unknown[] = [];
  onopen?: () => void;

  open(): void {
    this.readyState = 'open';
    this.onopen?.();
    this.dispatchEvent(new Event('open'));
  }

  send(data: unknown): void {
    if (this.readyState !== 'open') throw new Error("RTCDataChannel.readyState is not 'open'");
    this.sent.push(data);
  }
}

test('a channel that is connecting again after its open event, as in Chromium now and then, is waited for', async () => {
  const channel = new FakeChannel();
  const driver = createW3cDriver({
    RTCPeerConnection: class {
      createDataChannel = () => channel;
    },
  });
  const call = (method: string, params = {}) => driver[method]?.({ pc: 'a', label: 'late', ...params });
  await call('open');
  await call('createChannel');
  channel.open();
  await call('waitOpen');
  channel.readyState = 'connecting';
  const sending = call('send', { messages: [{ kind: 'string', text: 'hello' }] });
  channel.open();
  expect(await sending).toEqual([{ kind: 'string', bytes: 5, digest: expect.any(String) as string }]);
  expect(channel.sent).toEqual(['hello']);
});
