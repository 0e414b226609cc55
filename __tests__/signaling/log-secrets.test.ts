// What a signaling server writes into its log: everything that happens, and nothing that opens a door.
import { createSignalingServer, generateAgentKeys } from 'ossa-webrtc';
import type { LogFields, SignalingServerOptions } from 'ossa-webrtc';

import { audienceOf, prove, RawClient } from './auth-setup';
import { httpOf, Session } from './clients';

/** A server that logs everything, and the lines as an operator would keep them. */
async function logging(auth: SignalingServerOptions['auth']) {
  const lines: string[] = [];
  const log = (message: string, fields: LogFields = {}) => void lines.push(JSON.stringify({ message, ...fields }));
  const logger = { debug: log, info: log, warn: log, error: log };
  const turn = auth?.mode === 'open' ? {} : { turn: { urls: 'turn:turn.example', secret: 'turn-s3cret' } };
  const server = await createSignalingServer({ auth, logger, adminToken: 'admin-s3cret-of-the-server', ...turn });
  return { server, lines };
}

test('no token, wherever it was sent, is in the log', async () => {
  const { server, lines } = await logging({ mode: 'bearer', tokens: ['right-s3cret'] });
  const query = '/?token=query-s3cret&access_token=query-s3cret';
  const client = await RawClient.connect(server.url + query, { authorization: 'Bearer header-s3cret' });
  await client.ask({ type: 'register', agentId: 'agent://a', token: 'wrong-s3cret' });
  await client.ask({ type: 'register', agentId: 'agent://a' });
  const registered = await client.ask({ type: 'register', agentId: 'agent://a', token: 'right-s3cret' });
  await client.ask({ type: 'offer', from: 'agent://b', to: 'agent://a', sdp: 'sdp-s3cret', auth: { token: 's3cret' } });
  await client.ask({ type: 's3cret' });
  const headers = { authorization: 'Bearer admin-s3cret' };
  expect((await fetch(`${httpOf(server.url)}/metrics?token=query-s3cret`, { headers })).status).toBe(401);
  const session = await Session.start(httpOf(server.url), { authorization: 'Bearer session-s3cret' });
  await session.ask({ type: 'register', agentId: 'agent://c' });
  await client.close();
  await server.close();
  const text = lines.join('\n');
  for (const part of [
    'a registration was denied',
    'an agent is registered',
    'token-refused',
    'a client has connected',
  ]) {
    expect(text).toContain(part);
  }
  const { credential } = (registered['iceServers'] as { credential: string }[])[0]!;
  for (const secret of ['s3cret', registered['resume'] as string, credential, session.secret]) {
    expect(text).not.toContain(secret);
  }
});

test('no proof, key or nonce is in the log', async () => {
  const [keys, mallory] = await Promise.all([generateAgentKeys(), generateAgentKeys()]);
  const { server, lines } = await logging({ mode: 'keys', pinned: { 'agent://a': keys.publicKey } });
  const client = await RawClient.connect(server.url);
  const audience = audienceOf(server.url);
  const sent: string[] = [];
  for (const signer of [mallory, keys]) {
    const nonce = await client.challenged('agent://a');
    const frame = prove({ agentId: 'agent://a', nonce, audience }, signer);
    sent.push(nonce, ...(frame['proof'] as string).split('.'), signer.publicKey.split('\n')[1]!);
    await client.ask(frame);
  }
  await client.close();
  await server.close();
  const text = lines.join('\n');
  expect(text).toContain('signature-invalid');
  expect(text).toContain('an agent is registered');
  for (const secret of sent) expect(text).not.toContain(secret);
});

test('names that agents choose stay within their field of the log', async () => {
  const { server, lines } = await logging({ mode: 'open' });
  const client = await RawClient.connect(server.url);
  for (const agentId of [
    'agent://a\n{"message":"forged"}',
    'agent://a\u001b[2J',
    'agent://a\u2028forged',
    'agent://a%0aforged',
  ]) {
    await client.ask({ type: 'register', agentId });
  }
  await client.ask({ type: 'join', agentId: 'agent://b', room: 'lobby\nforged' });
  await client.close();
  await server.close();
  // Only what is percent-encoded is a name; it stays encoded.
  expect(lines.filter((line) => line.includes('forged'))).toEqual(
    lines.filter((line) => line.includes('"agent://a%0aforged"')),
  );
  expect(lines.join('')).toContain('agent://a%0aforged');
});
