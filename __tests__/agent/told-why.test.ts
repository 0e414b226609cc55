// What went wrong is said: in words, with the value or the server that it is about, and as data.
import { once } from 'node:events';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { createServer as createTcpServer } from 'node:net';

import { AgentError, createPeer, KnownKeys, toDuplex, toWebStreams } from 'ossa-webrtc';
import type { AgentPeer, PeerOptions } from 'ossa-webrtc';
import { WebRTCTransport } from 'ossa-webrtc/ossa';

import { AgentError as ErrorOfAnotherCopy } from '../../ts/base/errors';
import { filePair } from './files-setup';
import { selfSigned } from './self-signed';

const pair = filePair();

/** A port at which nobody listens. */
async function closedPort(): Promise<number> {
  const server = createTcpServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

describe('a connection that does not come about', () => {
  const open: (AgentPeer | Server)[] = [];
  afterEach(() => {
    for (const one of open.splice(0)) void one.close();
  });

  async function refusal(options: Partial<PeerOptions>): Promise<AgentError> {
    const caller = pair.agent('caller', { iceTransportPolicy: 'relay', ...options });
    return (await caller.connect('agent://b', { timeout: 2000 }).catch((error: unknown) => error)) as AgentError;
  }

  async function untrusted(): Promise<number> {
    const server = createServer(selfSigned()).listen(0, '127.0.0.1');
    open.push(server);
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  }

  const relay = (urls: string) => ({
    iceServers: [{ urls, username: 'somebody', credential: 'something' }],
    transport: { bindAddress: '127.0.0.1' },
  });

  test('names the TURN server that is away', async () => {
    const url = `turn:127.0.0.1:${await closedPort()}?transport=tcp`;
    const error = await refusal(relay(url));
    expect(error).toMatchObject({ code: 'AGENT_UNREACHABLE', retryable: true });
    expect(error.message).toContain(`${url}: `);
    expect(error.message).toContain('refused');
    expect(error.message).not.toContain('os error');
    expect(error.causes).toMatchObject([{ url, code: 701, kind: 'server-unreachable' }]);
  });

  test('names the TURN server whose certificate is not trusted', async () => {
    const url = `turns:127.0.0.1:${await untrusted()}`;
    const error = await refusal(relay(url));
    expect(error.message).toContain(`${url}: `);
    expect(error.message).toMatch(/certificate/i);
    expect(error.causes).toMatchObject([{ url, code: 701, kind: 'server-untrusted' }]);
  });

  test('names the server whose name nobody knows', async () => {
    const url = 'turn:nowhere.invalid:3478';
    const error = await refusal(relay(url));
    expect(error.message).toContain("'nowhere.invalid' was not found");
    expect(error.causes).toMatchObject([{ url, code: 701, kind: 'server-name-not-found' }]);
    expect(error.details).toEqual({ causes: error.causes });
  });

  test('names the signaling server that is away, and the one whose certificate is not trusted', async () => {
    for (const [signaling, why] of [
      [`ws://127.0.0.1:${await closedPort()}`, /refused/],
      [`wss://127.0.0.1:${await untrusted()}`, /certificate/i],
    ] as const) {
      const caller = createPeer({ agentId: 'agent://caller', signaling });
      open.push(caller);
      const error = await caller.connect('agent://b', { timeout: 1000 }).catch((error: unknown) => error as AgentError);
      expect(error).toMatchObject({
        code: 'AGENT_UNREACHABLE',
        message: expect.stringMatching(why) as string,
        causes: [{ kind: 'signaling' }],
      });
      expect((error as AgentError).message).toContain(signaling);
    }
  });
});

describe('a file', () => {
  test('too many at a time are refused as such, while the others arrive', async () => {
    await pair.ab.close();
    pair.b = pair.agent('narrow', { limits: { incomingFiles: 1 } });
    await pair.b.ready;
    const link = await pair.a.connect('agent://narrow');
    const offered = new Promise<void>((resolve) => pair.b.once('file', (file) => (resolve(), (first = file))));
    let first!: { accept(to: { directory: string }): unknown };
    const one = link.sendFile(Buffer.from('one'), { name: 'one' });
    await offered;
    for (const name of ['two', 'three']) {
      await expect(link.sendFile(Buffer.from(name), { name }).done).rejects.toMatchObject({
        code: 'RATE_LIMIT_EXCEEDED',
        message: expect.stringContaining('takes 1 files at a time') as string,
        retryable: true,
      });
    }
    first.accept({ directory: pair.inbox });
    await expect(one.done).resolves.toMatchObject({ bytes: 3 });
  });

  for (const [name, arrives] of [
    ['\ud83d.txt', '\ufffd.txt'],
    ['a\udc00', 'a\ufffd'],
    ['\udc00\ud83d', '\ufffd\ufffd'],
    ['😀', '😀'],
  ] as const) {
    test(`whose name has half of a surrogate pair or a whole one arrives: ${JSON.stringify(name)}`, async () => {
      const incoming = pair.offered();
      const transfer = pair.ab.sendFile(Buffer.from('x'), { name, type: '\ud800' });
      const file = await incoming;
      expect(file.offeredName).toBe(arrives);
      expect(file.type).toBe('\ufffd');
      file.accept({ directory: pair.inbox });
      await transfer.done;
    });
  }
});

describe('an AgentError of another copy of the package', () => {
  const foreign = new ErrorOfAnotherCopy('OUT_OF_TEA', 'no tea', { retryable: true, details: { pots: 0 } });

  test('is one here as well, and what only looks a little like it is not', () => {
    expect(Object.getPrototypeOf(foreign)).not.toBe(AgentError.prototype);
    expect(foreign).toBeInstanceOf(AgentError);
    class Special extends AgentError {}
    expect(new Special('X', 'x')).toBeInstanceOf(AgentError);
    expect(foreign).not.toBeInstanceOf(Special);
    for (const other of [new Error('x'), Object.assign(new Error('x'), { code: 'ENOENT' }), { ...foreign }, null]) {
      expect(other).not.toBeInstanceOf(AgentError);
    }
  });

  test('keeps its code on the way to the caller, and to the agent that is refused', async () => {
    pair.b.handle('tea', () => {
      throw foreign;
    });
    const details = { code: 'OUT_OF_TEA', message: 'no tea', retryable: true, details: { pots: 0 } };
    await expect(pair.ab.call('tea')).rejects.toMatchObject(details);
    const strict = pair.agent('strict', {
      accept: () => {
        throw foreign;
      },
    });
    await strict.ready;
    await expect(pair.a.connect('agent://strict')).rejects.toMatchObject({ code: 'OUT_OF_TEA' });
  });
});

describe('a forgotten argument is named', () => {
  const wrong: [string, (peer: AgentPeer) => unknown, RegExp][] = [
    ['createPeer()', () => (createPeer as () => unknown)(), /createPeer needs options: at least agentId and signaling/],
    ['send(agent, payload, null)', (peer) => peer.send('agent://b', 1, null as never), /options of send/],
    ['mesh()', (peer) => (peer.mesh as () => unknown)(), /list of agent URIs, not undefined/],
    ['toDuplex()', () => (toDuplex as () => unknown)(), /RTCDataChannel, not of undefined/],
    ['toWebStreams({})', () => toWebStreams({} as never), /RTCDataChannel, not of an object/],
    ['new KnownKeys(5)', () => new KnownKeys(5 as never), /list of pairs, not 5/],
    ['new WebRTCTransport()', () => new (WebRTCTransport as unknown as new () => unknown)(), /needs a configuration/],
  ];
  for (const [name, call, text] of wrong) {
    test(name, async () => {
      // Some throw, others reject.
      const error = await Promise.resolve()
        .then(() => call(pair.a))
        .catch((error: unknown) => error);
      expect(error).toMatchObject({ name: 'TypeError', message: expect.stringMatching(text) as string });
    });
  }
});
