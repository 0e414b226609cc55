// Time limits.

/** What {@link within} does at its end. */
export interface Patience {
  /** What it rejects with. */
  late?: () => Error;
  /**
   * Whether the clock alone keeps the process alive. Default: false, what is waited for does that if it has to.
   */
  alive?: boolean;
}

/** What `call` gives; rejects if it takes longer than `milliseconds`. */
export async function within<T>(
  milliseconds: number,
  call: () => T | Promise<T>,
  { late = () => new Error(`no answer within ${milliseconds} ms`), alive = false }: Patience = {},
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), milliseconds);
    if (!alive) timer.unref();
  });
  try {
    return await Promise.race([call(), patience]);
  } finally {
    clearTimeout(timer);
  }
}
