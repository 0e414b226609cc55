import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(__dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'ossa-webrtc-types-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** What a user of the classes writes; every line has to be typed, none as `any`. */
const PROGRAM = `
import { RTCPeerConnection, RTCError, RTCErrorEvent, type RTCDataChannel } from 'ossa-webrtc';

const peer = new RTCPeerConnection({ iceServers: [{ urls: 'stun:stun.example.net' }], transport: { includeLoopback: true } });
peer.ondatachannel = ({ channel }) => {
  channel.onmessage = function ({ data }) {
    const echo: string | ArrayBuffer = data;
    this.send(echo);
  };
};
peer.addEventListener('icecandidate', ({ candidate }) => void candidate?.toJSON().sdpMid);
peer.addEventListener('anything', { handleEvent: () => undefined }, { once: true });
const channel: RTCDataChannel = peer.createDataChannel('label', { ordered: false, maxRetransmits: 0 });
const target: EventTarget = channel;
channel.addEventListener('error', ({ error }) => void error.sctpCauseCode);
for (const data of ['text', new Uint8Array(1), new DataView(new ArrayBuffer(1)), Buffer.from('x'), new Blob([])]) channel.send(data);
const error: DOMException = new RTCError({ errorDetail: 'sctp-failure' });
const event: Event = new RTCErrorEvent('error', { error: error as RTCError });
export async function use(): Promise<unknown> {
  const { type, sdp } = await peer.createOffer({ iceRestart: true });
  const entries: [string, { id: string }][] = [...(await peer.getStats())];
  // @ts-expect-error -- interfaces that only a connection makes have no public constructor
  void (() => new (channel.constructor as typeof import('ossa-webrtc').RTCDataChannel)());
  return [type, sdp, entries, target, event];
}
`;

test.each([
  ['without', ['es2023']],
  ['with', ['es2023', 'dom', 'dom.iterable']],
])(
  'the declarations serve a program %s the types of browsers',
  (_, lib) => {
    writeFileSync(join(folder, 'program.ts'), PROGRAM);
    const compilerOptions = {
      ...{ target: 'es2022', module: 'node20', strict: true, noEmit: true, skipLibCheck: false, lib },
      ...{ types: ['node'], typeRoots: [join(root, 'node_modules/@types')] },
      paths: { 'ossa-webrtc': [join(root, 'index.d.ts')] },
    };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['program.ts'] }));
    let printed = '';
    try {
      execFileSync(process.execPath, [join(root, 'node_modules/typescript/bin/tsc'), '-p', folder], {
        encoding: 'utf8',
      });
    } catch (error) {
      printed = (error as { stdout: string }).stdout;
    }
    expect(printed).toBe('');
  },
  120_000,
);
