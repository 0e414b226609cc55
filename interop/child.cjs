// A process that holds one stack: `node child.cjs <stack>`; see `serve.cjs`.
const { serve } = require('./serve.cjs');
const { createW3cDriver } = require('./w3c-driver.cjs');

const stack = require(`./stacks/${process.argv[2]}.cjs`);

serve({ ...createW3cDriver(stack), about: async () => ({ name: stack.name, version: stack.version }) });
