// The rooms of `ts/` from the ground up, and what each of them may import: of the rooms below it those that it names, types included,
// and of each what its face, `index.ts`, shows. Whoever would like to import upwards declares the little that it needs where it stands.
import boundaries from 'eslint-plugin-boundaries';

const w3c = (...rooms) => rooms.map((room) => `w3c/${room}`);
const agent = (...rooms) => rooms.map((room) => `agent/${room}`);
const cli = (...rooms) => rooms.map((room) => `cli/${room}`);
const parts = agent('auth', 'calls', 'channels', 'connection', 'files', 'limits.ts', 'media', 'messages', 'tracing');

/** A folder or a single file of `ts/`, and what it may import. */
const ROOMS = {
  // The ground.
  platform: [],
  base: [],
  native: ['base'],
  webidl: [],
  // W3C's classes.
  'w3c/enums.ts': [],
  'w3c/events': ['native', 'webidl', ...w3c('enums.ts')],
  'w3c/descriptions': ['native', 'webidl', ...w3c('enums.ts', 'events')],
  'w3c/configuration': ['native', 'webidl', ...w3c('enums.ts', 'events')],
  'w3c/transports': ['native', 'webidl', ...w3c('descriptions', 'enums.ts', 'events')],
  'w3c/channel': ['native', 'webidl', ...w3c('enums.ts', 'events')],
  'w3c/stats': ['webidl'],
  // Audio and video, without connections and devices.
  media: ['base', 'native', 'webidl', 'w3c/events'],
  // And with connections.
  'w3c/media': ['base', 'media', 'native', 'webidl', ...w3c('enums.ts', 'events', 'stats', 'transports')],
  'w3c/connection': [
    ...w3c('channel', 'configuration', 'descriptions', 'enums.ts', 'events', 'media', 'stats', 'transports'),
    ...['base', 'media', 'native', 'webidl'],
  ],
  w3c: [
    ...w3c(
      'channel',
      'configuration',
      'connection',
      'descriptions',
      'enums.ts',
      'events',
      'media',
      'stats',
      'transports',
    ),
    'webidl',
  ],
  // Media servers over HTTP.
  whip: ['base', 'media', 'w3c'],
  // Names and keys.
  identity: ['base', 'native'],
  // How agents find each other.
  signaling: ['base', 'identity', 'w3c'],
  'signaling/client': ['base', 'identity', 'native', 'signaling', 'w3c'],
  'signaling/server': ['base', 'identity', 'native', 'w3c'],
  // What a link is made of.
  'agent/limits.ts': ['base'],
  'agent/tracing': ['w3c'],
  'agent/channels': [...agent('limits.ts'), 'base', 'w3c'],
  'agent/auth': [...agent('limits.ts'), 'base', 'identity', 'native', 'signaling', 'w3c'],
  'agent/connection': ['base', 'native', 'signaling', 'w3c'],
  // What it has of one channel alone is the way to long strings that nobody parses.
  'agent/messages': [...agent('channels', 'limits.ts', 'tracing'), 'base', 'native', 'w3c', 'w3c/channel'],
  'agent/calls': [...agent('channels', 'limits.ts', 'messages', 'tracing'), 'base', 'native'],
  'agent/files': [...agent('channels', 'limits.ts', 'tracing'), 'base', 'native'],
  'agent/media': [...agent('limits.ts'), 'base', 'media', 'w3c'],
  // For those who look at them from outside.
  'agent/inspection': [],
  // One link, many links, the agent.
  'agent/link': [...parts, 'base', 'media', 'signaling', 'w3c', 'identity'],
  'agent/mesh': [...agent('calls', 'limits.ts', 'link', 'messages'), 'base', 'identity', 'signaling'],
  'agent/peer': [
    ...[...parts, ...agent('inspection', 'link', 'mesh')],
    ...['base', 'identity', 'native', 'signaling', 'signaling/client', 'w3c'],
  ],
  // What programs import.
  ossa: [...agent('channels'), 'base', 'w3c'],
  'wrtc.ts': ['media', 'w3c'],
  'polyfill.ts': ['wrtc.ts'],
  // In a bundle for browsers it stands in for the polyfill.
  browser: [],
  'index.ts': [
    ...[...parts, ...agent('link', 'mesh', 'peer')],
    ...[
      'base',
      'identity',
      'media',
      'native',
      'signaling',
      'signaling/client',
      'signaling/server',
      'w3c',
      'whip',
      'wrtc.ts',
    ],
  ],
  // Other protocols over links, for those who import them.
  serving: ['index.ts'],
  'mcp/session': ['base', 'index.ts'],
  mcp: ['agent/auth', 'base', 'index.ts', 'mcp/session', 'serving'],
  a2a: ['agent/auth', 'base', 'index.ts', 'serving'],
  // What watches agents and servers.
  tracing: ['base', 'index.ts'],
  // The program `ossa-webrtc`, a user of the package like any other.
  'cli/output': ['index.ts'],
  'cli/parsing': [...cli('output'), 'index.ts'],
  'cli/options': [...cli('output', 'parsing'), 'index.ts'],
  'cli/measuring': ['index.ts'],
  'cli/doctor': [...cli('options', 'output'), 'index.ts'],
  'cli/bridge': ['index.ts', 'mcp'],
  'cli/top': [...cli('output'), 'agent/inspection'],
  'cli/commands': [
    ...cli('bridge', 'doctor', 'measuring', 'options', 'output', 'parsing', 'top'),
    ...['index.ts', 'mcp', 'native'],
  ],
  'cli/main.ts': cli('commands', 'output', 'parsing'),
  'cli/bin.ts': cli('main.ts'),
};

const isFile = (room) => room.endsWith('.ts');
const anyFile = (room) => (isFile(room) ? { file: { categories: room } } : { element: { type: room } });
const face = (room) => (isFile(room) ? anyFile(room) : { element: { type: room, fileInternalPath: 'index.ts' } });

const rooms = Object.keys(ROOMS);
/** The innermost room that a file is in counts. */
const folders = rooms.filter((room) => !isFile(room)).sort((one, other) => other.length - one.length);

export default {
  files: ['ts/**/*.ts'],
  plugins: { boundaries },
  settings: {
    'boundaries/elements': folders.map((type) => ({ type, pattern: `ts/${type}`, partialMatch: false })),
    'boundaries/files': rooms.filter(isFile).map((category) => ({ category, pattern: `ts/${category}` })),
    'import/resolver': { node: { extensions: ['.ts', '.d.ts'] } },
  },
  rules: {
    // A new folder gets its line in the table.
    'boundaries/no-unknown-files': 'error',
    'boundaries/dependencies': [
      'error',
      {
        default: 'disallow',
        message: 'this is above, beside the face of, or not among the rooms that eslint.rooms.mjs names here',
        policies: rooms.flatMap((from) =>
          [...ROOMS[from], 'platform'].map((to) => ({ from: anyFile(from), allow: { to: face(to) } })),
        ),
      },
    ],
  },
};
