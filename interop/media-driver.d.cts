/** Self-contained: its text runs in browsers as well. */
export function createMediaDriver(w3c: object, audio: object): Record<string, (params: object) => Promise<unknown>>;
