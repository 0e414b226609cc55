// An agent of the official A2A SDK that counts, waits and says who has asked.
import { AgentCard, Message, Task, TaskState } from '@a2a-js/sdk';
import {
  AgentEvent,
  DefaultRequestHandler,
  InMemoryTaskStore,
  type AgentExecutor,
  type ExecutionEventBus,
  type RequestContext,
} from '@a2a-js/sdk/server';

import { LINK_BINDING } from 'ossa-webrtc/a2a';

export const cardOf = (url: string, more: object = {}) =>
  AgentCard.fromJSON({
    name: 'Counter',
    description: 'counts',
    version: '1.0.0',
    supportedInterfaces: [{ url, protocolBinding: LINK_BINDING, protocolVersion: '1.0' }],
    capabilities: { streaming: true },
    defaultInputModes: ['text/plain'],
    defaultOutputModes: ['text/plain'],
    skills: [],
    ...more,
  });

/** A message of a user. */
export const said = (text: string, more: object = {}) => ({
  message: Message.fromJSON({ messageId: crypto.randomUUID(), role: 'ROLE_USER', parts: [{ text }], ...more }),
  configuration: undefined,
  metadata: undefined,
  tenant: '',
});

/** The text of a message. */
export function textOf(message: unknown): string {
  const { parts } = message as Message;
  const content = parts[0]!.content;
  return content?.$case === 'text' ? content.value : '';
}

/** Answers `who`, `big <characters>` and `fail` with a message, and `count <number>` with a task. */
export class Counter implements AgentExecutor {
  /** Lets the next count go on. */
  release: () => void = () => undefined;
  readonly cancelled: string[] = [];
  #held: Promise<void> = Promise.resolve();

  /** Counts stop at half until `release` is called. */
  hold(): void {
    this.#held = new Promise((resolve) => (this.release = resolve));
  }

  async execute({ userMessage, taskId, contextId, context }: RequestContext, bus: ExecutionEventBus): Promise<void> {
    const [what, argument] = textOf(userMessage).split(' ');
    const answer = (text: string) => {
      const parts = [{ text }];
      const message = { messageId: crypto.randomUUID(), role: 'ROLE_AGENT', parts, contextId };
      bus.publish(AgentEvent.message(Message.fromJSON(message)));
      bus.finished();
    };
    if (what === 'who') {
      const { user } = context;
      const { how } = context.state.get('agent') as { how: string };
      return answer(`${user?.userName} ${user?.isAuthenticated} ${how}`);
    }
    if (what === 'big') return answer('x'.repeat(Number(argument)));
    await this.#count(taskId, contextId, Number(argument), bus);
  }

  cancelTask = (taskId: string, bus: ExecutionEventBus): Promise<void> => {
    this.cancelled.push(taskId);
    bus.publish(AgentEvent.statusUpdate(status(taskId, '', TaskState.TASK_STATE_CANCELED)));
    bus.finished();
    return Promise.resolve();
  };

  async #count(taskId: string, contextId: string, to: number, bus: ExecutionEventBus): Promise<void> {
    bus.publish(AgentEvent.task(Task.fromJSON({ id: taskId, contextId, status: { state: 'TASK_STATE_SUBMITTED' } })));
    for (let number = 1; number <= to; number++) {
      if (number * 2 > to) await this.#held;
      const artifact = { artifactId: 'numbers', name: '', description: '', metadata: undefined, extensions: [] };
      const content = { $case: 'text' as const, value: String(number) };
      const parts = [{ content, metadata: undefined, filename: '', mediaType: 'text/plain' }];
      bus.publish(
        AgentEvent.artifactUpdate({
          ...{ taskId, contextId, artifact: { ...artifact, parts } },
          ...{ append: number > 1, lastChunk: number === to, metadata: undefined },
        }),
      );
    }
    bus.publish(AgentEvent.statusUpdate(status(taskId, contextId, TaskState.TASK_STATE_COMPLETED)));
    bus.finished();
  }
}

function status(taskId: string, contextId: string, state: TaskState) {
  const timestamp = new Date().toISOString();
  return { taskId, contextId, status: { state, message: undefined, timestamp }, metadata: undefined };
}

/** A request handler of the SDK with a counter behind it. */
export function counting(url: string) {
  const counter = new Counter();
  return { counter, handler: new DefaultRequestHandler(cardOf(url), new InMemoryTaskStore(), counter) };
}
