// Two cursors that follow each other: `npx tsx examples/shared-state.mts`
// The specification's real-time collaboration: an unordered channel that loses what is late, and the latest state wins.
import { createPeer, createSignalingServer, type AgentChannel } from 'ossa-webrtc';

await using server = await createSignalingServer();
await using left = createPeer({ agentId: 'agent://example.com/left', signaling: server.url });
await using right = createPeer({ agentId: 'agent://example.com/right', signaling: server.url });
await right.ready;

interface Update {
  sequence: number;
  state: { x: number; y: number };
}

/** The other side's state. An update that has been overtaken is dropped. */
async function follow(channel: AgentChannel, until: (update: Update) => boolean): Promise<Update> {
  let latest: Update = { sequence: -1, state: { x: 0, y: 0 } };
  for await (const data of channel) {
    const update = JSON.parse(data as string) as Update;
    if (update.sequence > latest.sequence) latest = update;
    if (until(latest)) break;
  }
  return latest;
}

const followed = new Promise<Update>((resolve) => {
  right.on('link', (link) => {
    link.on('channel', (channel) => resolve(follow(channel, ({ state }) => state.x === 100)));
  });
});

const link = await left.connect('agent://example.com/right');
const channel = await link.createChannel('state-sync', { ordered: false, maxRetransmits: 0 });
let sequence = 0;
let seen = false;
void followed.then(() => (seen = true));
// The whole state each time: whatever gets lost, the next one brings everything.
while (!seen) {
  const state = { x: Math.min(sequence, 100), y: 7 };
  await channel.send(JSON.stringify({ sequence: sequence++, state } satisfies Update));
  await new Promise((resolve) => setTimeout(resolve, 1));
}
console.log('the other side has seen', (await followed).state);
