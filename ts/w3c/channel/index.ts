// One data channel: its class, its algorithms and what waits to be sent. Which channels there are is the connection's business.
export { DataChannelCore, type ChannelHost } from './core';
export { coreOf, createDataChannel, RTCDataChannel, type RTCDataChannelEventMap } from './data-channel';
export { RTCDataChannelEvent, type RTCDataChannelEventInit } from './event';
export {
  checkDataChannelInit,
  convertDataChannelInit,
  type DataChannelSettings,
  type RTCDataChannelInit,
} from './init';
