/** Who may register with a cluster: what one server has learnt of a name holds on all of them. */
import {
  createPeer,
  createSignalingServer,
  generateAgentKeys,
  WebSocketSignaling,
  type AgentError,
  type AgentKeys,
  type AgentPeer,
  type SignalingServer,
} from 'ossa-webrtc';

import { Redis } from './redis';

let redis: Redis;
let keys: Record<'owner' | 'mallory', AgentKeys>;
const open: AsyncDisposable[] = [];

beforeAll(async () => {
  const [owner, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  keys = { owner, mallory };
});

beforeEach(async () => {
  redis = await Redis.start();
});

afterEach(async () => {
  for (const one of open.splice(0).reverse()) await one[Symbol.asyncDispose]();
  await redis.remove();
});

/** What a server has logged, and when it is in its cluster. */
interface Watched {
  readonly server: SignalingServer;
  /** Resolves when a registration was denied for this reason. */
  denied(reason: string): Promise<void>;
  stands(state: 'connected' | 'lost'): Promise<void>;
}

async function serve(): Promise<Watched> {
  const reasons = new Set<unknown>();
  let changed = (): void => undefined;
  const hear = (message: string, fields?: object): void => {
    if (message === 'a registration was denied') reasons.add((fields as { reason: unknown }).reason);
    changed();
  };
  const logger = { debug: hear, info: hear, warn: hear, error: hear };
  const cluster = { redis: redis.url, lease: 60_000, timeout: 20_000 };
  const server = await createSignalingServer({ auth: { mode: 'tofu' }, logger, cluster });
  open.push(server);
  const until = async (condition: () => boolean): Promise<void> => {
    while (!condition()) await new Promise<void>((resolve) => (changed = resolve));
  };
  const stands = (state: string) => until(() => server.stats().cluster?.state === state);
  const denied = (reason: string) => until(() => reasons.has(reason));
  await stands('connected');
  return { server, denied, stands };
}

function agent(server: SignalingServer, own: AgentKeys): AgentPeer {
  const signaling = new WebSocketSignaling(server.url, { keys: own, reconnectDelay: 1, firstAttempts: 1 });
  const peer = createPeer({ agentId: 'agent://example.com/a', signaling });
  open.push(peer);
  return peer;
}

const failure = (peer: AgentPeer): Promise<AgentError | undefined> =>
  peer.ready.then(
    () => undefined,
    (error: AgentError) => error,
  );

test('the first key has its name on every server, and takes it along from one to the other', async () => {
  const [one, two] = await Promise.all([serve(), serve()]);
  const first = agent(one.server, keys.owner);
  await first.ready;
  // While the owner is there, and while it is away: the same words as on its own server.
  const here = await failure(agent(one.server, keys.mallory));
  expect(here).toMatchObject({ code: 'UNAUTHORIZED' });
  expect(await failure(agent(two.server, keys.mallory))).toMatchObject({
    code: 'UNAUTHORIZED',
    message: here!.message,
  });
  const lost = new Promise<AgentError>((resolve) => first.once('error', resolve));
  const second = agent(two.server, keys.owner);
  await second.ready;
  expect(await lost).toMatchObject({ code: 'UNAUTHORIZED' });
  await second.close();
  const three = await serve();
  expect(await failure(agent(three.server, keys.mallory))).toMatchObject({ code: 'UNAUTHORIZED' });
  await three.denied('key-mismatch');
  await agent(three.server, keys.owner).ready;
});

test('without Redis a server gives no name away that it does not know, and says why', async () => {
  const [one, two] = await Promise.all([serve(), serve()]);
  const owner = agent(one.server, keys.owner);
  await owner.ready;
  await owner.close();
  await redis.kill();
  await Promise.all([one.stands('lost'), two.stands('lost')]);
  const refused = await failure(agent(two.server, keys.mallory));
  expect(refused?.message).toContain('try again later');
  await two.denied('cluster-lost');
  await agent(one.server, keys.owner).ready;
  await redis.restart();
  await Promise.all([one.stands('connected'), two.stands('connected')]);
  expect(await failure(agent(two.server, keys.mallory))).toMatchObject({ code: 'UNAUTHORIZED' });
});
