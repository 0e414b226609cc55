// The audio and video of a link.
export { LinkMedia, type LinkMediaHost, type ReceivedTrack } from './link-media';
export { SentTrack } from './sent-track';
