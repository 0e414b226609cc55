// As `child.cjs`, with the audio of the stack: `node media-child.cjs <stack>`.
const { createMediaDriver } = require('./media-driver.cjs');
const { serve } = require('./serve.cjs');
const { createW3cDriver } = require('./w3c-driver.cjs');

const name = process.argv[2];
const audio = require(`./audio/${name}.cjs`);
const w3c = createW3cDriver(require(`./stacks/${name}.cjs`));

serve({
  ...w3c,
  open: ({ pc, config }) => w3c.open({ pc, config: { ...audio.config?.(), ...config } }),
  ...createMediaDriver(w3c, audio),
});
