// Turns the JSON of the core into the types of `types.ts`: JSON has neither infinity nor bytes.
import { systemErrorInWords } from '../base';
import type { NativeDiagnosis, NativeEvent, NativeStats, PeerSnapshot } from './types';

function decodeCertificates(certificates: unknown): ArrayBuffer[] {
  return (certificates as string[]).map((base64) => {
    const bytes = Buffer.from(base64, 'base64');
    // A copy: small Buffers are slices of a shared pool.
    return bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  });
}

/** Decodes an event. `maxMessageSize: null` stands for no limit. */
export function decodeEvent(json: string): NativeEvent {
  const event = JSON.parse(json) as NativeEvent;
  if (event.type === 'iceCandidateError') event.errorText = systemErrorInWords(event.errorText);
  else if (event.type === 'sctpState') event.maxMessageSize ??= Infinity;
  return event;
}

/** Decodes a snapshot. */
export function decodeSnapshot(json: string): PeerSnapshot {
  const snapshot = JSON.parse(json) as PeerSnapshot;
  if (snapshot.sctp) snapshot.sctp.maxMessageSize ??= Infinity;
  if (snapshot.dtls) snapshot.dtls.remoteCertificates = decodeCertificates(snapshot.dtls.remoteCertificates);
  return snapshot;
}

/** Decodes a diagnosis; `null` of a connection that is closed. */
export function decodeDiagnosis(json: string): NativeDiagnosis | null {
  const diagnosis = JSON.parse(json) as NativeDiagnosis | null;
  for (const fault of diagnosis?.faults ?? []) fault.text = systemErrorInWords(fault.text);
  return diagnosis;
}

/** Decodes a statistics report. */
export function decodeStats(json: string): NativeStats[] {
  return JSON.parse(json) as NativeStats[];
}
