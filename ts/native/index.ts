// The core as TypeScript sees it: finding its library, one peer, the slabs that messages travel in. Knows no W3C class.
export { binding, version } from './loader';
export { NativePeer } from './peer';
export { NativeCertificate } from './certificate';
export { NativeError, type NativeErrorCode } from './error';
export type * from './config';
export { PLACEHOLDER } from './types';
export type * from './types';
