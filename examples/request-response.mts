// Two agents that call each other: `npx tsx examples/request-response.mts`
// Results, errors with a code, results that come piece by piece, deadlines and cancellation.
import { AgentError, createPeer, createSignalingServer } from 'ossa-webrtc';

await using server = await createSignalingServer();
await using shop = createPeer({ agentId: 'agent://example.com/shop', signaling: server.url });
await using warehouse = createPeer({ agentId: 'agent://example.com/warehouse', signaling: server.url });

const stock = new Map([
  ['chair', 4],
  ['table', 0],
]);

warehouse.handle('reserve', ({ item }: { item: string }, { from }) => {
  const left = stock.get(item);
  if (left === undefined) throw new AgentError('UNKNOWN_ITEM', `nobody sells ${item} here`);
  if (left === 0) throw new AgentError('SOLD_OUT', `no ${item} left`, { retryable: true });
  stock.set(item, left - 1);
  return { item, left: left - 1, reservedFor: from };
});

// What a handler yields travels item by item; a slow reader slows it down.
warehouse.handle('list', function* () {
  for (const [item, left] of stock) yield { item, left };
});

let stopped: () => void;
const stop = new Promise<void>((resolve) => (stopped = resolve));
const impatient = new AbortController();
warehouse.handle('count', async (_: unknown, { signal }) => {
  // It would take for ever. The caller gives up, and the handler learns of it.
  impatient.abort();
  await new Promise((resolve) => signal.addEventListener('abort', resolve));
  console.log('the warehouse has stopped counting');
  stopped();
});
await warehouse.ready;

const link = await shop.connect('agent://example.com/warehouse');
console.log('reserved:', await link.call('reserve', { item: 'chair' }));

for (const item of ['table', 'piano']) {
  try {
    await link.call('reserve', { item }, { timeout: 5000 });
  } catch (error) {
    if (!(error instanceof AgentError)) throw error;
    console.log(`refused: ${error.code}, ${error.message}, ${error.retryable ? 'try again' : 'do not try again'}`);
  }
}

for await (const line of link.callStream<{ item: string; left: number }>('list')) console.log('in stock:', line);

await link
  .call('count', null, { signal: impatient.signal })
  .catch((error: AgentError) => console.log('given up:', error.code));
await stop;
