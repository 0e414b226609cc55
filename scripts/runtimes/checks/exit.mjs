// `process.exit()` with everything open and data on its way: the exit code is the program's. That programs end by themselves, the others show.
import { connected } from './pair.mjs';

const { channel } = await connected();
for (let i = 0; i < 200; i++) channel.send(new Uint8Array(60_000));
process.exit(7);
