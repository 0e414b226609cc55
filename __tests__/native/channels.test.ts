import { connectedPair } from './support';

describe('channels of native peers', () => {
  test('what was sent before closing a channel arrives before it closes', async () => {
    const pair = await connectedPair();
    const order: string[] = [];
    pair.b.onMessage = (_channel, data) => order.push(data as string);
    for (let i = 0; i < 100; i++) pair.a.native.send(pair.channel, `message ${i}`);
    pair.a.native.send(pair.channel, 'x'.repeat(100_000));
    pair.a.native.closeDataChannel(pair.channel);
    await pair.b.event('channelClosed');
    await pair.a.event('channelClosed', (event) => event.channel === pair.channel && event.error === null);
    expect(order).toHaveLength(101);
    expect(order[99]).toBe('message 99');
    pair.close();
  });

  test('a message above what the peer allows is reported and does not count as buffered', async () => {
    const limit = 5000;
    const pair = await connectedPair({}, { a: { sendBufferLimit: limit }, b: { maxMessageSize: 1000 } });
    expect(pair.a.native.snapshot().sctp).toMatchObject({ state: 'connected', maxMessageSize: 1000 });
    for (let i = 0; i < 5; i++) {
      pair.a.native.send(pair.channel, new Uint8Array(2000));
      await pair.a.until(() => pair.a.events.filter(({ type }) => type === 'sendFailed').length > i);
    }
    const failed = await pair.a.event('sendFailed');
    expect(failed).toMatchObject({ channel: pair.channel, bytes: 2000, code: 'TypeError' });
    pair.a.native.send(pair.channel, 'still open');
    expect(await pair.b.received(1)).toEqual([{ channel: pair.remote, data: 'still open' }]);
    pair.close();
  });

  test('a channel that is closed with data waiting gives its share of the send buffer back', async () => {
    const limit = 1_000_000;
    const pair = await connectedPair({}, { a: { sendBufferLimit: limit } });
    for (let i = 0; i < 10; i++) pair.a.native.send(pair.channel, new Uint8Array(limit / 10));
    pair.b.native.closeDataChannel(pair.remote);
    await pair.a.event('channelClosed');
    const channel = pair.a.native.createDataChannel({ label: 'second' });
    await pair.a.event('channelOpen', (event) => event.channel === channel);
    expect(pair.a.native.send(channel, new Uint8Array(limit))).toBe(limit);
    const { channel: remote } = await pair.b.event('channelAnnounced', ({ info }) => info.label === 'second');
    const message = await pair.b.until(() => pair.b.messages.find((message) => message.channel === remote));
    expect((message.data as ArrayBuffer).byteLength).toBe(limit);
    pair.close();
  });

  test('many peers share the queues of the thread without mixing up their messages', async () => {
    const pairs = await Promise.all(Array.from({ length: 10 }, () => connectedPair()));
    for (let round = 0; round < 50; round++) {
      for (const [i, pair] of pairs.entries()) {
        pair.a.native.send(pair.channel, `pair ${i} round ${round}`);
        if (round % 10 === 0) pair.a.native.send(pair.channel, new Uint8Array(20_000).fill(i));
      }
    }
    for (const [i, pair] of pairs.entries()) {
      const messages = await pair.b.received(55);
      const texts = messages.map(({ data }) => data).filter((data) => typeof data === 'string');
      expect(texts).toEqual(Array.from({ length: 50 }, (_, round) => `pair ${i} round ${round}`));
      for (const { data } of messages) if (typeof data !== 'string') expect(new Uint8Array(data)[19_999]).toBe(i);
      pair.close();
    }
  });

  test('statistics are plain objects with the names of the specification', async () => {
    const pair = await connectedPair();
    pair.a.native.send(pair.channel, 'hello');
    await pair.b.received(1);
    const report = pair.a.native.getStats();
    const channel = report.find(({ type }) => type === 'data-channel');
    expect(channel).toMatchObject({ label: 'test', state: 'open', messagesSent: 1, bytesSent: 5, messagesReceived: 0 });
    const transport = report.find(({ type }) => type === 'transport');
    expect(transport).toMatchObject({
      dtlsState: 'connected',
      tlsVersion: expect.stringMatching(/^FEF[CD]$/i) as string,
    });
    const ids = report.map(({ id }) => id);
    expect(new Set(ids).size).toBe(ids.length);
    expect(ids).toContain(transport!.selectedCandidatePairId);
    for (const { timestamp } of report) expect(Math.abs(Date.now() - timestamp)).toBeLessThan(60_000);
    pair.close();
    expect(pair.a.native.getStats().map(({ type }) => type)).toContain('transport');
  });
});
