// What the stacks with a W3C-like API share. A stack file exports `about`, `driver` and `flow`; see `meter.cjs`.
const { createW3cDriver } = require('../../interop/w3c-driver.cjs');

/** Waits for `bufferedamountlow`. */
const standardFlow = {
  buffered: (channel) => channel.bufferedAmount,
  room(channel, lowWater) {
    channel.bufferedAmountLowThreshold = lowWater;
    return new Promise((resolve) => (channel.onbufferedamountlow = resolve));
  },
};

/** Looks again and again: for stacks whose low event does not come reliably. */
const pollingFlow = {
  buffered: (channel) => channel.bufferedAmount,
  async room(channel, lowWater) {
    while (channel.bufferedAmount > lowWater) await new Promise((resolve) => setTimeout(resolve, 1));
  },
};

/** The adapter of a stack of `interop/stacks`; `config` goes to every RTCPeerConnection. */
function adapter(stack, { flow = standardFlow, config } = {}) {
  const driver = createW3cDriver(stack);
  const { open } = driver;
  driver.open = (params) => open({ ...params, config });
  return { about: { name: stack.name, version: stack.version }, driver, flow };
}

module.exports = { adapter, pollingFlow };
