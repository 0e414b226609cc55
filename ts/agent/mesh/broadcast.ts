// What a mesh does with all of its members at once.
import { clearTimeout, setTimeout } from '../../platform';
import { AgentError, cancelled, messageOf, onAbort } from '../../base';
import type { Link } from '../link';
import type { Neighbour } from './neighbour';
import type { Delivery, MemberSendOptions } from './types';

/**
 * Broadcasts that wait for one member. A member that takes nothing must not make the memory of the others grow: beyond
 * this a broadcast fails for it at once.
 */
const MAX_WAITING = 4096;

/** See `Mesh.broadcast`. @throws AgentError - `TASK_CANCELLED` if the signal has fired before. */
export async function broadcast(
  members: Iterable<Neighbour>,
  payload: unknown,
  options: MemberSendOptions,
  timeout: number,
  signal: AbortSignal | undefined,
): Promise<Delivery[]> {
  if (signal?.aborted) throw cancelled(signal, 'the broadcast');
  const patience = new AbortController();
  const late = new AgentError('TASK_TIMEOUT', `the message was not taken within ${timeout} ms`, { retryable: true });
  const end = onAbort(signal, () => patience.abort(signal?.reason));
  const timer = setTimeout(() => patience.abort(late), timeout);
  try {
    return await forEach(members, async (link, neighbour) => {
      if (neighbour.waiting >= MAX_WAITING) throw tooSlow(neighbour.agentId);
      neighbour.waiting++;
      try {
        return { status: 'sent' as const, id: await link.send(payload, { ...options, signal: patience.signal }) };
      } catch (error) {
        throw patience.signal.reason === late ? late : error;
      } finally {
        neighbour.waiting--;
      }
    });
  } finally {
    clearTimeout(timer);
    end();
  }
}

/** Does the same for every member that is connected, and says what became of it at each; one that fails does not stop the others. */
export async function forEach<T extends object>(
  members: Iterable<Neighbour>,
  act: (link: Link, neighbour: Neighbour) => Promise<T>,
): Promise<(({ member: string } & T) | { member: string; status: 'failed'; error: AgentError })[]> {
  return await Promise.all(
    [...members].map(async (neighbour) => {
      const { agentId: member, link } = neighbour;
      try {
        if (!link) throw notConnected(member);
        return { member, ...(await act(link, neighbour)) };
      } catch (error) {
        // A mistake of the caller is the same for all members.
        if (error instanceof TypeError) throw error;
        const failure = error instanceof AgentError ? error : new AgentError('INTERNAL_ERROR', messageOf(error));
        return { member, status: 'failed' as const, error: failure };
      }
    }),
  );
}

function notConnected(agentId: string): AgentError {
  return new AgentError('AGENT_UNREACHABLE', `there is no link to ${agentId} at the moment`, { retryable: true });
}

function tooSlow(agentId: string): AgentError {
  const text = `${MAX_WAITING} messages wait for ${agentId}, which is slow to take them`;
  return new AgentError('RATE_LIMIT_EXCEEDED', text, { retryable: true });
}
