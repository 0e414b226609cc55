// What agents and signaling servers measure, judged by OpenTelemetry's SDK.
import { createPeer, createSignalingServer } from 'ossa-webrtc';
import { observeSignalingServer, openTelemetry } from 'ossa-webrtc/tracing';

import { agents, rejection, until } from '../agent/two-agents';
import { meter, type Points } from './observed';

const { pair } = agents();

const count = (points: Points | undefined) =>
  points?.map(({ attributes, value }) => [attributes, (value as { count: number }).count]);

test('calls are counted and timed by capability and outcome, links by how they end, and the bytes of all of them', async () => {
  const measured = meter();
  const { meterProvider } = measured;
  const tracing = openTelemetry({ meterProvider });
  const { ab, b, ba } = await pair({ a: { tracing }, b: { tracing } });
  b.handle('f', () => 1);
  await Promise.all([ab.call('f'), ab.call('f'), rejection(ab.call('g'))]);
  const first = await measured.collect();
  const call = { 'rpc.system.name': 'ossa-webrtc', 'rpc.method': 'f', 'rpc.response.status_code': 'OK' };
  const failed = { 'rpc.response.status_code': 'CAPABILITY_NOT_FOUND', 'error.type': 'CAPABILITY_NOT_FOUND' };
  expect(count(first.get('rpc.client.call.duration'))).toEqual([
    [call, 2],
    [{ ...call, 'rpc.method': 'g', ...failed }, 1],
  ]);
  expect(count(first.get('rpc.server.call.duration'))).toEqual([
    [call, 2],
    [{ ...call, 'rpc.method': '_OTHER', ...failed }, 1],
  ]);
  expect(first.get('ossa.links')).toMatchObject([{ attributes: {}, value: 2 }]);
  const io = (points: Map<string, Points>) => points.get('ossa.link.io')!.map(({ value }) => value as number);
  const [sent, received] = io(first);
  // Both ends are of this program.
  expect(sent).toBeGreaterThan(1000);
  expect(received).toBeGreaterThan(1000);
  expect(first.get('ossa.link.round_trip_time')).toHaveLength(1);

  await ab.close();
  await ba.closed;
  await until(() => ba.state === 'closed');
  const second = await measured.collect();
  expect(second.get('ossa.links')).toMatchObject([{ value: 0 }]);
  expect(second.get('ossa.links.closed')).toMatchObject([{ attributes: {}, value: 2 }]);
  expect(io(second)).toEqual([sent, received]);
  await measured.close();
});

test('a signaling server is measured until it is said to be enough', async () => {
  const measured = meter();
  const { meterProvider } = measured;
  const server = await createSignalingServer();
  const stop = observeSignalingServer(server, { meterProvider });
  const a = createPeer({ agentId: 'agent://a', signaling: server.url });
  await a.ready;
  const points = await measured.collect();
  const { agents, totalConnections } = server.stats();
  expect(points.get('ossa.signaling.agents')).toMatchObject([{ value: agents }]);
  expect(points.get('ossa.signaling.total_connections')).toMatchObject([{ value: totalConnections }]);
  expect(agents).toBe(1);
  stop();
  await Promise.all([a.close(), server.close()]);
  // What the SDK was told last.
  expect((await measured.collect()).get('ossa.signaling.agents')).toMatchObject([{ value: 1 }]);
  await measured.close();
});
