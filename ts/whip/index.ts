// Publishing to and playing from media servers over HTTP: WHIP (RFC 9725) and WHEP (draft-ietf-wish-whep-04), clients alone. Stands on the
// W3C's classes and on fetch; what is sent and received are their tracks.
export { WHIPClient, type WHIPPublishOptions } from './whip-client';
export { WHEPClient, type WHEPPlayOptions } from './whep-client';
export { WHIPError, type WHIPErrorCode } from './error';
export type { WHIPToken } from './http';
export type { WHIPSessionEvents, WHIPSessionOptions } from './session';
