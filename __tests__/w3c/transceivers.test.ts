import {
  MediaStream,
  nonstandard,
  type MediaStreamTrack,
  type RTCPeerConnection,
  type RTCTrackEvent,
} from 'ossa-webrtc';

import type * as Native from '../../ts/native';
import { errorOf, negotiate, newPeer, once } from './helper';

const audioTrack = () => new nonstandard.RTCAudioSource().createTrack();

/** The next `track` of a connection while something is done. */
async function trackDuring(peer: RTCPeerConnection, action: Promise<unknown>): Promise<RTCTrackEvent> {
  const [event] = await Promise.all([once<RTCTrackEvent>(peer, 'track'), action]);
  return event;
}

/** What happens to a connection and a track's stream, in order. */
function journal(peer: RTCPeerConnection): string[] {
  const entries: string[] = [];
  const note = (event: Event) => entries.push(event.type);
  for (const type of ['signalingstatechange', 'track', 'negotiationneeded']) peer.addEventListener(type, note);
  return entries;
}

const afterTasks = async () => {
  for (let i = 0; i < 5; i++) await new Promise((resolve) => setImmediate(resolve));
};

describe('addTrack', () => {
  test('the peer gets the track in a stream of the same id, muted, before its promise resolves', async () => {
    const [a, b] = [newPeer(), newPeer()];
    const stream = new MediaStream();
    const sender = a.addTrack(audioTrack(), stream);
    const seen: unknown[] = [];
    b.ontrack = ({ track, streams, receiver, transceiver }: RTCTrackEvent) => {
      seen.push(
        streams.map(({ id }) => id),
        streams[0]?.getTracks()[0] === track,
        track.muted,
        track.readyState,
      );
      seen.push(receiver === transceiver.receiver, Object.isFrozen(streams), transceiver.direction);
    };
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    expect(seen).toEqual([[stream.id], true, true, 'live', true, true, 'recvonly']);
    expect(sender.track?.kind).toBe('audio');
  });

  test('takes a transceiver that has never sent, of its kind, and no other', async () => {
    const [a, b] = [newPeer(), newPeer()];
    const video = a.addTransceiver('video', { direction: 'recvonly' });
    const audio = a.addTransceiver('audio', { direction: 'recvonly' });
    const first = a.addTrack(audioTrack());
    expect(first).toBe(audio.sender);
    expect([audio.direction, video.direction]).toEqual(['sendrecv', 'recvonly']);
    await negotiate(a, b);
    a.removeTrack(first);
    expect([first.track, audio.direction]).toEqual([null, 'recvonly']);
    await negotiate(a, b);
    // It has sent once: what the peer has in its hands is not turned into something else.
    const second = a.addTrack(audioTrack());
    expect(second).not.toBe(first);
    expect(a.getTransceivers()).toHaveLength(3);
  });

  test('refuses a track that is sent already, senders of others, and a closed connection', () => {
    const [a, b] = [newPeer(), newPeer()];
    const track = audioTrack();
    const sender = a.addTrack(track);
    expect(errorOf(() => a.addTrack(track))).toMatchObject({ name: 'InvalidAccessError' });
    expect(errorOf(() => b.removeTrack(sender))).toMatchObject({ name: 'InvalidAccessError' });
    expect(errorOf(() => a.addTrack({} as MediaStreamTrack))).toBeInstanceOf(TypeError);
    a.close();
    for (const action of [
      () => a.addTrack(audioTrack()),
      () => a.removeTrack(sender),
      () => a.addTransceiver('audio'),
    ]) {
      expect(errorOf(action)).toMatchObject({ name: 'InvalidStateError' });
    }
  });

  test('asks for one negotiation, however many tracks are added in a turn', async () => {
    const a = newPeer();
    const entries = journal(a);
    a.addTrack(audioTrack());
    a.addTrack(audioTrack());
    a.addTransceiver('video');
    await afterTasks();
    expect(entries).toEqual(['negotiationneeded']);
  });

  test('the same track in two senders is told apart by the peer', async () => {
    const [a, b] = [newPeer(), newPeer()];
    const track = audioTrack();
    a.addTransceiver(track);
    a.addTransceiver(track);
    await negotiate(a, b);
    const names = [...a.localDescription!.sdp.matchAll(/^a=msid:- (\S+)/gm)].map(([, name]) => name);
    expect(new Set(names).size).toBe(2);
    expect(b.getReceivers()).toHaveLength(2);
  });
});

test('what a description changes is announced in the order of the standard', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const stream = new MediaStream();
  const leaving = a.addTrack(audioTrack(), stream);
  const { track, streams } = await trackDuring(b, negotiate(a, b));
  const entries = journal(b);
  const note = ({ type }: Event) => entries.push(type);
  for (const type of ['addtrack', 'removetrack']) streams[0]!.addEventListener(type, note);
  track.addEventListener('mute', note);
  a.removeTrack(leaving);
  a.addTransceiver('video', { streams: [stream], direction: 'sendonly' });
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!).then(() => entries.push('resolved'));
  // The track was muted before: `mute` would be no news.
  expect(entries).toEqual(['signalingstatechange', 'removetrack', 'addtrack', 'track', 'resolved']);
  expect(streams[0]!.getTracks().map(({ kind }) => kind)).toEqual(['video']);
});

test('a track that moves to another stream is taken from the one and put into the other', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const [before, after] = [new MediaStream(), new MediaStream()];
  const sender = a.addTrack(audioTrack(), before);
  const { track, streams } = await trackDuring(b, negotiate(a, b));
  const entries = journal(b);
  streams[0]!.onremovetrack = () => entries.push('removetrack');
  sender.setStreams(after);
  await negotiate(a, b);
  expect(entries).toEqual(['signalingstatechange', 'removetrack', 'track', 'signalingstatechange']);
  expect(streams[0]!.getTracks()).toEqual([]);
  expect(track.readyState).toBe('live');
});

describe('rollback', () => {
  test('of an offer of the peer takes back its transceivers, and ends their tracks', async () => {
    const [a, b] = [newPeer(), newPeer()];
    a.addTrack(audioTrack(), new MediaStream());
    await a.setLocalDescription();
    const { track, streams, transceiver } = await trackDuring(b, b.setRemoteDescription(a.localDescription!));
    const ended = once(track, 'ended');
    await b.setRemoteDescription({ type: 'rollback' });
    expect(b.getTransceivers()).toEqual([]);
    expect([transceiver.mid, transceiver.direction, transceiver.currentDirection]).toEqual([
      null,
      'stopped',
      'stopped',
    ]);
    expect(streams[0]!.getTracks()).toEqual([]);
    await ended;
    expect(track.readyState).toBe('ended');
  });

  test('keeps a transceiver that a track was added to in the meantime', async () => {
    const [a, b] = [newPeer(), newPeer()];
    a.addTransceiver('audio');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    const sender = b.addTrack(audioTrack());
    await b.setRemoteDescription({ type: 'rollback' });
    expect(b.getSenders()).toEqual([sender]);
    expect(b.getTransceivers()[0]).toMatchObject({ mid: null, direction: 'sendrecv', currentDirection: null });
  });

  test('of our own offer takes only the mids', async () => {
    const a = newPeer();
    const transceiver = a.addTransceiver('audio');
    await a.setLocalDescription();
    expect(transceiver.mid).not.toBeNull();
    expect(transceiver.sender.transport).not.toBeNull();
    await a.setLocalDescription({ type: 'rollback' });
    expect([transceiver.mid, transceiver.sender.transport]).toEqual([null, null]);
    expect(transceiver.receiver.track.readyState).toBe('live');
  });
});

test('replaceTrack changes what is sent without a negotiation', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const sender = a.addTrack(audioTrack());
  await negotiate(a, b);
  const entries = journal(a);
  const offer = await a.createOffer();
  const other = audioTrack();
  await sender.replaceTrack(other);
  expect(sender.track).toBe(other);
  await sender.replaceTrack(null);
  expect(sender.track).toBeNull();
  expect(a.getTransceivers()[0]!.direction).toBe('sendrecv');
  await afterTasks();
  expect(entries).toEqual([]);
  const media = ({ sdp = '' }) => sdp.split('\r\n').filter((line) => /^a=(?:rtpmap|msid|ssrc|sendrecv)/.test(line));
  expect(media(await a.createOffer())).toEqual(media(offer));
  const video = a.addTransceiver('video').receiver.track;
  await expect(sender.replaceTrack(video)).rejects.toBeInstanceOf(TypeError);
});

test('stop() ends both ends with the next negotiation, and its section is used again', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const gone = a.addTransceiver('audio');
  a.createDataChannel('x');
  await negotiate(a, b);
  const [there] = b.getTransceivers();
  const ended = Promise.all([once(gone.receiver.track, 'ended'), once(there!.receiver.track, 'ended')]);
  gone.stop();
  expect([gone.direction, gone.currentDirection, a.getTransceivers().length]).toEqual(['stopped', 'sendonly', 1]);
  await negotiate(a, b);
  await ended;
  for (const one of [gone, there!]) {
    expect([one.mid, one.direction, one.currentDirection]).toEqual([null, 'stopped', 'stopped']);
    expect(errorOf(() => (one.direction = 'sendrecv'))).toMatchObject({ name: 'InvalidStateError' });
    await expect(one.sender.replaceTrack(null)).rejects.toMatchObject({ name: 'InvalidStateError' });
  }
  expect([a.getSenders(), b.getReceivers()]).toEqual([[], []]);
  a.addTransceiver('video');
  await negotiate(a, b);
  expect(a.localDescription!.sdp.match(/^m=/gm)).toHaveLength(2);
});

test('stop() of the answerer puts the section on hold, and its own offer ends it', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const theirs = a.addTransceiver(audioTrack());
  await a.setLocalDescription();
  await b.setRemoteDescription(a.localDescription!);
  const [ours] = b.getTransceivers();
  ours!.stop();
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  expect([theirs.direction, theirs.currentDirection]).toEqual(['sendrecv', 'inactive']);
  expect([ours!.direction, ours!.currentDirection]).toEqual(['stopped', 'inactive']);
  await negotiate(b, a);
  expect([theirs.currentDirection, ours!.currentDirection]).toEqual(['stopped', 'stopped']);
  expect([a.getTransceivers(), b.getTransceivers()]).toEqual([[], []]);
});

test('a stream of the peer that has lost its tracks is the same one when others come', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const stream = new MediaStream();
  a.addTrack(audioTrack(), stream);
  const first = await trackDuring(b, negotiate(a, b));
  a.removeTrack(a.getSenders()[0]!);
  await negotiate(a, b);
  expect(first.streams[0]!.getTracks()).toEqual([]);
  a.addTrack(audioTrack(), stream);
  const second = await trackDuring(b, negotiate(a, b));
  expect(second.streams[0]).toBe(first.streams[0]);
  expect(first.streams[0]!.getTracks()).toEqual([second.track]);
});

test('what is sent has statistics from the negotiation on, before anything is connected', async () => {
  const [a, b] = [newPeer(), newPeer()];
  a.addTransceiver('video', { direction: 'sendonly' });
  a.addTransceiver('audio', { direction: 'sendonly' });
  a.addTransceiver('audio', { direction: 'recvonly' });
  const sent = async () => [...(await a.getStats()).values()].filter(({ type }) => type === 'outbound-rtp');
  await a.setLocalDescription();
  expect(await sent()).toEqual([]);
  await b.setRemoteDescription(a.localDescription!);
  await b.setLocalDescription();
  await a.setRemoteDescription(b.localDescription!);
  expect(await sent()).toMatchObject([
    { kind: 'video', mid: '0', active: true, packetsSent: 0, bytesSent: 0, encodingIndex: 0 },
    { kind: 'audio', mid: '1', active: true, packetsSent: 0, bytesSent: 0 },
  ]);
});

test('close() ends what is received, and changes nothing afterwards', async () => {
  const [a, b] = [newPeer(), newPeer()];
  a.addTrack(audioTrack());
  const { track, transceiver } = await trackDuring(b, negotiate(a, b));
  const ended = once(track, 'ended');
  b.close();
  expect([b.getSenders(), b.getReceivers()]).toEqual([[], []]);
  expect(transceiver.currentDirection).toBe('stopped');
  await ended;
  expect(transceiver.sender.getParameters().encodings).toEqual([{ active: true }]);
  await expect(transceiver.sender.setParameters(transceiver.sender.getParameters())).rejects.toMatchObject({
    name: 'InvalidStateError',
  });
});

describe('parameters', () => {
  test("can't be set any more when a description has come since", async () => {
    const [a, b] = [newPeer(), newPeer()];
    const { sender } = a.addTransceiver('audio');
    await a.setLocalDescription();
    await b.setRemoteDescription(a.localDescription!);
    await b.setLocalDescription();
    const answered = a.setRemoteDescription(b.localDescription!);
    const parameters = sender.getParameters();
    await answered;
    await expect(sender.setParameters(parameters)).rejects.toMatchObject({ name: 'InvalidStateError' });
  });

  test('are what was negotiated, and can be set once per getParameters()', async () => {
    const [a, b] = [newPeer(), newPeer()];
    const sender = a.addTrack(audioTrack());
    await negotiate(a, b);
    const parameters = sender.getParameters();
    expect(parameters.codecs[0]).toMatchObject({ mimeType: 'audio/opus', clockRate: 48_000, channels: 2 });
    expect(parameters.rtcp.cname).toMatch(/./);
    parameters.encodings[0]!.maxBitrate = 32_000;
    await sender.setParameters(parameters);
    expect(sender.getParameters().encodings).toEqual([{ active: true, maxBitrate: 32_000 }]);
    await afterTasks();
    await expect(sender.setParameters(parameters)).rejects.toMatchObject({ name: 'InvalidStateError' });
    const [receiver] = b.getReceivers();
    expect(receiver!.getParameters().codecs[0]).toMatchObject({ mimeType: 'audio/opus' });
  });

  test('of simulcast are reduced to the first encoding where the peer takes one', async () => {
    const [a, b] = [newPeer(), newPeer()];
    const sendEncodings = [
      { rid: 'low', scaleResolutionDownBy: 4 },
      { rid: 'high', maxBitrate: 2_000_000 },
    ];
    const { sender } = a.addTransceiver('video', { sendEncodings });
    const rids = () => sender.getParameters().encodings.map(({ rid }) => rid);
    expect(sender.getParameters().encodings).toEqual([
      { rid: 'low', active: true, scaleResolutionDownBy: 4 },
      { rid: 'high', active: true, scaleResolutionDownBy: 1, maxBitrate: 2_000_000 },
    ]);
    await a.setLocalDescription();
    expect(a.localDescription!.sdp).toContain('a=simulcast:send low;high');
    await b.setRemoteDescription(a.localDescription!);
    await b.setLocalDescription();
    const { type, sdp } = b.localDescription!;
    expect(rids()).toEqual(['low', 'high']);
    await a.setRemoteDescription({ type, sdp: sdp.replace(/^a=(?:simulcast|rid):.*\r\n/gm, '') });
    await afterTasks();
    expect(sender.getParameters().encodings).toEqual([{ rid: 'low', active: true, scaleResolutionDownBy: 4 }]);
    const parameters = sender.getParameters();
    parameters.encodings[0]!.active = false;
    await sender.setParameters(parameters);
    expect(sender.getParameters().encodings[0]!.active).toBe(false);
  });

  test.each([
    ['a rid with other characters', [{ rid: 'a b' }], 'TypeError'],
    ['rids for some only', [{ rid: 'a' }, {}], 'TypeError'],
    ['a rid twice', [{ rid: 'a' }, { rid: 'a' }], 'TypeError'],
    ['a picture that grows', [{ scaleResolutionDownBy: 0.5 }], 'RangeError'],
    ['less than no pictures', [{ maxFramerate: -1 }], 'RangeError'],
    ['a codec that there is not', [{ codec: { mimeType: 'video/none', clockRate: 1 } }], 'OperationError'],
  ])('addTransceiver refuses %s, and adds nothing', (_, sendEncodings, name) => {
    const a = newPeer();
    expect(errorOf(() => a.addTransceiver('video', { sendEncodings }))).toMatchObject({ name });
    expect(a.getTransceivers()).toEqual([]);
  });
});

test('the preferred codec comes first, and what is not preferred is not offered', async () => {
  const a = newPeer();
  const transceiver = a.addTransceiver('audio');
  const { codecs } = (await import('ossa-webrtc')).RTCRtpReceiver.getCapabilities('audio')!;
  transceiver.setCodecPreferences(codecs.filter(({ mimeType }) => /pcm[ua]/i.test(mimeType)).reverse());
  const { sdp = '' } = await a.createOffer();
  expect([...sdp.matchAll(/^a=rtpmap:\d+ (\S+)/gm)].map(([, name]) => name)).toEqual(['PCMA/8000', 'PCMU/8000']);
  const unknown = [{ mimeType: 'audio/none', clockRate: 8000 }];
  expect(errorOf(() => transceiver.setCodecPreferences(unknown))).toMatchObject({ name: 'InvalidModificationError' });
});

test('offerToReceiveAudio and offerToReceiveVideo make and change transceivers, and ask for no negotiation', async () => {
  const a = newPeer();
  const entries = journal(a);
  await a.createOffer({ offerToReceiveAudio: true, offerToReceiveVideo: true });
  await a.createOffer({ offerToReceiveAudio: true });
  expect(a.getTransceivers().map(({ direction }) => direction)).toEqual(['recvonly', 'recvonly']);
  await a.createOffer({ offerToReceiveVideo: false });
  expect(a.getTransceivers().map(({ direction }) => direction)).toEqual(['recvonly', 'inactive']);
  await afterTasks();
  expect(entries).toEqual([]);
});

test('statistics can be asked for of one track, which has to be sent or received once', async () => {
  const a = newPeer();
  const track = audioTrack();
  await expect(a.getStats(track)).rejects.toMatchObject({ name: 'InvalidAccessError' });
  const sender = a.addTrack(track);
  expect([...(await a.getStats(track)).keys()]).toEqual([...(await sender.getStats()).keys()]);
  a.addTransceiver(track);
  await expect(a.getStats(track)).rejects.toMatchObject({ name: 'InvalidAccessError' });
});

test('audio without data has a transport, and no association', async () => {
  const [a, b] = [newPeer(), newPeer()];
  const { sender, receiver } = a.addTransceiver('audio');
  await negotiate(a, b);
  expect(a.sctp).toBeNull();
  expect(sender.transport).toBe(receiver.transport);
  expect(sender.transport?.iceTransport.getLocalParameters()?.usernameFragment).toMatch(/./);
  a.createDataChannel('x');
  await negotiate(a, b);
  expect(a.sctp?.transport).toBe(sender.transport);
});

test('a connection with data alone says what one without audio and video says', async () => {
  // eslint-disable-next-line @typescript-eslint/no-require-imports -- the copy of the module that the connections are of
  const { NativePeer } = require('../../dist/native/index.js') as typeof Native;
  const listener = { onEvent: () => {}, onMessage: () => {}, onReleased: () => {} };
  const [without, answering] = [new NativePeer({}, listener), new NativePeer({}, listener)];
  without.createDataChannel({ label: 'x' });
  const [a, b] = [newPeer(), newPeer()];
  a.createDataChannel('x');
  const secrets = /^(o=- |a=(?:ice-ufrag|ice-pwd|fingerprint|sctp-init):).*/gm;
  const bare = (sdp: string | undefined) => sdp?.replace(secrets, '$1');
  const offer = without.createOffer(false);
  await b.setRemoteDescription({ type: 'offer', sdp: offer });
  answering.setRemoteDescription('offer', offer);
  expect(bare((await a.createOffer()).sdp)).toBe(bare(offer));
  expect(bare((await b.createAnswer()).sdp)).toBe(bare(answering.createAnswer()));
  without.close();
  answering.close();
});
