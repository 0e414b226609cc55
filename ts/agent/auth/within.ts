// Time limits on what an application or a server takes its time for.

/** What `call` gives; rejects if it takes longer than `milliseconds`. */
export async function within<T>(milliseconds: number, call: () => T | Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const patience = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${milliseconds} ms`)), milliseconds);
    // What is asked keeps the process alive if it has to, not the clock.
    timer.unref();
  });
  try {
    return await Promise.race([call(), patience]);
  } finally {
    clearTimeout(timer);
  }
}
