// What `ossa-webrtc/polyfill` is in a bundle for browsers: nothing, they have the classes. Knows nothing of the rest.
const { process } = globalThis as { process?: { versions?: { node?: string } } };
if (!('RTCPeerConnection' in globalThis) && process?.versions?.node !== undefined) {
  throw new Error(
    'ossa-webrtc/polyfill: this is the empty version for browsers, but it runs in Node. The export condition "browser" has chosen it; ' +
      'leave that out. In Jest with jsdom: testEnvironmentOptions: { customExportConditions: ["node", "node-addons"] }.',
  );
}
