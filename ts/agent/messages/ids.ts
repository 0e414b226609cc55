// Ids of messages: UUIDs of random numbers (RFC 9562, section 5.4). To make one as the runtime does takes a tenth of the time of a small
// message; here the digits of many come from one call.
import { randomFillSync } from 'node:crypto';

/** Bytes of an id. */
const BYTES = 16;

/** Ids that the system is asked for at once. */
const POOL = 256;

const pool = Buffer.alloc(POOL * BYTES);
let digits = '';
let next = 0;

/** An id that nobody else uses. */
export function newId(): string {
  if (next === digits.length) refill();
  const at = next;
  next += 2 * BYTES;
  // All pieces are short: the engine copies them, so that who keeps an id does not keep all the digits.
  return (
    `${digits.slice(at, at + 8)}-${digits.slice(at + 8, at + 12)}-${digits.slice(at + 12, at + 16)}-` +
    `${digits.slice(at + 16, at + 20)}-${digits.slice(at + 20, at + 32)}`
  );
}

function refill(): void {
  randomFillSync(pool);
  for (let id = 0; id < pool.length; id += BYTES) {
    pool[id + 6] = (pool[id + 6]! & 0x0f) | 0x40; // version 4
    pool[id + 8] = (pool[id + 8]! & 0x3f) | 0x80; // the variant of RFC 9562
  }
  digits = pool.toString('hex');
  next = 0;
}
