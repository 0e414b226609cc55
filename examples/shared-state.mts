// A board that three agents share, one of whom comes late: `npx tsx examples/shared-state.mts`
// The specification's real-time collaboration. What it leaves to the reader (which of two changes counts, what becomes of a
// lost one, how a newcomer learns the state) is in `shared-state/`.
import { createPeer, createSignalingServer } from 'ossa-webrtc';

import { SharedState } from './shared-state/shared.mts';

await using server = await createSignalingServer();
const agent = (name: string) => createPeer({ agentId: `agent://example.com/${name}`, signaling: server.url });

/** Resolves when a copy has this value. */
function seen(shared: SharedState, key: string, value: unknown): Promise<void> {
  return new Promise((resolve) => {
    const look = () => {
      if (JSON.stringify(shared.get(key)) !== JSON.stringify(value)) return;
      stop();
      resolve();
    };
    const stop = shared.onChange(look);
    look();
  });
}

await using anna = agent('anna');
await using ben = agent('ben');
const annas = await SharedState.join(anna, 'board');
const bens = await SharedState.join(ben, 'board');

// A cursor moves; only where it is now matters. Updates that get lost are not repeated.
for (let x = 0; x <= 100; x++) {
  annas.set('cursor/anna', { x, y: 7 });
  await new Promise((resolve) => setTimeout(resolve, 1));
}
await seen(bens, 'cursor/anna', { x: 100, y: 7 });
console.log('ben has seen', bens.get('cursor/anna'));

// Both change the same thing at the same moment: one of them is right, and both agree which.
annas.set('title', 'by anna');
bens.set('title', 'by ben');
await Promise.all([seen(annas, 'title', 'by ben'), seen(bens, 'title', 'by ben')]);
console.log('the title is', annas.get('title'));

// Who comes late gets everything.
await using carla = agent('carla');
const carlas = await SharedState.join(carla, 'board');
console.log('carla has', carlas.state);
