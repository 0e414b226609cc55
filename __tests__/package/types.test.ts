// What users of the types rely on, in programs of their own. `skipLibCheck` is off: an error in our declarations is one of theirs.
import { Project } from './installed';

const OLDEST = 'oldest-typescript/node_modules/typescript';
const NEWEST = 'typescript';

let project: Project;
beforeAll(() => {
  project = new Project();
  project.link('@types/node');
  project.link('@types/simple-peer');
  project.link('@modelcontextprotocol/sdk');
}, 120_000);
afterAll(() => project.remove());

interface Options {
  typescript?: string;
  lib?: string[];
  types?: string[];
  compilerOptions?: Record<string, unknown>;
}

/** Checks a program; what the compiler says, nothing if all is well. */
function check(
  sources: Record<string, string>,
  { typescript = NEWEST, lib = ['es2022', 'dom'], types = ['node'], compilerOptions = {} }: Options = {},
): string {
  for (const [name, text] of Object.entries(sources)) project.write(name, text);
  const config = {
    compilerOptions: {
      ...{ strict: true, noEmit: true, skipLibCheck: false, esModuleInterop: true, target: 'es2022', module: 'node16' },
      ...{ lib, types, ...compilerOptions },
    },
    files: Object.keys(sources),
  };
  project.write('tsconfig.json', JSON.stringify(config));
  const { stdout, status } = project.tool(`${typescript}/bin/tsc`, '--pretty', 'false');
  return `${stdout}${status === 0 ? '' : `exit code ${status}`}`;
}

const USER = {
  'user.mts': `
    import { RTCPeerConnection, createPeer, version, type RTCStatsReport } from 'ossa-webrtc';
    export const v: string = version;
    const connection = new RTCPeerConnection({ iceServers: [{ urls: 'stun:192.0.2.1' }] });
    connection.createDataChannel('c').onmessage = ({ data }) => console.log(data);
    connection.ondatachannel = function ({ channel }) { channel.onerror = ({ error }) => console.log(error.errorDetail); };
    export const ids = (report: RTCStatsReport) => [...report].map(([id, { type }]) => id + type).concat(...report.keys());
    export const peer = createPeer({ agentId: 'agent://a', signaling: 'ws://localhost' });
    export const close = () => peer[Symbol.asyncDispose]();
    peer.on('link', (link) => console.log(link.remote.agentId));`,
};
// An EventEmitter, like the class that it stands for: it cannot be used without the types of Node.
const REFERENCE = {
  'reference.mts': `
    import { InMemorySignalingServer, WebRTCTransport, type WebRTCMessage } from 'ossa-webrtc/ossa';
    const signaling = new InMemorySignalingServer().registerAgent('agent://a');
    new WebRTCTransport({ agentId: 'agent://a', remoteAgentId: 'agent://b', signaling, iceServers: [] })
      .on('message', ({ payload }: WebRTCMessage<string>) => payload.length);`,
};

// `Event`, `Blob` and their like come from one of the two.
test.each([
  ['with the DOM library', ['es2022', 'dom'], []],
  ['with the types of Node', ['es2022'], ['node']],
  ['with both', ['es2022', 'dom'], ['node']],
  ['with the newest libraries', ['esnext', 'dom', 'dom.iterable', 'dom.asynciterable'], ['node']],
])('a strict project %s compiles', (_, lib, types) => {
  expect(check(types.length > 0 ? { ...USER, ...REFERENCE } : USER, { lib, types })).toBe('');
});

test.each([
  ['with the DOM library', ['es2022', 'dom'], []],
  ['with the types of Node', ['es2022'], ['node']],
  ['with both', ['es2022', 'dom'], ['node']],
])('so it does with the oldest TypeScript that we promise, %s', (_, lib, types) => {
  expect(check(types.length > 0 ? { ...USER, ...REFERENCE } : USER, { typescript: OLDEST, lib, types })).toBe('');
});

test('a project of that age, compiled to CommonJS and resolved as in Node 10, finds all entries', () => {
  const user = {
    'old.ts': `
      import wrtc, { RTCPeerConnection } from 'ossa-webrtc';
      import { WebRTCTransport } from 'ossa-webrtc/ossa';
      import 'ossa-webrtc/polyfill';
      export const all = [WebRTCTransport, wrtc.RTCPeerConnection, RTCPeerConnection];
      export const global: RTCDataChannelInit = { ordered: true };`,
  };
  const compilerOptions = { module: 'commonjs', moduleResolution: 'node' };
  expect(check(user, { typescript: OLDEST, lib: ['es2022'], compilerOptions })).toBe('');
});

test('a bundled project finds all entries', () => {
  const user = {
    'bundled.ts': `
      import wrtc, { RTCPeerConnection } from 'ossa-webrtc';
      import { McpClientTransport } from 'ossa-webrtc/mcp';
      import { WebRTCTransport } from 'ossa-webrtc/ossa';
      import 'ossa-webrtc/polyfill';
      export const all = [McpClientTransport, WebRTCTransport, new wrtc.RTCPeerConnection(), RTCPeerConnection];`,
  };
  const compilerOptions = { module: 'esnext', moduleResolution: 'bundler', customConditions: ['browser'] };
  expect(check(user, { compilerOptions })).toBe('');
});

test.each([OLDEST, NEWEST])('a class is one type for CommonJS and ES modules of one program (%s)', (typescript) => {
  const program = {
    'common.cts': `
      import wrtc, { createPeer, Mesh, RTCDataChannel, RTCPeerConnection, type Link } from 'ossa-webrtc';
      import api = require('ossa-webrtc');
      import { WebRTCTransport } from 'ossa-webrtc/ossa';
      export const take = (...all: [RTCPeerConnection, RTCDataChannel, Link, Mesh, WebRTCTransport]) => all;
      export const made: RTCPeerConnection = new api.RTCPeerConnection();
      export const same: typeof api.wrtc = wrtc;
      export const peer = createPeer({ agentId: 'agent://a', signaling: 'ws://localhost' });`,
    'module.mts': `
      import { made, peer, same, take } from './common.cjs';
      import wrtc, { RTCPeerConnection, type AgentPeer, type Link, type Mesh } from 'ossa-webrtc';
      import { WebRTCTransport } from 'ossa-webrtc/ossa';
      export const mine: AgentPeer = peer;
      export const theirs: RTCPeerConnection = made;
      export const equal: typeof wrtc = same;
      export const give = (link: Link, mesh: Mesh, transport: WebRTCTransport) => {
        const connection = new RTCPeerConnection();
        return take(connection, connection.createDataChannel('c'), link, mesh, transport);
      };`,
  };
  expect(check(program, { typescript })).toBe('');
});

test('the transports of MCP are those of the SDK, and their links those of the package', () => {
  const program = {
    'tools.mts': `
      import { Client } from '@modelcontextprotocol/sdk/client/index.js';
      import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
      import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
      import { createPeer, type Link } from 'ossa-webrtc';
      import { McpClientTransport, serveMcp } from 'ossa-webrtc/mcp';
      const peer = createPeer({ agentId: 'agent://a', signaling: 'ws://localhost' });
      serveMcp(peer, ({ agentId }, transport) => new McpServer({ name: agentId + transport.sessionId, version: '1' }));
      export const transport: Transport = new McpClientTransport(await peer.connect('agent://b'));
      export const link: Link = new McpClientTransport(await peer.connect('agent://b')).link;
      await new Client({ name: 'c', version: '1' }).connect(transport);`,
  };
  // The SDK's own declarations need it.
  expect(check(program, { compilerOptions: { skipLibCheck: true } })).toBe('');
});

/** Without audio and video a connection itself is none of the DOM's; what it gives out is, but for `sctp`, whose message size may be null. */
const SHAPES = [
  ...[
    'RTCDataChannel',
    'RTCSessionDescription',
    'RTCIceCandidate',
    'RTCCertificate',
    'RTCIceTransport',
    'RTCStatsReport',
  ],
  ...['RTCDtlsTransport', 'RTCError', 'RTCErrorEvent', 'RTCDataChannelEvent'],
  ...['RTCPeerConnectionIceEvent', 'RTCPeerConnectionIceErrorEvent'],
  ...['RTCConfiguration', 'RTCIceServer', 'RTCDataChannelInit', 'RTCSessionDescriptionInit', 'RTCIceCandidateInit'],
];

test('what a connection gives out passes for the DOM library’s type of that name', () => {
  const pass = SHAPES.map((name, index) => `export const pass${index} = (one: ours.${name}): ${name} => one;`);
  expect(check({ 'shapes.mts': ["import type * as ours from 'ossa-webrtc';", ...pass].join('\n') })).toBe('');
});

test('what a browser has made can be given to our connection', () => {
  const text = `import type { RTCPeerConnection as Ours } from 'ossa-webrtc';
    export const one = (ours: Ours, description: RTCSessionDescription) => ours.setRemoteDescription(description);
    export const two = (ours: Ours, description: RTCSessionDescriptionInit) => ours.setRemoteDescription(description);
    export const three = (ours: Ours, candidate: RTCIceCandidate) => ours.addIceCandidate(candidate);
    export const four = (ours: Ours, candidate: RTCIceCandidateInit) => ours.addIceCandidate(candidate);
    export const five = (ours: Ours, init: RTCDataChannelInit) => ours.createDataChannel('c', init);`;
  expect(check({ 'back.mts': text })).toBe('');
});

test('simple-peer takes the implementation, however it is imported', () => {
  const use = "import SimplePeer = require('simple-peer');\nexport const peer = new SimplePeer({ wrtc });";
  const programs = {
    'default.mts': `import wrtc from 'ossa-webrtc';\n${use}`,
    'name.mts': `import { wrtc } from 'ossa-webrtc';\n${use}`,
    'default.cts': `import wrtc from 'ossa-webrtc';\n${use}`,
    'require.cts': `import ossa = require('ossa-webrtc');\nconst { wrtc } = ossa;\n${use}`,
  };
  expect(check(programs)).toBe('');
});

describe('ossa-webrtc/polyfill declares what it makes global', () => {
  const user = {
    'global.mts': `
      import 'ossa-webrtc/polyfill';
      const configuration: RTCConfiguration = { iceServers: [{ urls: 'stun:192.0.2.1' } satisfies RTCIceServer] };
      const connection: RTCPeerConnection = new RTCPeerConnection(configuration);
      const channel: RTCDataChannel = connection.createDataChannel('c', { ordered: false } satisfies RTCDataChannelInit);
      channel.onmessage = ({ data }) => console.log(data);
      export const description: RTCSessionDescriptionInit = { type: 'offer', sdp: '' };
      export const candidate = new RTCIceCandidate({ candidate: '', sdpMid: '0' } satisfies RTCIceCandidateInit);
      export const same = globalThis.RTCPeerConnection === RTCPeerConnection;
      connection.onicecandidate = (event: RTCPeerConnectionIceEvent) => console.log(event.candidate);`,
  };

  test.each([OLDEST, NEWEST])('where nothing else does (%s)', (typescript) => {
    expect(check(user, { typescript, lib: ['es2022'] })).toBe('');
  });

  test.each([OLDEST, NEWEST])('and leaves the DOM library’s declarations as they are (%s)', (typescript) => {
    const dom = {
      'dom.mts': "import 'ossa-webrtc/polyfill'; export const track = new RTCPeerConnection().addTransceiver('audio');",
    };
    expect(check({ ...user, ...dom }, { typescript })).toBe('');
  });

  test('as our classes, not as any', () => {
    const wrong = { 'wrong.mts': "import 'ossa-webrtc/polyfill'; new RTCPeerConnection().createDataChanel('c');" };
    expect(check(wrong, { lib: ['es2022'] })).toContain("Did you mean 'createDataChannel'");
  });
});
