// The connections that can be asked why they do not come about.
import type { NativePeer } from '../../native';

/** What the causes are read from. */
export interface Subject {
  readonly native: Pick<NativePeer, 'diagnosis'>;
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
