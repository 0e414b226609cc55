import type { RTCDataChannel, RTCDataChannelEvent, RTCDataChannelInit, RTCPeerConnection } from 'ossa-webrtc';

import { bytes, negotiate, newPeer, once, receive, trickle } from '../w3c/helper';

/** Two connections, not negotiated yet, whose candidates find their way. */
function pair(): [RTCPeerConnection, RTCPeerConnection] {
  const a = newPeer();
  const b = newPeer();
  trickle(a, b);
  return [a, b];
}

describe("a channel of the specification's presets arrives with its reliability", () => {
  const presets: [string, RTCDataChannelInit, object][] = [
    ['ossa-channel', { ordered: true, maxRetransmits: 3 }, { ordered: true, maxRetransmits: 3 }],
    [
      'reliable',
      { ordered: true, maxPacketLifeTime: undefined, maxRetransmits: undefined },
      { ordered: true, maxRetransmits: null },
    ],
    ['unreliable', { ordered: false, maxRetransmits: 0 }, { ordered: false, maxRetransmits: 0 }],
    ['partial', { ordered: true, maxRetransmits: 3 }, { ordered: true, maxRetransmits: 3 }],
    ['file-transfer', { ordered: true }, { ordered: true, maxRetransmits: null }],
    ['state-sync', { ordered: false, maxRetransmits: 0 }, { ordered: false, maxRetransmits: 0 }],
  ];

  test.each(presets)('%s', async (label, init, expected) => {
    const [a, b] = pair();
    const channel = a.createDataChannel(label, init);
    const open = once(channel, 'open');
    const announced = once<RTCDataChannelEvent>(b, 'datachannel');
    await negotiate(a, b);
    const remote = (await announced).channel;
    expect(remote).toMatchObject({ label, maxPacketLifeTime: null, negotiated: false, ...expected });

    // Nothing is lost between two processes of one machine, so the message arrives on every preset.
    const received = receive(remote, 1);
    await open;
    channel.send(label);
    expect(await received).toEqual([label]);
  });
});

describe("the specification's multiplexing", () => {
  /** The three channels as published; both sides run this. */
  function multiplex(pc: RTCPeerConnection): Record<'control' | 'data' | 'events', RTCDataChannel> {
    // Control channel - reliable
    const controlChannel = pc.createDataChannel('control', {
      ordered: true,
      negotiated: true,
      id: 0,
    });

    // Data channel - unreliable
    const dataChannel = pc.createDataChannel('data', {
      ordered: false,
      negotiated: true,
      id: 1,
    });

    // Events channel - partial reliability
    const eventsChannel = pc.createDataChannel('events', {
      ordered: true,
      maxRetransmits: 3,
      negotiated: true,
      id: 2,
    });
    return { control: controlChannel, data: dataChannel, events: eventsChannel };
  }

  test('carries each channel apart from the others, in both directions, without a datachannel event', async () => {
    const [a, b] = pair();
    const near = multiplex(a);
    const far = multiplex(b);
    const announced = jest.fn();
    a.ondatachannel = b.ondatachannel = announced;
    const names = ['control', 'data', 'events'] as const;
    const open = [near, far].flatMap((side) => names.map((name) => once(side[name], 'open')));
    await negotiate(a, b);
    await Promise.all(open);

    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      const received = Promise.all(names.map((name) => receive(to[name], 2)));
      for (const name of names) from[name].send(`${name} 1`);
      for (const name of names) from[name].send(`${name} 2`);
      const [control, data, events] = await received;
      expect(control).toEqual(['control 1', 'control 2']);
      expect((data as string[]).sort()).toEqual(['data 1', 'data 2']); // unordered
      expect(events).toEqual(['events 1', 'events 2']);
    }
    expect([near.control.id, near.data.id, near.events.id]).toEqual([0, 1, 2]);
    expect(near.data).toMatchObject({ ordered: false, maxRetransmits: null });
    expect(announced).not.toHaveBeenCalled();
  });

  test('leaves the other ids to channels that are announced', async () => {
    const [a, b] = pair();
    multiplex(a);
    multiplex(b);
    const extra = a.createDataChannel('file-transfer', { ordered: true });
    const open = once(extra, 'open');
    await negotiate(a, b);
    await open;
    expect([0, 1, 2]).not.toContain(extra.id);
  });
});

test("the specification's binary example arrives byte by byte", async () => {
  const [a, b] = pair();
  const dataChannel = a.createDataChannel('binary');
  const open = once(dataChannel, 'open');
  const announced = once<RTCDataChannelEvent>(b, 'datachannel');
  await negotiate(a, b);
  await open;

  const processed = announced.then(
    ({ channel }) =>
      new Promise<Uint8Array>((processBinaryMessage) => {
        // Receive binary
        channel.onmessage = (event) => {
          if (event.data instanceof ArrayBuffer) {
            const view = new Uint8Array(event.data);
            processBinaryMessage(view);
          }
        };
      }),
  );

  // Send binary
  const buffer = new ArrayBuffer(1024);
  const view = new Uint8Array(buffer);
  for (let i = 0; i < view.length; i++) view[i] = i * 7;
  dataChannel.binaryType = 'arraybuffer';
  dataChannel.send(buffer);
  view.fill(0); // what was sent is sent

  expect(bytes(await processed)).toEqual(Array.from({ length: 1024 }, (_, i) => (i * 7) % 256));
});

test("the specification's mesh connects an agent with each of its neighbours", async () => {
  const neighbors = ['agent://a', 'agent://b', 'agent://c'];
  const connections = new Map<string, RTCPeerConnection>();
  const greetings: string[] = [];
  const createPeerConnection = async (neighbor: string): Promise<RTCPeerConnection> => {
    const [pc, remote] = pair();
    const announced = once<RTCDataChannelEvent>(remote, 'datachannel');
    const channel = pc.createDataChannel('ossa-channel');
    const open = once(channel, 'open');
    await negotiate(pc, remote);
    const greeting = announced.then((event) => receive(event.channel, 1));
    await open;
    channel.send(`hello ${neighbor}`);
    greetings.push(...((await greeting) as string[]));
    return pc;
  };

  await Promise.all(
    neighbors.map(async (neighbor) => {
      const pc = await createPeerConnection(neighbor);
      connections.set(neighbor, pc);
    }),
  );
  expect([...connections.keys()].sort()).toEqual(neighbors);
  expect(greetings.sort()).toEqual(neighbors.map((neighbor) => `hello ${neighbor}`));
});
