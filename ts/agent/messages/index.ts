// Messages as envelopes over the message channels of a link: sending by priority, large ones in parts, receiving. What calls
// mean is not known here.
export { MessageChannels } from './channels';
export { checkTtl } from './envelope';
export { Messaging } from './messaging';
export { checkPreset, type ChannelPreset } from './presets';
export { checkStatus, type AgentStatus } from './status';
export type { AgentMessage, MessageProgress, MessageSink, SendOptions, TrySendOptions } from './types';
