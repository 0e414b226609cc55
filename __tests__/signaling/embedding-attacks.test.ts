// Requests that no honest client sends, to signaling that is a part of a Node server.
import { once } from 'node:events';
import { connect } from 'node:net';

import { createSignalingServer, type SignalingServer } from 'ossa-webrtc';

import { createServer, end, httpOf, listen, Plain, Session } from './clients';

const http = createServer((request, response) => void response.end(`application: ${request.url}`));
let port: number;
let signaling: SignalingServer;

beforeAll(async () => {
  port = await listen(http);
  signaling = await createSignalingServer({ server: http, path: '/signaling' });
});
afterEach(async () => {
  // Whatever came before: an honest agent is served.
  const agent = await Plain.registered(signaling.url, 'agent://honest');
  agent.socket.close();
  await agent.closed;
});
afterAll(async () => {
  await signaling.close();
  await end(http);
});

/** Sends bytes as they are, and takes all that comes back. */
async function answer(...parts: string[]): Promise<string> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  let text = '';
  socket.setEncoding('latin1').on('data', (part: string) => (text += part));
  for (const part of parts) socket.write(part, 'latin1');
  await once(socket, 'close');
  return text;
}

const UPGRADE = ['Connection: Upgrade', 'Upgrade: websocket', 'Sec-WebSocket-Version: 13'].join('\r\n');
const last = (path: string) => `GET ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`;

test('what follows a refused upgrade reaches neither the application nor the operators’ pages', async () => {
  const refused = `GET /signaling HTTP/1.1\r\nHost: a\r\nOrigin: https://evil.example\r\n${UPGRADE}\r\n\r\n`;
  const page = await answer(refused, last('/page'));
  expect(page).toMatch(/^HTTP\/1\.1 403 /);
  expect(page).toMatch(/HTTP\/1\.1 404 /);
  expect(page).not.toContain('application');
  const status = await answer(refused, last('/signaling/status.json'));
  expect(status).toMatch(/HTTP\/1\.1 401 /);
});

test('two lengths of one body are refused, with signaling as with the application', async () => {
  for (const path of ['/signaling/v1/sessions', '/page']) {
    const head = `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n`;
    expect(await answer(head, `0\r\n\r\n${last('/signaling/health')}`)).toMatch(/^HTTP\/1\.1 400 /);
  }
  expect(signaling.stats().connections).toBe(0);
});

test('bodies in chunks are taken, and too large ones are refused before they are there', async () => {
  const session = await Session.start(httpOf(signaling.url));
  const head = `POST /signaling/v1/frames HTTP/1.1\r\nHost: a\r\nOssa-Session: ${session.secret}\r\n`;
  const chunks = '2\r\n[]\r\n0\r\n\r\n';
  const chunked = await answer(`${head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n`, ...chunks);
  expect(chunked).toMatch(/^HTTP\/1\.1 202 /);
  const body = 'x'.repeat(1024 * 1024);
  const large = await fetch(`${session.base}/v1/frames`, { method: 'POST', headers: session.headers(), body });
  expect(large.status).toBe(413);
  expect(await session.post([])).toBe(202);
  expect(await session.end()).toBe(204);
});
