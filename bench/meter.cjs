// Measurements over one open channel, added to a stack's driver. The Rust stacks have the same calls in `interop/rust-driver/src/meter.rs`.

const HIGH_WATER = 1024 * 1024;
const LOW_WATER = 256 * 1024;
// The longest that a sender holds the event loop while its stack takes everything at once.
const TURN_MS = 4;

const nextTurn = () => new Promise((resolve) => setImmediate(resolve));

/**
 * @param driver the calls of `interop/w3c-driver.cjs` and `channel(params)`, the object with `send` and `onmessage`
 * @param flow how this stack says that it has room again: `{ buffered(channel), room(channel, lowWater) => Promise }`
 */
function withMeter(driver, flow) {
  const counters = new Map();
  const key = ({ pc, label }) => `${pc}/${label}`;
  const sizeOf = (data) => data.byteLength ?? data.length;

  return {
    ...driver,

    /** Sends binary messages for `ms`, as fast as the stack's own backpressure allows. */
    async flood(params) {
      const channel = driver.channel(params);
      const payload = Buffer.alloc(params.size, 7);
      const group = Math.max(1, Math.min(64, Math.floor((64 * 1024) / params.size)));
      const end = performance.now() + params.ms;
      let messages = 0;
      let turn = performance.now();
      for (let now = turn; now < end; now = performance.now()) {
        for (let i = 0; i < group; i++) channel.send(payload);
        messages += group;
        if (flow.buffered(channel) > HIGH_WATER) {
          await flow.room(channel, LOW_WATER);
          turn = performance.now();
        } else if (now - turn > TURN_MS) {
          await nextTurn();
          turn = performance.now();
        }
      }
      return { messages };
    },

    /** Counts messages from now on. */
    async count(params) {
      const counter = { messages: 0, bytes: 0, first: 0, last: 0 };
      counters.set(key(params), counter);
      driver.channel(params).onmessage = ({ data }) => {
        if (counter.messages === 0) counter.first = performance.now();
        counter.bytes += sizeOf(data);
        // Reading the clock for each of a million messages a second would be part of the result.
        if ((++counter.messages & 15) === 0 || counter.messages < 1000) counter.last = performance.now();
      };
      return {};
    },

    /** What has come since `count`, and in which time. */
    async counted(params) {
      const { messages, bytes, first, last } = counters.get(key(params));
      return { messages, bytes, ms: last - first };
    },

    /** Sends every message back from now on. */
    async echo(params) {
      const channel = driver.channel(params);
      channel.onmessage = ({ data }) => channel.send(data);
      return {};
    },

    /** Round trips one after the other, for at most `ms`. */
    async ping(params) {
      const channel = driver.channel(params);
      const payload = Buffer.alloc(params.size, 7);
      const micros = [];
      const end = performance.now() + params.ms;
      while (performance.now() < end) {
        const returned = new Promise((resolve) => (channel.onmessage = resolve));
        const start = performance.now();
        channel.send(payload);
        await returned;
        micros.push((performance.now() - start) * 1000);
      }
      return { micros };
    },

    /** CPU seconds of all threads of this process so far, and its resident memory. */
    async usage() {
      const { user, system } = process.cpuUsage();
      return { cpuSeconds: (user + system) / 1e6, rss: process.memoryUsage.rss() };
    },

    /** Gives back what is garbage, and the pages that JavaScript's heap keeps for more of it. */
    async collect() {
      globalThis.gc({ type: 'major', execution: 'sync', flavor: 'last-resort' });
      return {};
    },
  };
}

module.exports = { withMeter };
