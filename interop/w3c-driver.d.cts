/** Self-contained: its text runs in browsers as well. */
export function createW3cDriver(api: object): Record<string, (params: object) => Promise<unknown>>;
