// An agent made of the code that the OSSA specification prints, for browsers and, with an `RTCPeerConnection` for Node,
// for Node. It knows nothing of ossa-webrtc. What the specification leaves open is marked "ours".

const uuid = () => globalThis.crypto.randomUUID();

/** Ours: the `signaling` of the specification over a WebSocket. */
export function webSocketSignaling(WebSocket, url, agentId) {
  const socket = new WebSocket(`${url}/?agentId=${encodeURIComponent(agentId)}`);
  const listeners = new Map();
  socket.onmessage = ({ data }) => {
    const message = JSON.parse(data);
    for (const name of ['message', message.type]) for (const listener of listeners.get(name) ?? []) listener(message);
  };
  return {
    ready: new Promise((resolve, reject) => {
      socket.onopen = () => resolve();
      socket.onerror = () => reject(new Error(`no signaling at ${url}`));
    }),
    send: (message) => socket.send(JSON.stringify(message)),
    on: (name, listener) => listeners.set(name, [...(listeners.get(name) ?? []), listener]),
    close: () => socket.close(),
  };
}

// "Authentication", with the two functions that the specification calls and does not print.
const base64 = (bytes) => globalThis.btoa(String.fromCharCode(...new Uint8Array(bytes)));
const bytesOf = (text) => Uint8Array.from(globalThis.atob(text), (character) => character.charCodeAt(0));
const encode = (bytes) => base64(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
const decode = (text) => bytesOf(text.replaceAll('-', '+').replaceAll('_', '/'));
const utf8 = (value) => new TextEncoder().encode(value);
const P256 = { name: 'ECDSA', namedCurve: 'P-256' };
const ES256 = { name: 'ECDSA', hash: 'SHA-256' };

/** Ours: a key pair, and `signJWT` with it. */
export async function newKeys() {
  const { subtle } = globalThis.crypto;
  const { privateKey, publicKey } = await subtle.generateKey(P256, true, ['sign', 'verify']);
  const spki = base64(await subtle.exportKey('spki', publicKey));
  const signJWT = async (claims) => {
    const text = [{ alg: 'ES256', typ: 'JWT' }, claims].map((part) => encode(utf8(JSON.stringify(part)))).join('.');
    return `${text}.${encode(await subtle.sign(ES256, privateKey, utf8(text)))}`;
  };
  const lines = spki.replace(/.{64}/g, '$&\n').trim();
  return { agentPublicKey: `-----BEGIN PUBLIC KEY-----\n${lines}\n-----END PUBLIC KEY-----\n`, signJWT };
}

/** Ours: checks the signature, as literally as the specification puts it. */
export async function verifyJWT(token, publicKey) {
  const { subtle } = globalThis.crypto;
  const spki = bytesOf(publicKey.replace(/-----.*?-----|\s/g, ''));
  const key = await subtle.importKey('spki', spki, P256, false, ['verify']);
  const [header, claims, signature] = token.split('.');
  return subtle.verify(ES256, key, decode(signature), utf8(`${header}.${claims}`));
}

/**
 * The agent. `process` gets each message, whole; what it returns for a `capability_call` is sent back. `keys` are those
 * of `newKeys()`: offers are signed then, and offers without a valid token refused.
 */
export function specAgent({ RTCPeerConnection, signaling, agentId, remoteAgentId, process, options = {} }) {
  const { keys, allowedPeers, iceServers = [], label = 'ossa-channel', heartbeat = 30000, reliable = false } = options;
  const peerConnection = new RTCPeerConnection({ iceServers });
  const chunks = new Map();
  const calls = new Map();
  let dataChannel;
  let opened;
  const open = new Promise((resolve) => (opened = resolve));

  // "ICE Candidate Exchange"
  peerConnection.onicecandidate = (event) => {
    if (event.candidate) {
      signaling.send({
        type: 'ice-candidate',
        from: agentId,
        to: remoteAgentId,
        candidate: event.candidate,
      });
    }
  };

  // "Data Channel Creation"
  peerConnection.ondatachannel = (event) => {
    if (event.channel.label === label) setupDataChannelHandlers(event.channel);
  };

  const setupDataChannelHandlers = (channel) => {
    dataChannel = channel;
    // "Buffer Management"
    dataChannel.bufferedAmountLowThreshold = 65536; // 64KB
    dataChannel.onbufferedamountlow = () => {
      // Resume sending after backpressure
      resumeSending();
    };
    // "Binary Data"
    dataChannel.binaryType = 'arraybuffer';
    dataChannel.onmessage = (event) => {
      if (event.data instanceof ArrayBuffer) {
        const view = new Uint8Array(event.data);
        process({ type: 'binary', payload: [...view] });
        return;
      }
      // "Receiving Messages"
      try {
        const message = JSON.parse(event.data);

        if (message.metadata?.chunked) {
          handleChunkedMessage(message);
        } else {
          processMessage(message);
        }
      } catch (error) {
        console.error('Failed to process message:', error);
      }
    };
    // "Keep-Alive"
    const heartbeatInterval = setInterval(() => {
      if (dataChannel.readyState === 'open') {
        dataChannel.send(
          JSON.stringify({
            type: 'heartbeat',
            timestamp: new Date().toISOString(),
          }),
        );
      }
    }, heartbeat);
    dataChannel.onclose = () => {
      clearInterval(heartbeatInterval);
      process({ type: 'closed' });
    };
    if (dataChannel.readyState === 'open') opened();
    else dataChannel.onopen = opened;
  };

  // "Sending Messages"
  const sendMessage = (channel, message) => {
    if (channel.readyState !== 'open') {
      throw new Error('Data channel not open');
    }

    const data = JSON.stringify(message);
    const maxSize = 16 * 1024; // 16KB chunks

    if (data.length > maxSize) {
      // Chunk large messages
      sendChunkedMessage(channel, message);
    } else {
      channel.send(data);
    }
  };

  // "Message Chunking"
  const sendChunkedMessage = (channel, message) => {
    const data = JSON.stringify(message);
    const chunkSize = 16 * 1024;
    const totalChunks = Math.ceil(data.length / chunkSize);
    const messageId = uuid();

    for (let i = 0; i < totalChunks; i++) {
      const chunk = data.slice(i * chunkSize, (i + 1) * chunkSize);
      const chunkMessage = {
        ...message,
        payload: chunk,
        metadata: {
          ...message.metadata,
          chunked: {
            chunkIndex: i,
            totalChunks,
            messageId,
          },
        },
      };

      channel.send(JSON.stringify(chunkMessage));
    }
  };

  const handleChunkedMessage = (chunk) => {
    const { messageId, chunkIndex, totalChunks } = chunk.metadata.chunked;

    if (!chunks.has(messageId)) {
      chunks.set(messageId, { parts: [], received: 0 });
    }

    const message = chunks.get(messageId);
    message.parts[chunkIndex] = chunk.payload;
    message.received++;

    if (message.received === totalChunks) {
      const fullData = message.parts.join('');
      const fullMessage = JSON.parse(fullData);
      processMessage(fullMessage);
      chunks.delete(messageId);
    }
  };

  // Ours: the envelope of "OSSA WebRTC Message", and what calls and responses mean.
  const envelope = (type, payload, correlationId) => ({
    type,
    id: uuid(),
    timestamp: new Date().toISOString(),
    payload,
    metadata: { agentId, correlationId, priority: 'normal' },
  });

  const processMessage = (message) => {
    const { type, payload, metadata } = message;
    if (type === 'capability_response' || (type === 'error' && calls.has(metadata.correlationId))) {
      calls.get(metadata.correlationId)?.(message);
      calls.delete(metadata.correlationId);
      return;
    }
    const result = process(message);
    if (type === 'capability_call') {
      sendMessage(dataChannel, envelope('capability_response', result ?? null, metadata.correlationId ?? message.id));
    } else if (type === 'message' && payload === 'close, please') {
      dataChannel.close();
    }
  };

  // "Buffer Management"
  const waiting = [];
  const sendWithBackpressure = (data) => {
    if (dataChannel.bufferedAmount > 1024 * 1024) {
      // Buffer full, pause sending
      return false;
    }

    dataChannel.send(data);
    return true;
  };
  const resumeSending = () => {
    while (waiting.length > 0 && sendWithBackpressure(waiting[0])) waiting.shift();
  };

  // "Authentication"
  const authenticated = async (description) => {
    const offer = { type: description.type, from: agentId, to: remoteAgentId, sdp: description.sdp };
    if (keys) {
      offer.auth = {
        token: await keys.signJWT({ agentId, timestamp: Date.now() }),
        publicKey: keys.agentPublicKey,
      };
    }
    return offer;
  };

  const verifyOffer = async (offer) => {
    const valid = await verifyJWT(offer.auth.token, offer.auth.publicKey);
    if (!valid) {
      throw new Error('Invalid authentication token');
    }
  };

  // "Permissions"
  signaling.on('offer', (offer) => {
    if (allowedPeers && !allowedPeers.has(offer.from)) {
      signaling.send({
        type: 'error',
        to: offer.from,
        error: { code: 'UNAUTHORIZED', message: 'Peer not allowed' },
      });
      return;
    }

    handleOffer(offer);
  });

  // "Signaling Phase", Agent B
  const handleOffer = async (offer) => {
    if (keys) await verifyOffer(offer);
    await peerConnection.setRemoteDescription({ type: 'offer', sdp: offer.sdp });
    const answer = await peerConnection.createAnswer();
    await peerConnection.setLocalDescription(answer);
    signaling.send(await authenticated(answer));
  };

  // "Signaling Server API"
  signaling.on('message', async (msg) => {
    switch (msg.type) {
      case 'answer':
        await peerConnection.setRemoteDescription({ type: 'answer', sdp: msg.sdp });
        break;
      case 'ice-candidate':
        // Ours: the end of the candidates has no candidate, and not every browser takes that.
        if (msg.candidate) await peerConnection.addIceCandidate(msg.candidate);
        break;
      case 'error':
        process(msg);
        break;
    }
  });

  return {
    peerConnection,
    open,
    /** "Signaling Phase", Agent A, after "Data Channel Creation". */
    async connect() {
      setupDataChannelHandlers(
        peerConnection.createDataChannel(label, {
          ordered: true, // Ordered delivery
          // Ours: `reliable`, for those who cannot bear that a message is given up after the third retry.
          ...(!reliable && { maxRetransmits: 3 }), // Retry failed messages
        }),
      );
      const offer = await peerConnection.createOffer();
      await peerConnection.setLocalDescription(offer);
      signaling.send(await authenticated(offer));
      await open;
    },
    send: (payload, type = 'message') => sendMessage(dataChannel, envelope(type, payload)),
    call(capability, input) {
      const correlationId = uuid();
      return new Promise((resolve) => {
        calls.set(correlationId, resolve);
        sendMessage(dataChannel, envelope('capability_call', { capability, input }, correlationId));
      });
    },
    /** Many messages, as fast as the buffer takes them. */
    sendAll(payloads) {
      waiting.push(...payloads.map((payload) => JSON.stringify(envelope('message', payload))));
      resumeSending();
    },
    /** "Real-time Collaboration", bare. */
    sendState(state) {
      dataChannel.send(
        JSON.stringify({
          type: 'state_update',
          payload: state,
        }),
      );
    },
    sendBinary(bytes) {
      // "Binary Data"
      const buffer = new ArrayBuffer(bytes.length);
      const view = new Uint8Array(buffer);
      view.set(bytes);
      dataChannel.binaryType = 'arraybuffer';
      dataChannel.send(buffer);
    },
    close() {
      dataChannel?.close();
      peerConnection.close();
    },
  };
}
