/** Self-contained: its text runs in browsers. */
export function createBrowserAudio(): object;
