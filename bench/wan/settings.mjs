// What is measured over distance: the paths, the stacks, and how long.

/** The stacks that speak WebRTC; over network devices plain TCP of the kernel is there as well. */
export const STACKS = ['ossa', 'node-datachannel', 'wrtc', 'werift', 'webrtc-rs', 'str0m', 'rustrtc'];
export const TCP = ['tcp-cubic', 'tcp-reno', 'tcp-bbr'];

const path = (rttMs, lossPercent, more = {}) => ({
  title: `${rttMs} ms, ${lossPercent} %`,
  settings: { delayMs: rttMs / 2, loss: lossPercent / 100, mbit: 100, queueBytes: 512_000, ...more },
});

export const SHARE_PATHS = [path(20, 0), path(100, 0), path(300, 0), path(50, 0.1), path(50, 1), path(100, 1)];

const deep = (ms) => ({
  title: `a queue of ${ms} ms`,
  settings: { delayMs: 20, mbit: 20, queueBytes: ms * 2500 },
});

export const QUEUE_PATHS = [deep(100), deep(1000)];

/** Neither a bottleneck nor loss: what counts are round trips. */
export const SETUP_PATHS = [100, 300].map((rttMs) => ({
  title: `RTT ${rttMs} ms`,
  settings: { delayMs: rttMs / 2, mbit: 1000, queueBytes: 4_000_000 },
}));

export const MANY_PATH = { title: '50 ms, 0 %', settings: path(50, 0).settings };
export const CONNECTIONS = [1, 10];

const beside = (ms) => ({
  title: `queue of ${ms} ms`,
  settings: { delayMs: 20, mbit: 50, queueBytes: ms * 6250 },
});

export const FAIRNESS_PATHS = [beside(40), beside(160)];

/** Slow start is over by then on most of the paths; how long the rest is measured. */
export const WARM_UP_MS = 3000;
export const MEASURE_MS = 6000;
export const FAIRNESS_WARM_UP_MS = 5000;
export const FAIRNESS_MEASURE_MS = 15_000;
export const MESSAGE_BYTES = 16_384;
export const SETUPS = 5;
