import * as api from 'ossa-webrtc';
import {
  RTCDataChannel,
  RTCDtlsTransport,
  RTCError,
  RTCErrorEvent,
  RTCIceCandidate,
  RTCIceTransport,
  RTCPeerConnection,
  RTCPeerConnectionIceErrorEvent,
  RTCPeerConnectionIceEvent,
  RTCSctpTransport,
  RTCSessionDescription,
  RTCStatsReport,
} from 'ossa-webrtc';

import { newPeer } from './helper';

/** Calls with arguments that TypeScript would not let through. */
const untyped = (value: unknown) => value as (...args: unknown[]) => unknown;
const construct = (target: unknown, ...args: unknown[]) => new (target as new (...args: unknown[]) => unknown)(...args);

const interfaces = Object.entries(api).filter(([name]) => /^(RTC|MediaStream)[A-Z]?/.test(name));

test.each(interfaces)('%s shows its members, its name and a class string as WebIDL demands', (name, value) => {
  const { prototype } = value as { prototype: object };
  expect((value as { name: string }).name).toBe(name);
  expect(Object.getOwnPropertyDescriptor(prototype, Symbol.toStringTag)).toEqual({
    value: name,
    configurable: true,
    enumerable: false,
    writable: false,
  });
  for (const [key, descriptor] of Object.entries(Object.getOwnPropertyDescriptors(prototype))) {
    expect([key, descriptor.enumerable]).toEqual([key, key !== 'constructor']);
  }
  expect(Object.getOwnPropertyDescriptor(value, 'prototype')?.writable).toBe(false);
});

test('interfaces that only a connection makes cannot be constructed', () => {
  for (const value of [RTCDataChannel, RTCSctpTransport, RTCDtlsTransport, RTCIceTransport, RTCStatsReport]) {
    expect(() => construct(value)).toThrow(TypeError);
    expect((value as unknown as { length: number }).length).toBe(0);
  }
});

test('a constructor needs new, and its required arguments', () => {
  expect(() => untyped(RTCPeerConnection)()).toThrow(TypeError);
  expect(() => construct(RTCSessionDescription)).toThrow(TypeError);
  expect(() => construct(RTCPeerConnectionIceEvent)).toThrow(TypeError);
  expect(() => construct(RTCPeerConnectionIceErrorEvent, 'x')).toThrow(TypeError);
  expect(() => construct(RTCErrorEvent, 'error')).toThrow(TypeError);
  expect(() => construct(RTCErrorEvent, 'error', { error: new Error('not an RTCError') })).toThrow(TypeError);
});

test('members refuse objects of another class; operations that return a promise reject', async () => {
  const get = (self: object): unknown => Reflect.get(RTCPeerConnection.prototype, 'signalingState', self);
  expect(() => get({})).toThrow(TypeError);
  expect(() => get(Object.create(RTCPeerConnection.prototype) as object)).toThrow(TypeError);
  const { createOffer, setRemoteDescription, getStats } = RTCPeerConnection.prototype as unknown as Record<
    string,
    object
  >;
  for (const operation of [createOffer, setRemoteDescription, getStats]) {
    await expect(untyped(operation).call({})).rejects.toThrow(TypeError);
  }
});

test('dictionary members are read once, parents first, then by name', () => {
  const read: string[] = [];
  const init = new Proxy(
    {},
    {
      get: (_, name) => {
        read.push(String(name));
        return name === 'sdpMid' ? '0' : undefined;
      },
    },
  );
  construct(RTCIceCandidate, init);
  expect(read).toEqual(['candidate', 'sdpMLineIndex', 'sdpMid', 'usernameFragment', 'relayProtocol', 'url']);
});

test('integers wrap around unless the range is enforced', () => {
  expect(new RTCIceCandidate({ sdpMLineIndex: 65_537 }).sdpMLineIndex).toBe(1);
  expect(new RTCError({ errorDetail: 'sctp-failure', sctpCauseCode: 2 ** 31 }).sctpCauseCode).toBe(-(2 ** 31));
  const peer = newPeer();
  for (const id of [-1, 65_536, NaN, Infinity, 1n]) {
    const create = () => peer.createDataChannel('x', { negotiated: true, id: id as number });
    expect(create).toThrow(TypeError);
  }
  expect(peer.createDataChannel('x', { negotiated: true, id: 7.9 }).id).toBe(7);
});

test('strings lose lone surrogates where the type is USVString, and only there', () => {
  const peer = newPeer();
  expect(peer.createDataChannel('a\ud800b').label).toBe('a\ufffdb');
  expect(new RTCSessionDescription({ type: 'offer', sdp: 'a\ud800b' }).sdp).toBe('a\ud800b');
});

test('a conversion that fails names the member and the value', () => {
  expect(() => newPeer({ iceTransportPolicy: 'some' as 'all' })).toThrow(
    "RTCConfiguration.iceTransportPolicy is 'some', not one of 'relay', 'all'",
  );
  expect(() => newPeer({ iceServers: [{} as { urls: string }] })).toThrow('RTCIceServer.urls is required');
});

describe('event handler attributes', () => {
  test('take the place of their first assignment among the listeners', () => {
    const peer = newPeer();
    const calls: string[] = [];
    peer.onconnectionstatechange = () => calls.push('old handler');
    peer.addEventListener('connectionstatechange', () => calls.push('listener'));
    peer.onconnectionstatechange = () => calls.push('handler');
    peer.dispatchEvent(new Event('connectionstatechange'));
    peer.onconnectionstatechange = null;
    peer.onconnectionstatechange = () => calls.push('late handler');
    peer.dispatchEvent(new Event('connectionstatechange'));
    expect(calls).toEqual(['handler', 'listener', 'listener', 'late handler']);
  });

  test('keep any object, call functions only, and turn everything else into null', () => {
    const peer = newPeer();
    const handler = {} as unknown as () => void;
    peer.ondatachannel = handler;
    expect(peer.ondatachannel).toBe(handler);
    peer.dispatchEvent(new Event('datachannel'));
    peer.ondatachannel = 'text' as unknown as null;
    expect(peer.ondatachannel).toBeNull();
  });

  test('run with the target as this, and prevent the default by returning false', () => {
    const peer = newPeer();
    let self: unknown;
    peer.onnegotiationneeded = function () {
      // eslint-disable-next-line @typescript-eslint/no-this-alias -- what `this` is, is the question
      self = this;
      return false;
    };
    const event = new Event('negotiationneeded', { cancelable: true });
    expect(peer.dispatchEvent(event)).toBe(false);
    expect(self).toBe(peer);
  });
});
