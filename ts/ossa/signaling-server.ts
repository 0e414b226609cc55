import { EventEmitter } from 'node:events';

import type { SignalingMessage } from './types';

/**
 * Signaling between agents of one process, for tests and small programs. What an agent emits as `'message'` on its
 * emitter is emitted on the emitter of the agent that `to` names, in the same turn. A message to nobody is dropped.
 */
export class InMemorySignalingServer extends EventEmitter {
  private agents = new Map<string, EventEmitter>();

  /** The emitter of an agent, to be passed to its transports as `signaling`. Takes the place of an earlier one. */
  registerAgent(agentId: string): EventEmitter {
    const emitter = new EventEmitter();
    // An agent has one transport, and so one listener, for each of its peers: their number says nothing about a leak.
    emitter.setMaxListeners(0);
    emitter.on('message', (message: SignalingMessage | undefined) => {
      const recipient = message && this.agents.get(message.to);
      // What has just been delivered to this agent comes by here as well.
      if (recipient !== emitter) recipient?.emit('message', message);
    });
    this.agents.set(agentId, emitter);
    return emitter;
  }

  /** Nothing more is delivered to the agent, or from it. */
  unregisterAgent(agentId: string): void {
    this.agents.get(agentId)?.removeAllListeners();
    this.agents.delete(agentId);
  }

  /** Unregisters everybody. */
  clear(): void {
    for (const agentId of [...this.agents.keys()]) this.unregisterAgent(agentId);
  }
}
