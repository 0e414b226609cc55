// Drives one WebRTC stack through the W3C API by simple request/response calls, so that a test or a benchmark in another process can
// hold both ends of a connection. It runs in Node children and, as text, in browsers: it uses nothing from outside the function.

/**
 * @param api the stack: its `RTCPeerConnection`; `noEndOfCandidates` when it refuses that indication; `unlimited`, its value for W3C's null.
 * @returns the calls of the protocol, each `async (params) => result`. The Rust stacks, by `rust-driver`, answer the same ones.
 */
function createW3cDriver(api) {
  const HIGH_WATER = 1024 * 1024;
  const peers = new Map();

  /** A queue whose reader may come before its writer. */
  function mailbox() {
    const items = [];
    const readers = [];
    return {
      put(item) {
        if (readers.length > 0) readers.shift()(item);
        else items.push(item);
      },
      take: () => (items.length > 0 ? Promise.resolve(items.shift()) : new Promise((done) => readers.push(done))),
    };
  }

  /** A promise with its resolve function. */
  function signal() {
    let fire;
    const fired = new Promise((resolve) => (fire = resolve));
    return { fired, fire };
  }

  /** FNV-1a over bytes: cheap, and the same few lines in every language. */
  function digest(bytes) {
    let hash = 0x811c9dc5;
    for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
    return (hash >>> 0).toString(16);
  }

  /** Reproducible bytes from a seed. */
  function pattern(size, seed) {
    const bytes = new Uint8Array(size);
    let state = seed >>> 0;
    for (let i = 0; i < size; i++) {
      state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
      bytes[i] = state >>> 24;
    }
    return bytes;
  }

  /** The message that a test describes as `{kind, text}` or `{kind, size, seed}`. */
  function compose({ kind, text, size = 0, seed = 1 }) {
    if (text !== undefined) return text;
    const bytes = pattern(size, seed);
    if (kind === 'binary') return bytes;
    let ascii = '';
    for (let i = 0; i < size; i += 4096) {
      ascii += String.fromCharCode(...bytes.subarray(i, i + 4096).map((byte) => 32 + (byte % 95)));
    }
    return ascii;
  }

  /** What both ends report of a message, to be compared by the test. */
  function summary(data) {
    const text = typeof data === 'string';
    const bytes = text
      ? new TextEncoder().encode(data)
      : ArrayBuffer.isView(data)
        ? new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
        : new Uint8Array(data);
    return { kind: text ? 'string' : 'binary', bytes: bytes.length, digest: digest(bytes) };
  }

  function peerOf({ pc }) {
    const peer = peers.get(pc);
    if (!peer) throw new Error(`no peer connection ${pc}`);
    return peer;
  }

  function entryOf({ channels }, label) {
    let entry = channels.get(label);
    if (!entry) {
      entry = { known: signal(), open: signal(), closed: signal(), inbox: mailbox(), channel: null, incoming: false };
      channels.set(label, entry);
    }
    return entry;
  }

  const channelOf = (params) => entryOf(peerOf(params), params.label);

  function attach(peer, label, channel, incoming) {
    const entry = entryOf(peer, label);
    entry.channel = channel;
    entry.incoming = incoming;
    channel.binaryType = 'arraybuffer';
    channel.onmessage = ({ data }) => entry.inbox.put(summary(data));
    channel.onopen = () => entry.open.fire();
    channel.onclose = () => entry.closed.fire();
    if (channel.readyState === 'open') entry.open.fire();
    entry.known.fire();
  }

  /** A limit of a channel; null is W3C's "none". */
  function limit(value) {
    return value !== undefined && value === api.unlimited ? null : value;
  }

  // What was set is remembered instead of read from `localDescription`: wrtc serializes that one on JavaScript's thread while libwebrtc's
  // thread adds gathered candidates to it, and now and then dies of it (SIGSEGV in GetLocalDescription; node-webrtc issue 696).
  async function describe(peer, { type, sdp }) {
    peer.ufrag = /^a=ice-ufrag:(\S+)/m.exec(sdp)?.[1];
    await peer.connection.setLocalDescription({ type, sdp });
    return { type, sdp };
  }

  return {
    async open({ pc, config }) {
      const connection = new api.RTCPeerConnection({ iceServers: [], ...config });
      const peer = { connection, channels: new Map(), candidates: mailbox(), ufrag: undefined, gathering: undefined };
      peers.set(pc, peer);
      connection.onicecandidate = ({ candidate }) => {
        const init = candidate && {
          candidate: candidate.candidate,
          sdpMid: candidate.sdpMid,
          sdpMLineIndex: candidate.sdpMLineIndex,
          usernameFragment: candidate.usernameFragment,
        };
        // The end of gathering does not say of which generation; it is that of the candidates before it.
        if (candidate) peer.gathering = candidate.usernameFragment;
        peer.candidates.put({ candidate: init ?? null, ufrag: peer.gathering ?? peer.ufrag });
      };
      // By the peer itself, not by its name: some stacks announce a channel after the connection was closed.
      connection.ondatachannel = ({ channel }) => attach(peer, channel.label, channel, true);
      return {};
    },

    async createChannel({ pc, label, init }) {
      const peer = peerOf({ pc });
      attach(peer, label, peer.connection.createDataChannel(label, init ?? {}), false);
      return {};
    },

    async createOffer(params) {
      const peer = peerOf(params);
      return describe(peer, await peer.connection.createOffer(params.iceRestart ? { iceRestart: true } : {}));
    },

    async acceptOffer(params) {
      const peer = peerOf(params);
      await peer.connection.setRemoteDescription({ type: 'offer', sdp: params.sdp });
      return describe(peer, await peer.connection.createAnswer());
    },

    async acceptAnswer(params) {
      await peerOf(params).connection.setRemoteDescription({ type: 'answer', sdp: params.sdp });
      return {};
    },

    async addCandidate(params) {
      // A stack that refuses the end-of-candidates indication loses nothing: the other side has sent them all.
      if (params.candidate === null && api.noEndOfCandidates) return {};
      await peerOf(params).connection.addIceCandidate(params.candidate ?? undefined);
      return {};
    },

    nextCandidate: (params) => peerOf(params).candidates.take(),

    async waitOpen(params) {
      const entry = channelOf(params);
      await entry.known.fired;
      await entry.open.fired;
      const { channel } = entry;
      return {
        incoming: entry.incoming,
        label: channel.label,
        protocol: channel.protocol,
        ordered: channel.ordered,
        maxRetransmits: limit(channel.maxRetransmits),
        maxPacketLifeTime: limit(channel.maxPacketLifeTime),
        negotiated: channel.negotiated,
        id: channel.id,
      };
    },

    async send(params) {
      const { channel } = channelOf(params);
      // Chromium 156 announces a channel and fires `open` while its own network thread has yet to open it. If that thread is late, the
      // page sees `connecting` again, and then a second `open`. It does so between two connections of one page as well.
      if (channel.readyState === 'connecting') {
        await new Promise((opened) => channel.addEventListener('open', opened, { once: true }));
      }
      const sent = [];
      for (const message of params.messages) {
        const data = compose(message);
        while (channel.bufferedAmount > HIGH_WATER) await new Promise((done) => setTimeout(done, 5));
        channel.send(data);
        sent.push(summary(data));
      }
      return sent;
    },

    async receive(params) {
      const entry = channelOf(params);
      const received = [];
      while (received.length < params.count) received.push(await entry.inbox.take());
      return received;
    },

    async closeChannel(params) {
      channelOf(params).channel.close();
      return {};
    },

    async waitClosed(params) {
      await channelOf(params).closed.fired;
      return {};
    },

    /** Until the channel is closed, or the connection is known to be interrupted. */
    async waitLost(params) {
      const { connection } = peerOf(params);
      const interrupted = signal();
      const look = () => {
        if (['disconnected', 'failed', 'closed'].includes(connection.iceConnectionState)) interrupted.fire();
      };
      connection.oniceconnectionstatechange = look;
      look();
      await Promise.race([channelOf(params).closed.fired, interrupted.fired]);
      return {};
    },

    /** Protocol of the pair in use, and who opened the connection if it is TCP. */
    async selectedPair(params) {
      const report = await peerOf(params).connection.getStats();
      const stats = [...report.values()];
      const transport = stats.find((entry) => entry.type === 'transport');
      const pair = report.get(transport?.selectedCandidatePairId) ?? stats.find((entry) => entry.selected);
      const side = ({ protocol, tcpType }) => ({ protocol, tcpType });
      return pair
        ? { local: side(report.get(pair.localCandidateId)), remote: side(report.get(pair.remoteCandidateId)) }
        : null;
    },

    async closePeer(params) {
      const peer = peerOf(params);
      peers.delete(params.pc);
      peer.candidates.put({ closed: true });
      await peer.connection.close();
      return {};
    },

    /** For measurements: the channel object itself. */
    channel: (params) => channelOf(params).channel,
    /** For `media-driver.cjs`: the connection itself. */
    connection: (params) => peerOf(params).connection,
  };
}

module.exports = { createW3cDriver };
