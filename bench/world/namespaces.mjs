// What the worlds of network namespaces have in common: commands, in the namespace of this process and in others, and rules of nftables. To be
// used in namespaces of its own: `unshare --map-root-user --net --mount`.
import { execFileSync } from 'node:child_process';

// Run by npm there is another program of the name `nft` in the path: a tracer of files.
process.env.PATH = process.env.PATH.split(':')
  .filter((folder) => !folder.includes('node_modules'))
  .join(':');

export const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'ignore', 'inherit'] });
export const ip = (...args) => run('ip', ...args);
/** Runs a command in a namespace. */
export const inside = (name, ...command) => ip('netns', 'exec', name, ...command);
/** Switches on what is a file below /proc/sys/net. */
export const enable = (name, file) => inside(name, 'sh', '-c', `echo 1 > /proc/sys/net/${file}`);

/** Begins a world. Names of namespaces are files in /run/netns: of this world only. */
export function begin() {
  run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
  ip('link', 'set', 'lo', 'up');
}

/** A namespace. */
export function create(name) {
  ip('netns', 'add', name);
  ip('-n', name, 'link', 'set', 'lo', 'up');
}

/** Gives a namespace rules, as `nft -f` reads them. */
export function apply(name, rules) {
  const stdio = ['pipe', 'ignore', 'inherit'];
  execFileSync('ip', ['netns', 'exec', name, 'nft', '-f', '-'], { input: rules, stdio });
}
