// The connections that can be asked why they do not come about.
import type { ConnectCause } from '../../base';
import type { NativePeer } from '../../native';

/** What the causes are read from. */
export interface Subject {
  readonly native: Pick<NativePeer, 'diagnosis'>;
  /** What media did not come about for, where both descriptions say that it flows. */
  readonly media: { readonly faults: readonly ConnectCause[] };
  /** `hasData`: an association was negotiated. */
  readonly transports: { readonly hasData: boolean } | null;
  readonly configuration: { readonly iceServers: readonly { readonly urls: string | readonly string[] }[] };
}

const subjects = new WeakMap<EventTarget, Subject>();

/** From now on `connectionCauses()` can be asked about this connection. */
export function registerSubject(connection: EventTarget, subject: Subject): void {
  subjects.set(connection, subject);
}

/** What was registered for this connection. */
export function subjectOf(connection: EventTarget): Subject | undefined {
  return subjects.get(connection);
}
