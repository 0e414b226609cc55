// Answers calls from the parent process: one JSON object per line, {id, method, params} in on stdin, {id, result} or {id, error} out on
// stdout. Anything else on stdout is the stack's own chatter and is ignored by the parent.
const { createInterface } = require('node:readline');

/** Serves `methods` until stdin ends, which ends the process. */
function serve(methods) {
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
}

module.exports = { serve };
