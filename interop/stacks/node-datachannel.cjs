// libdatachannel in Node, through its native API: its W3C classes always report a bufferedAmount of 0 and alter binary messages. This
// is the part of RTCPeerConnection that the driver uses, and nothing more.
const { PeerConnection } = require('node-datachannel');
const { readFileSync } = require('node:fs');
const { join } = require('node:path');

const manifest = join(require.resolve('node-datachannel'), '../../../../package.json');
const { name, version } = JSON.parse(readFileSync(manifest, 'utf8'));

class Channel {
  #native;
  #init;
  constructor(native, init) {
    this.#native = native;
    this.#init = init;
    this.readyState = native.isOpen() ? 'open' : 'connecting';
    native.onOpen(() => {
      this.readyState = 'open';
      this.onopen?.();
    });
    native.onClosed(() => {
      this.readyState = 'closed';
      this.onclose?.();
    });
    native.onMessage((data) => this.onmessage?.({ data }));
    native.onBufferedAmountLow(() => this.onbufferedamountlow?.());
  }
  get label() {
    return this.#native.getLabel();
  }
  get protocol() {
    return this.#native.getProtocol();
  }
  get id() {
    return this.#native.getId();
  }
  // The native API does not tell the options of a channel that the other side has made.
  get ordered() {
    return this.#init && !this.#init.unordered;
  }
  get maxRetransmits() {
    return this.#init && (this.#init.maxRetransmits ?? null);
  }
  get maxPacketLifeTime() {
    return this.#init && (this.#init.maxPacketLifeTime ?? null);
  }
  get negotiated() {
    return this.#init?.negotiated ?? false;
  }
  get bufferedAmount() {
    return this.#native.bufferedAmount();
  }
  set bufferedAmountLowThreshold(bytes) {
    this.#native.setBufferedAmountLowThreshold(bytes);
  }
  send(data) {
    if (typeof data === 'string') this.#native.sendMessage(data);
    else this.#native.sendMessageBinary(data);
  }
  close() {
    this.#native.close();
  }
}

let serial = 0;

class RTCPeerConnection {
  #native;
  #descriptions = [];
  constructor({ maxMessageSize } = {}) {
    this.#native = new PeerConnection(`peer ${serial++}`, {
      iceServers: [],
      disableAutoNegotiation: true,
      maxMessageSize,
    });
    this.#native.onLocalDescription((sdp, type) => this.#descriptions.shift()?.({ type, sdp }));
    this.#native.onLocalCandidate((candidate, sdpMid) => this.onicecandidate?.({ candidate: { candidate, sdpMid } }));
    this.#native.onDataChannel((channel) => this.ondatachannel?.({ channel: new Channel(channel) }));
  }
  createDataChannel(label, { ordered = true, ...init }) {
    const native = { ...init, unordered: !ordered };
    return new Channel(this.#native.createDataChannel(label, native), native);
  }
  // libdatachannel creates and sets a description in one step, which is the first one here.
  #describe(type) {
    const described = new Promise((resolve) => this.#descriptions.push(resolve));
    this.#native.setLocalDescription(type);
    return described;
  }
  createOffer() {
    return this.#describe('offer');
  }
  createAnswer() {
    return this.#describe('answer');
  }
  async setLocalDescription() {}
  async setRemoteDescription({ type, sdp }) {
    this.#native.setRemoteDescription(sdp, type);
  }
  async addIceCandidate(init) {
    if (init?.candidate) this.#native.addRemoteCandidate(init.candidate, init.sdpMid ?? '0');
  }
  close() {
    this.#native.close();
  }
}

module.exports = { name, version, RTCPeerConnection };
