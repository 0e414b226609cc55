// The channels of sessions that are about to come: those of all servers of an agent arrive at its links in the same way.
import { AgentError, type AgentChannel, type Link } from '../index';
import { SESSION_PROTOCOL } from './session';

type Attach = (channel: AgentChannel) => void;

/** By link and session. */
const links = new WeakMap<Link, Map<string, Attach>>();

/** From now on the channels of sessions come here; those of none are refused. */
export function listen(link: Link): Map<string, Attach> {
  let sessions = links.get(link);
  if (sessions) return sessions;
  links.set(link, (sessions = new Map<string, Attach>()));
  link.takeChannels(SESSION_PROTOCOL, (channel) => (links.get(link)?.get(channel.label) ?? refuse)(channel));
  return sessions;
}

/** The channel of this session goes to `attach`, each time that the client opens one. */
export function expect(link: Link, session: string, attach: Attach): void {
  listen(link).set(session, attach);
}

/** There is no such session any more. */
export function forget(link: Link, session: string): void {
  links.get(link)?.delete(session);
}

/** What is said about a session that is not there. */
export function unknownSession(): AgentError {
  return new AgentError('SESSION_NOT_FOUND', 'there is no such session here, or no longer; open a new one');
}

/** It ended while its client was on the way. */
function refuse(channel: AgentChannel): void {
  const { code, message } = unknownSession();
  channel.send(`e${JSON.stringify({ code, message })}`).catch(() => undefined);
  void channel.close();
}
