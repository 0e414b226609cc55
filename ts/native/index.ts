// The core as TypeScript sees it: finding its library, one peer, the slabs that messages travel in, time limits that allow for a busy
// process. Knows no W3C class.
export { binding, internalErrors, version } from './loader';
export { NativePeer } from './peer';
export { mediaCapabilities, NativePeerMedia } from './peer-media';
export type * from './peer-media';
export type * from './media';
export { NativeCertificate } from './certificate';
export { NativeError, type NativeErrorCode } from './error';
export { patience } from './patience';
export { within } from './within';
export {
  detachAudio,
  keepAlive,
  openAudioFeed,
  openAudioSource,
  openAudioTap,
  playAudioFeed,
  pushAudio,
  whileWaiting,
  type NativeAudioFeed,
  type NativeAudioTap,
  type NativeAudioTrack,
  type NativeEncodedTrack,
  type NativePCMFormat,
} from './audio';
export {
  openEncodedFeed,
  openEncodedTap,
  pushFrame,
  pushPacket,
  type EncodedTapFrame as NativeEncodedFrame,
  type NativeEncodedFeed,
  type NativeEncodedTap,
} from './encoded';
export type * from './config';
export { PLACEHOLDER } from './types';
export type * from './types';
