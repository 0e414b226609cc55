// Files over channels of their own: sources, destinations, resuming, checksums. Which link they belong to is not known here.
export { FILE_PROTOCOL } from './conversation';
export { Files } from './files';
export type { FileProgress } from './progress';
export { IncomingFile, type AcceptFileOptions, type FileDestination, type ReceivedFile } from './receive';
export { OutgoingFile, type SendFileOptions, type SentFile } from './send';
export type { FileSource } from './source';
