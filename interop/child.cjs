// A process that holds one stack: `node child.cjs <stack>`. Calls come in on stdin and answers leave on stdout, one JSON object per line:
// {id, method, params} -> {id, result} or {id, error}. Anything else on stdout is the stack's own chatter and is ignored by the parent.
const { createInterface } = require('node:readline');
const { createW3cDriver } = require('./w3c-driver.cjs');

const stack = require(`./stacks/${process.argv[2]}.cjs`);
const driver = createW3cDriver(stack);
const methods = { ...driver, about: async () => ({ name: stack.name, version: stack.version }) };

const write = (message) => process.stdout.write(`${JSON.stringify(message)}\n`);

createInterface({ input: process.stdin })
  .on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    Promise.resolve()
      .then(() => methods[method](params))
      .then(
        (result) => write({ id, result }),
        (error) => write({ id, error: String(error?.stack ?? error) }),
      );
  })
  .on('close', () => process.exit(0));
