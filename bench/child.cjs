// A process that holds one stack and measures over it: `node child.cjs <stack>`; see `interop/serve.cjs`.
const { serve } = require('../interop/serve.cjs');
const { withMeter } = require('./meter.cjs');

const { about, driver, flow } = require(`./stacks/${process.argv[2]}.cjs`);

serve({ ...withMeter(driver, flow), about: async () => about });
