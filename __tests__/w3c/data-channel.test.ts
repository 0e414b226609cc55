import { RTCErrorEvent, type RTCDataChannel } from 'ossa-webrtc';

import { bytes, errorOf, newPeer, once, openPair, receive } from './helper';

describe('send', () => {
  test('takes every kind of view and sends exactly its bytes', async () => {
    const { near, far } = await openPair();
    const buffer = Uint8Array.from({ length: 32 }, (_, i) => i).buffer;
    const views: [ArrayBuffer | ArrayBufferView, number[]][] = [
      [buffer, [...new Uint8Array(buffer)]],
      [new Uint8Array(buffer, 3, 2), [3, 4]],
      [new Int8Array(buffer, 1, 1), [1]],
      [new Uint8ClampedArray(buffer, 31), [31]],
      [new Uint16Array(buffer, 4, 2), [4, 5, 6, 7]],
      [new Float64Array(buffer, 8, 1), [8, 9, 10, 11, 12, 13, 14, 15]],
      [new BigInt64Array(buffer, 16, 1), [16, 17, 18, 19, 20, 21, 22, 23]],
      [new DataView(buffer, 5, 3), [5, 6, 7]],
      [Buffer.from('node'), [...Buffer.from('node')]],
      [new Uint8Array(0), []],
    ];
    const received = receive(far, views.length);
    for (const [view] of views) near.send(view);
    expect((await received).map(bytes)).toEqual(views.map(([, expected]) => expected));
  });

  test('copies: what is written afterwards is not sent', async () => {
    const { near, far } = await openPair();
    const data = new Uint8Array([1, 2, 3]);
    const received = receive(far, 1);
    near.send(data);
    data.fill(9);
    expect(bytes((await received)[0])).toEqual([1, 2, 3]);
  });

  test('sends text as UTF-8, lone surrogates replaced, and anything else as its string', async () => {
    const { near, far } = await openPair();
    const received = receive(far, 5);
    near.send('');
    near.send('grüße 世界 🎉');
    near.send('a\ud800b');
    near.send(42 as unknown as string);
    near.send(null as unknown as string);
    expect(await received).toEqual(['', 'grüße 世界 🎉', 'a\ufffdb', '42', 'null']);
  });

  test('keeps the order of Blobs and what is sent after them', async () => {
    const { near, far } = await openPair();
    const received = receive(far, 5);
    const later = new Uint8Array([2]);
    near.send(new Blob([new Uint8Array([1])]));
    near.send(later);
    later[0] = 99;
    near.send('three');
    near.send(new Blob([]));
    near.send(new Uint8Array([5]));
    expect(near.bufferedAmount).toBe(1 + 1 + 5 + 0 + 1);
    const data = await received;
    expect(data[2]).toBe('three');
    expect([data[0], data[1], data[3], data[4]].map(bytes)).toEqual([[1], [2], [], [5]]);
  });

  test('sends a Blob although the channel is closed right afterwards', async () => {
    const { near, far } = await openPair();
    const received = receive(far, 2);
    near.send(new Blob(['last ', 'words']));
    near.send('bye');
    near.close();
    expect(near.readyState).toBe('closing');
    const [blob, text] = await received;
    expect(Buffer.from(blob as ArrayBuffer).toString()).toBe('last words');
    expect(text).toBe('bye');
    await once(near, 'close');
  });

  test('refuses memory that could change under the copy', async () => {
    const { near } = await openPair();
    const shared = new SharedArrayBuffer(4);
    expect(() => near.send(shared as unknown as ArrayBuffer)).toThrow(TypeError);
    expect(() => near.send(new Uint8Array(shared))).toThrow(TypeError);
    const resizable = Reflect.construct(ArrayBuffer, [4, { maxByteLength: 8 }]) as ArrayBuffer;
    expect(() => near.send(resizable)).toThrow(TypeError);
  });

  test('names the reason when it cannot send', async () => {
    const { near, a } = await openPair({}, { transport: { maxMessageSize: 1024 } });
    const limit = a.sctp!.maxMessageSize;
    expect(() => near.send(new Uint8Array(limit! + 1))).toThrow(TypeError);
    expect(() => (near.send as () => void)()).toThrow(TypeError);
    near.close();
    expect(errorOf(() => near.send('x'))).toMatchObject({ name: 'InvalidStateError' });
    const connecting = newPeer().createDataChannel('x');
    expect(errorOf(() => connecting.send('x'))).toMatchObject({ name: 'InvalidStateError' });
  });

  test('reports a full buffer with OperationError, loses nothing, and has room later', async () => {
    const { near, far } = await openPair();
    const message = new Uint8Array(64 * 1024);
    let sent = 0;
    const refused = errorOf(() => {
      for (;;) {
        near.send(message);
        sent += message.length;
      }
    });
    expect(refused).toMatchObject({ name: 'OperationError' });
    expect(near.bufferedAmount).toBe(sent);
    let received = 0;
    far.onmessage = ({ data }) => (received += (data as ArrayBuffer).byteLength);
    near.bufferedAmountLowThreshold = 0;
    await once(near, 'bufferedamountlow');
    expect(near.bufferedAmount).toBe(0);
    near.send('again');
    while (received < sent) await once(far, 'message');
  });

  test('keeps a Blob until there is room, although another channel has filled the buffer', async () => {
    const { a, near, far } = await openPair();
    const greedy = a.createDataChannel('greedy');
    await once(greedy, 'open');
    const received = receive(far, 1);
    const message = new Uint8Array(256 * 1024);
    const refused = errorOf(() => {
      for (;;) greedy.send(message);
    });
    expect(refused).toMatchObject({ name: 'OperationError' });
    near.send(new Blob([message]));
    expect(bytes((await received)[0])).toHaveLength(message.length);
  });
});

describe('messages', () => {
  test('let promise jobs run between them, as tasks of a browser do', async () => {
    const { near, far } = await openPair();
    const log: string[] = [];
    far.onmessage = ({ data }) => {
      log.push(`message ${data as string}`);
      void Promise.resolve()
        .then(() => undefined)
        .then(() => log.push(`jobs of ${data as string}`));
    };
    for (let i = 0; i < 4; i++) near.send(String(i));
    while (log.length < 8) await once(far, 'message').then(() => Promise.resolve());
    expect(log).toEqual([0, 1, 2, 3].flatMap((i) => [`message ${i}`, `jobs of ${i}`]));
  });

  test('wait for the datachannel event and what its handlers await', async () => {
    const a = newPeer();
    const b = newPeer();
    a.onicecandidate = ({ candidate }) => void b.addIceCandidate(candidate);
    b.onicecandidate = ({ candidate }) => void a.addIceCandidate(candidate);
    const near = a.createDataChannel('x');
    near.onopen = () => {
      near.send('first');
      near.send('second');
    };
    const announced = once<Event & { channel: RTCDataChannel }>(b, 'datachannel');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    await b.setLocalDescription();
    await a.setRemoteDescription(b.localDescription!);
    const { channel } = await announced;
    expect(channel.readyState).toBe('open');
    expect(await receive(channel, 2)).toEqual(['first', 'second']);
  });

  test('are events of Node with an ArrayBuffer of the exact size, or a Blob on request', async () => {
    const { near, far } = await openPair();
    near.send(new Uint8Array([1, 2, 3]));
    const event = await once<MessageEvent>(far, 'message');
    expect(event).toBeInstanceOf(MessageEvent);
    expect(event.target).toBe(far);
    expect(Object.prototype.toString.call(event.data)).toBe('[object ArrayBuffer]');
    expect((event.data as ArrayBuffer).byteLength).toBe(3);
    far.binaryType = 'blob';
    far.binaryType = 'nonsense' as 'blob';
    expect(far.binaryType).toBe('blob');
    near.send(new Uint8Array([4, 5]));
    const blob = (await once<MessageEvent>(far, 'message')).data as Blob;
    expect(blob).toBeInstanceOf(Blob);
    expect(bytes(await blob.arrayBuffer())).toEqual([4, 5]);
  });

  test('stop at the listener that stops them', async () => {
    const { near, far } = await openPair();
    const seen: unknown[] = [];
    far.addEventListener('message', (event) => event.stopImmediatePropagation(), { once: true });
    far.onmessage = ({ data }) => seen.push(data);
    near.send('stopped');
    near.send('seen');
    while (seen.length < 1) await new Promise((resolve) => setImmediate(resolve));
    expect(seen).toEqual(['seen']);
  });
});

describe('bufferedAmount', () => {
  test('grows at once by the bytes sent and falls to zero, with one event', async () => {
    const { near, far } = await openPair();
    let low = 0;
    near.onbufferedamountlow = () => low++;
    near.send('ü');
    near.send(new Uint8Array(10));
    expect(near.bufferedAmount).toBe(12);
    await receive(far, 2);
    expect(near.bufferedAmount).toBe(0);
    expect(low).toBe(1);
  });

  test('keeps its value when the connection closes', async () => {
    const { near, a } = await openPair();
    near.send(new Uint8Array(100));
    a.close();
    expect(near.readyState).toBe('closed');
    expect(near.bufferedAmount).toBe(100);
  });
});

describe('closing', () => {
  test('fires close here, and closing and close there', async () => {
    const { near, far } = await openPair();
    const log: string[] = [];
    for (const type of ['closing', 'close', 'error']) {
      near.addEventListener(type, () => log.push(`near ${type}`));
      far.addEventListener(type, () => log.push(`far ${type} ${far.readyState}`));
    }
    near.close();
    near.close();
    await Promise.all([once(near, 'close'), once(far, 'close')]);
    expect(log.filter((entry) => entry.startsWith('near'))).toEqual(['near close']);
    expect(log.filter((entry) => entry.startsWith('far'))).toEqual(['far closing closing', 'far close closed']);
  });

  test('of the connection fires nothing here, and error and close there', async () => {
    const { near, far, a } = await openPair();
    const fired: string[] = [];
    for (const type of ['closing', 'close', 'error']) near.addEventListener(type, () => fired.push(type));
    const error = once<RTCErrorEvent>(far, 'error');
    const closed = once(far, 'close');
    a.close();
    a.close();
    expect(a.connectionState).toBe('closed');
    expect(await error).toBeInstanceOf(RTCErrorEvent);
    expect((await error).error.errorDetail).toBe('sctp-failure');
    await closed;
    expect(fired).toEqual([]);
  });
});

test('the id is known as soon as the roles are, even or odd by DTLS role', async () => {
  const { a, b, near } = await openPair();
  const [x, y] = [a.createDataChannel('x'), b.createDataChannel('y')];
  expect((x.id! - near.id!) % 2).toBe(0);
  expect((x.id! + y.id!) % 2).toBe(1);
  expect(a.createDataChannel('x', { negotiated: true, id: 1000 }).id).toBe(1000);
  const taken = errorOf(() => a.createDataChannel('x', { negotiated: true, id: 1000 }));
  expect(taken).toMatchObject({ name: 'OperationError' });
});
