// Time limits on promises.
import { patience } from './patience';

/** What {@link within} does at its end. */
export interface Patience {
  /** What it rejects with. */
  late?: () => Error;
  /**
   * Whether the clock alone keeps the process alive. Default: false, what is waited for does that if it has to.
   */
  alive?: boolean;
}

/** What `call` gives; rejects if it takes longer than `milliseconds`, as far as this program was there to see it: see {@link patience}. */
export async function within<T>(
  milliseconds: number,
  call: () => T | Promise<T>,
  { late = () => new Error(`no answer within ${milliseconds} ms`), alive = false }: Patience = {},
): Promise<T> {
  let end!: () => void;
  const over = new Promise<never>((_, reject) => {
    end = patience(milliseconds, () => reject(late()), { alive });
  });
  try {
    return await Promise.race([call(), over]);
  } finally {
    end();
  }
}
