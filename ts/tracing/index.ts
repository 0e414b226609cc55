// `ossa-webrtc/tracing`: what agents and signaling servers do, as OpenTelemetry's spans and metrics. Needs `@opentelemetry/api`, which is loaded
// here and nowhere else; what the agents tell is in `agent/tracing`.
export { openTelemetry, type OpenTelemetryOptions } from './agents';
export { traceContextOf } from './context';
export { observeSignalingServer, type ObserveOptions } from './signaling-server';
