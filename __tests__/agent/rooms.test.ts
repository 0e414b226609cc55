// Rooms: agents that do not know each other by name meet, talk, leave, and are limited.
import { AgentError, createPeer, createSignalingServer, MemorySignaling, WebSocketSignaling } from 'ossa-webrtc';
import type { AgentMessage, Link, Room, SignalingAdapter } from 'ossa-webrtc';

import { EarlyRoomMessages } from '../../ts/agent/mesh/early-messages';
import { Company, complete, next, take, until } from './mesh-helpers';
import { until as eventually } from './two-agents';

// Ours are Node's timers, which fake ones do not reach. Where the passing of time is the test, they do.
jest.mock('../../ts/platform', () => ({
  setTimeout: (then: () => void, delay: number) => globalThis.setTimeout(then, delay),
  clearTimeout: (timer: NodeJS.Timeout) => globalThis.clearTimeout(timer),
}));

let company: Company;
beforeEach(() => {
  company = new Company();
});
afterEach(async () => {
  await company.close();
  expect(company.signaling.agents).toEqual([]);
});

const names = ['a', 'b', 'c', 'd'];
const EMPTY = { type: 'message', id: '', timestamp: '' };

async function gather(room: string, agents: readonly string[] = names): Promise<Room[]> {
  const rooms = await Promise.all(agents.map((name) => company.agent(name).join(room)));
  await complete(rooms);
  return rooms;
}

test('everybody in a room is connected to everybody else by one link a pair', async () => {
  const peers = names.map((name) => company.agent(name));
  const rooms = await Promise.all(peers.map((peer) => peer.join('lobby')));
  await complete(rooms);
  for (const [index, room] of rooms.entries()) {
    const others = names.map((name) => `agent://${name}`).filter((agent) => agent !== room.agentId);
    expect([...room.members].sort()).toEqual(others);
    expect([...room.links.keys()].sort()).toEqual(others);
    expect(peers[index]!.links.size).toBe(3);
    expect(room.name).toBe('lobby');
  }
});

test('a broadcast reaches every other member exactly once, in order, and says so', async () => {
  const rooms = await gather('r');
  const [first, ...others] = rooms;
  const results = await Promise.all([1, 2, 3].map((n) => first!.broadcast({ n }, { priority: 'high' })));
  for (const deliveries of results) {
    expect(deliveries.map(({ member, status }) => `${member} ${status}`).sort()).toEqual([
      'agent://b sent',
      'agent://c sent',
      'agent://d sent',
    ]);
  }
  // Nothing else comes between these: one more of each would show up before the last one.
  await first!.broadcast('end');
  for (const room of others) {
    const messages = await take(room, 4);
    expect(messages.map(({ payload }) => payload)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }, 'end']);
    expect(messages.every(({ from }) => from === 'agent://a')).toBe(true);
    expect(messages[0]!.metadata).toMatchObject({ room: 'r', priority: 'high' });
  }
});

test('send reaches one member, call one, callAll all, and each failure is told apart', async () => {
  const peers = names.map((name) => company.agent(name));
  peers[1]!.handle('half', (n: number) => n / 2);
  peers[2]!.handle('half', () => {
    throw new AgentError('ODD', 'not today');
  });
  const rooms = await Promise.all(peers.map((peer) => peer.join('r')));
  await complete(rooms);
  await rooms[0]!.send('AGENT://b', 'for b');
  expect(await take(rooms[1]!, 1)).toMatchObject([{ payload: 'for b', from: 'agent://a' }]);
  expect(await rooms[0]!.call('agent://b', 'half', 4)).toBe(2);
  const answers = await rooms[0]!.callAll('half', 10);
  const told = answers.map((answer) =>
    answer.status === 'failed' ? [answer.member, answer.error.code] : [answer.member, answer.result],
  );
  expect(told.sort()).toEqual([
    ['agent://b', 5],
    ['agent://c', 'ODD'],
    ['agent://d', 'CAPABILITY_NOT_FOUND'],
  ]);
  await expect(rooms[0]!.send('agent://stranger', 1)).rejects.toMatchObject({ code: 'AGENT_NOT_FOUND' });
  await expect(rooms[0]!.broadcast(new Uint8Array(1))).rejects.toThrow(TypeError);
});

test('rooms with the same members keep their messages apart, and from the link', async () => {
  const [a, b] = [company.agent('a'), company.agent('b')];
  const [red, blue] = [await a.join('red'), await a.join('blue')];
  const [redB, blueB] = [await b.join('red'), await b.join('blue')];
  await Promise.all([complete([red, redB]), complete([blue, blueB])]);
  expect(a.links.size).toBe(1);
  await red.broadcast('for red');
  await blue.broadcast('for blue');
  await a.send('agent://b', 'for b');
  expect((await take(redB, 1))[0]!.payload).toBe('for red');
  expect((await take(blueB, 1))[0]!.payload).toBe('for blue');
  for await (const { payload } of b.links.get('agent://a')!) {
    expect(payload).toBe('for b');
    break;
  }
  // Leaving one room leaves the link to the other.
  await red.leave();
  await until([redB], () => redB.members.length === 0);
  await blue.broadcast('still here');
  expect((await take(blueB, 1))[0]!.payload).toBe('still here');
});

test('who comes joins and who leaves leaves, and the links of the room go with it', async () => {
  const [a, b, c] = await gather('r', ['a', 'b', 'c']);
  const joined = next(a!, 'join');
  const d = await company.agent('d').join('r');
  expect(await joined).toBe('agent://d');
  await complete([a!, b!, c!, d]);
  const gone = [...d.links.values()];
  const left = Promise.all([a, b, c].map((room) => next(room!, 'leave')));
  await d.leave();
  expect(await left).toEqual(['agent://d', 'agent://d', 'agent://d']);
  // The links may go before the list of the service says so.
  await eventually(() => !a!.members.includes('agent://d'));
  await Promise.all(gone.map((link) => link.closed));
  expect(d.closed).toBe(true);
  await expect(d.broadcast('x')).rejects.toMatchObject({ code: 'TASK_CANCELLED' });
  await d.close();
});

test('a link that the application uses survives the room', async () => {
  const [a, b] = [company.agent('a'), company.agent('b')];
  const rooms = [await a.join('r'), await b.join('r')];
  await complete(rooms);
  const link = await b.connect('agent://a');
  expect(link).toBe(rooms[1]!.links.get('agent://a'));
  await Promise.all(rooms.map((room) => room.leave()));
  expect(link.state).toBe('open');
  a.handle('alive', () => true);
  expect(await link.call('alive')).toBe(true);
});

test('a link that is lost is repaired, and reported meanwhile', async () => {
  const options = { retryDelay: 1 };
  const rooms = await Promise.all(['a', 'b'].map((name) => company.agent(name).join('r', options)));
  await complete(rooms);
  const [room] = rooms;
  const lost = room!.links.get('agent://b')!;
  const left = new Promise<AgentError | undefined>((resolve) => room!.once('leave', (_, error) => resolve(error)));
  const again = new Promise<Link>((resolve) => room!.once('join', (_, link) => resolve(link)));
  // The other side does not hear a goodbye.
  lost.connection.close();
  expect((await left)?.code).toBe('AGENT_UNREACHABLE');
  const link = await again;
  expect(link).not.toBe(lost);
  await room!.send('agent://b', 'back');
  expect((await take(rooms[1]!, 1))[0]!.payload).toBe('back');
});

test('joining twice is refused, after leaving it is not', async () => {
  const peer = company.agent('a');
  const room = await peer.join('r');
  await expect(peer.join('r')).rejects.toThrow('agent://a is in the room "r" already');
  await room.leave();
  const again = await peer.join('r');
  expect(again).not.toBe(room);
});

test('a room with more members than wanted is refused, and later ones are left out', async () => {
  const a = await company.agent('a').join('r', { maxMembers: 1 });
  const problem = next<AgentError>(a, 'problem');
  const b = await company.agent('b').join('r');
  await complete([a, b]);
  await expect(company.agent('c').join('r', { maxMembers: 1 })).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
  expect((await problem).code).toBe('RATE_LIMIT_EXCEEDED');
  expect(a.members).toEqual(['agent://b']);
});

test.each([
  ['', 'name of a room'],
  ['x'.repeat(129), '128 bytes'],
  ['a\nb', 'control'],
  [7, 'name of a room'],
])('%j is not the name of a room', async (name, text) => {
  await expect(company.agent('a').join(name as string)).rejects.toThrow(text);
});

test.each([{ maxMembers: 0 }, { concurrency: 1.5 }, { retryDelay: -1 }, { size: 3 }])(
  'options %j are refused',
  async (options) => {
    await expect(company.agent('a').join('r', options as never)).rejects.toThrow(TypeError);
  },
);

test('signaling without rooms is reported with a code', async () => {
  const { signaling } = company;
  const adapter: SignalingAdapter = {
    send: (message) => signaling.send(message),
    subscribe: (agent, deliver) => signaling.subscribe(agent, deliver),
  };
  await expect(company.agent('a', { signaling: adapter }).join('r')).rejects.toMatchObject({ code: 'PROTOCOL_ERROR' });
});

test('members that are no agents, and this agent itself, are not connected to', async () => {
  const { signaling } = company;
  const adapter: SignalingAdapter = {
    send: (message) => signaling.send(message),
    subscribe: (agent, deliver) => signaling.subscribe(agent, deliver),
    join: (_room, _agent, onMembers) => {
      setImmediate(() => onMembers(['http://evil', 'agent://a', 'AGENT://B', 'agent://b']));
      return () => undefined;
    },
  };
  company.agent('b');
  const room = await company.agent('a', { signaling: adapter }).join('r');
  expect(room.members).toEqual(['agent://b']);
  await room.ready;
});

test('a message for a room from an agent that is not in it does not reach the room', async () => {
  const [a, b, mallory] = [company.agent('a'), company.agent('b'), company.agent('mallory')];
  const rooms = [await a.join('r'), await b.join('r')];
  await complete(rooms);
  await mallory.ready;
  const link = await mallory.connect('agent://a');
  a.handle('seen', () => true);
  await link.send('forged', { metadata: { room: 'r' } });
  expect(await link.call('seen')).toBe(true);
  await rooms[1]!.broadcast('genuine');
  expect(await take(rooms[0]!, 1)).toMatchObject([{ payload: 'genuine', from: 'agent://b' }]);
});

describe('messages that are faster than the list of the room', () => {
  /** A service whose lists come when the test says so. */
  function slowList() {
    const { signaling } = company;
    let listener: ((members: readonly string[], details?: { left: string[] }) => void) | undefined;
    const adapter: SignalingAdapter = {
      send: (message) => signaling.send(message),
      subscribe: (agent, deliver) => signaling.subscribe(agent, deliver),
      join: (_room, _agent, onMembers) => {
        listener = onMembers;
        return () => undefined;
      },
    };
    return { adapter, tell: (...members: string[]) => listener!(members, { left: [] }), asked: () => !!listener };
  }

  /** Agent a, whose list is slow, agent b, and what b says in the room before a knows that b is there. */
  async function scene() {
    const { adapter, tell, asked } = slowList();
    const [a, b] = [company.agent('a', { signaling: adapter }), company.agent('b')];
    const elsewhere: unknown[] = [];
    a.on('link', (link) => link.on('message', ({ payload }) => elsewhere.push(payload)));
    a.handle('seen', () => true);
    await a.ready;
    const link = await b.connect('agent://a');
    const say = async (payload: unknown) => {
      await link.send(payload, { metadata: { room: 'r' } });
      // Messages are in order: it has been received before this is answered.
      expect(await link.call('seen')).toBe(true);
    };
    return { a, b, tell, asked, elsewhere, say };
  }

  test('reach it in order, when they come while it is being entered', async () => {
    const { a, tell, asked, elsewhere, say } = await scene();
    const joining = a.join('r');
    await eventually(asked);
    await say('first');
    tell('agent://a', 'agent://b');
    const room = await joining;
    await say('second');
    expect((await take(room, 2)).map(({ payload }) => payload)).toEqual(['first', 'second']);
    expect(elsewhere).toEqual([]);
  });

  test('reach it in order, when their sender has only just come', async () => {
    const { a, tell, asked, elsewhere, say } = await scene();
    const joining = a.join('r');
    await eventually(asked);
    tell('agent://a');
    const room = await joining;
    await say(1);
    await say(2);
    tell('agent://a', 'agent://b');
    await say(3);
    expect((await take(room, 3)).map(({ payload }) => payload)).toEqual([1, 2, 3]);
    expect(elsewhere).toEqual([]);
  });

  test('are kept within bounds for ten seconds, and then go to the link', () => {
    jest.useFakeTimers();
    try {
      const message = (from: string, payload: number) => ({ ...EMPTY, payload, from, metadata: { agentId: from } });
      const sink = () => {
        const taken: unknown[] = [];
        return { taken, push: ({ payload }: AgentMessage) => taken.push(payload) > 0 };
      };
      const [lost, link, room] = [jest.fn(), sink(), sink()];
      const early = new EarlyRoomMessages({ items: 3, bytes: 100 }, lost);
      expect(early.keep(message('x', 1), 60, link)).toBe(true);
      expect(early.keep(message('x', 2), 60, link)).toBe(false);
      expect(early.keep(message('y', 3), 40, link)).toBe(true);
      expect(early.keep(message('y', 4), 0, link)).toBe(true);
      expect(early.keep(message('x', 5), 0, link)).toBe(false);
      early.release('y', room);
      expect(room.taken).toEqual([3, 4]);
      jest.advanceTimersByTime(9999);
      expect(link.taken).toEqual([]);
      jest.advanceTimersByTime(1);
      expect(link.taken).toEqual([1]);
      expect(early.keep(message('x', 6), 100, { push: () => false })).toBe(true);
      jest.advanceTimersByTime(10_000);
      expect(lost).toHaveBeenCalledWith(message('x', 6));
      early.keep(message('x', 7), 100, link);
      early.close();
      expect(jest.getTimerCount()).toBe(0);
      expect(link.taken).toEqual([1]);
    } finally {
      jest.useRealTimers();
    }
  });
});

describe('at a signaling server', () => {
  test('agents meet, and stay together while the server is away and after it is back', async () => {
    let server = await createSignalingServer();
    const { port } = server;
    let registered = 0;
    const signaling = new WebSocketSignaling(server.url, {
      reconnectDelay: 1,
      maxReconnectDelay: 5,
      onRegister: () => registered++,
    });
    const peers = ['a', 'b', 'c'].map((name) => createPeer({ agentId: `agent://${name}`, signaling }));
    const rooms = await Promise.all(peers.map((peer) => peer.join('r')));
    await complete(rooms);
    expect(server.stats()).toMatchObject({ agents: 3, rooms: 1 });
    const links = rooms.flatMap((room) => [...room.links.values()]);
    await server.close();
    server = await createSignalingServer({ port });
    while (registered < 6) await new Promise(setImmediate);
    // Somebody new finds all of them: they are back in the room.
    const late = createPeer({ agentId: 'agent://d', signaling: server.url });
    const latecomer = await late.join('r');
    await complete([...rooms, latecomer]);
    expect(links.every((link) => link.state === 'open')).toBe(true);
    await Promise.all([late, ...peers].map((peer) => peer.close()));
    expect(server.stats()).toMatchObject({ agents: 0, rooms: 0 });
    await server.close();
  });

  test('limits are reported by the one who meets them', async () => {
    const server = await createSignalingServer({ maxRooms: 1, maxRoomMembers: 1 });
    const a = createPeer({ agentId: 'agent://a', signaling: server.url });
    const b = createPeer({ agentId: 'agent://b', signaling: server.url });
    await a.join('r');
    await expect(a.join('s')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED' });
    await expect(b.join('r')).rejects.toMatchObject({ code: 'RATE_LIMIT_EXCEEDED', retryable: true });
    // What was refused is not half there: once there is a place, it works.
    await a.close();
    await b.join('r');
    await b.close();
    await server.close();
  });

  test('one adapter is in a room once for each agent', async () => {
    const server = await createSignalingServer();
    const signaling = new WebSocketSignaling(server.url);
    const lists: string[][] = [];
    const unsubscribe = await signaling.subscribe(
      'agent://a',
      () => undefined,
      () => undefined,
    );
    const leave = await signaling.join('r', 'agent://a', (members) => lists.push([...members]));
    await expect(signaling.join('r', 'agent://a', () => undefined)).rejects.toThrow(TypeError);
    await expect(signaling.join('r', 'agent://b', () => undefined)).rejects.toMatchObject({ code: 'UNAUTHORIZED' });
    await expect(signaling.join('', 'agent://a', () => undefined)).rejects.toMatchObject({ code: 'INVALID_MESSAGE' });
    expect(lists).toEqual([['agent://a']]);
    await leave();
    await leave();
    expect(server.stats().rooms).toBe(0);
    await unsubscribe();
    await server.close();
  });
});

test('closing the peer leaves the room', async () => {
  const peer = company.agent('a');
  const other = await company.agent('b').join('r');
  const room = await peer.join('r');
  await complete([room, other]);
  const left = next(other, 'leave');
  await peer.close();
  expect(await left).toBe('agent://a');
  expect(room.closed).toBe(true);
  expect(new MemorySignaling().agents).toEqual([]);
});
