// One of the two. Usage: node peer.mjs LIBRARY alice|bob URL     prints what happens to it, a line of JSON each
import './older-node.mjs';

const [name, role, url] = process.argv.slice(2);
const { peer } = await import(`./libraries/${name}.mjs`);
const first = role === 'alice';
const say = (event, text) => console.log(JSON.stringify([event, ...(text === undefined ? [] : [text])]));

let send;
let isConnected = false;
let heard = false;
let over;
const finished = new Promise((resolve) => (over = resolve));

function greet() {
  if (first && isConnected && send) send(`hello from ${role}`);
}

const leave = await peer(url, {
  role,
  first,
  connected() {
    say('connected');
    isConnected = true;
    greet();
  },
  received(text) {
    if (heard) return;
    heard = true;
    say('received', text);
    if (first) over();
    else send(`hello from ${role}`);
  },
  send(sender) {
    send = sender;
    greet();
  },
  left() {
    if (!first) say('left');
    over();
  },
});
await finished;
// It says so if it keeps the process alive all the same.
if ((await leave()) === 'stays') {
  say('stays');
  process.exit();
}
