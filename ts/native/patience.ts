// Time limits for others that allow for this program being late itself.
import { clearTimeout, setTimeout } from '../platform';
import { binding } from './loader';

/** The longest time that a timer of Node can wait. */
const LONGEST = 2 ** 31 - 1;

/**
 * Calls `over` after so many milliseconds. When this program was held up meanwhile, one second later than it gets round to
 * it: what others have done in time may still wait to be read. Returns a function that takes the limit back.
 *
 * @param alive - Whether the limit keeps the process alive.
 */
export function patience(milliseconds: number, over: () => void, { alive = false } = {}): () => void {
  const limit = new binding.Patience(milliseconds);
  let timer: NodeJS.Timeout;
  const arm = () => {
    // A timer of Node may fire early within its millisecond.
    timer = setTimeout(look, Math.min(Math.ceil(limit.nextTimeout()), LONGEST));
    if (!alive) timer.unref();
  };
  const look = () => (limit.isOver() ? over() : arm());
  arm();
  return () => clearTimeout(timer);
}
