// Serves an empty registry until standard input ends. Usage: node serve.cjs FOLDER     prints its URL
// It knows no other registry: what was not published to it is not found.
const { join } = require('node:path');
const { runServer } = require('verdaccio');

async function main() {
  const folder = process.argv[2];
  const application = await runServer({
    self_path: join(folder, 'config.yaml'),
    storage: join(folder, 'storage'),
    auth: { htpasswd: { file: join(folder, 'htpasswd') } },
    packages: { '**': { access: '$all', publish: '$authenticated' } },
    log: { type: 'stdout', format: 'json', level: 'fatal' },
    max_body_size: '100mb',
  });
  const server = application.listen(0, '127.0.0.1', () => console.log(`http://127.0.0.1:${server.address().port}/`));
  process.stdin.resume().once('end', () => process.exit());
}

void main();
