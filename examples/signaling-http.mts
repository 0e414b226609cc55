// Signaling of your own over HTTP: a service of a few lines, and the adapter for it. `npx tsx examples/signaling-http.mts`
// Messages go by POST and come as server-sent events. Put the service behind whatever knows your users: it believes everybody.
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { AgentError, createPeer, type SignalingAdapter, type SignalingMessage } from 'ossa-webrtc';

// ---- The service ----

const listening = new Map<string, ServerResponse>();

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method === 'GET') {
    const agent = new URL(request.url!, 'http://service').searchParams.get('agent')!;
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' }).write(':\n\n');
    listening.set(agent, response);
    response.on('close', () => listening.get(agent) === response && listening.delete(agent));
    return;
  }
  let body = '';
  for await (const piece of request.setEncoding('utf8')) {
    body += String(piece);
    if (body.length > 65_536) throw new RangeError('too long');
  }
  const message = JSON.parse(body) as SignalingMessage;
  const recipient = listening.get(message.to);
  recipient?.write(`data: ${JSON.stringify(message)}\n\n`);
  response.writeHead(recipient ? 202 : 404).end();
}

const service = createServer((request, response) => {
  serve(request, response).catch(() => response.writeHead(400).end());
});
await new Promise<void>((resolve) => service.listen(0, '127.0.0.1', resolve));
const url = `http://127.0.0.1:${(service.address() as AddressInfo).port}/messages`;

// ---- The adapter ----

/** One adapter per agent: what it sends must arrive in order, so that one request waits for the other. */
function overHttp(): SignalingAdapter {
  let last: Promise<unknown> = Promise.resolve();
  const post = async (message: SignalingMessage) => {
    const { status } = await fetch(url, { method: 'POST', body: JSON.stringify(message) });
    if (status !== 202) throw new AgentError('AGENT_UNREACHABLE', `${message.to} is not there`, { retryable: true });
  };
  const listen = async (response: Response, deliver: (message: SignalingMessage) => void) => {
    let text = '';
    for await (const piece of response.body!.pipeThrough(new TextDecoderStream())) {
      const events = (text + piece).split('\n\n');
      text = events.pop()!;
      for (const event of events) {
        if (event.startsWith('data: ')) deliver(JSON.parse(event.slice(6)) as SignalingMessage);
      }
    }
  };
  return {
    send(message) {
      const sent = last.then(() => post(message));
      last = sent.catch(() => undefined);
      return sent;
    },
    async subscribe(agentId, deliver, failed) {
      const ended = new AbortController();
      const response = await fetch(`${url}?agent=${encodeURIComponent(agentId)}`, { signal: ended.signal });
      const gone = () => {
        if (!ended.signal.aborted)
          failed(new AgentError('AGENT_UNREACHABLE', 'the service is gone', { retryable: true }));
      };
      listen(response, deliver).then(gone, gone);
      return () => ended.abort();
    },
  };
}

{
  await using library = createPeer({ agentId: 'agent://example.com/library', signaling: overHttp() });
  library.handle('find', ({ title }: { title: string }) => ({ title, shelf: 7 }));
  await library.ready;
  await using reader = createPeer({ agentId: 'agent://example.com/reader', signaling: overHttp() });
  const link = await reader.connect('agent://example.com/library');
  console.log('found:', await link.call('find', { title: 'Momo' }));
}
service.close();
service.closeAllConnections();
