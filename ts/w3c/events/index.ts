// How the classes speak up: the tasks that events come in, errors and their event. Which other events there are, each room says.
export { RTCErrorEvent, type RTCErrorEventInit } from './error-event';
export { RTCError, type RTCErrorInit } from './error';
export { convertEventInit, type RTCEventInit } from './init';
export { nativeCall, toRTCError, toStandardError } from './native-errors';
export type { AddEventListener, RemoveEventListener, RTCEventListener, RTCEventListenerOptions } from './target';
export { fire, queueJob, queueTask } from './tasks';
