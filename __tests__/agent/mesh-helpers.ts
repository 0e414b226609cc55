// What the tests of meshes and rooms share.
import { createPeer, MemorySignaling } from 'ossa-webrtc';
import type { AgentMessage, AgentPeer, Mesh, PeerOptions } from 'ossa-webrtc';

/** Agents that find each other in memory, all closed at the end of a test. */
export class Company {
  readonly signaling = new MemorySignaling();
  readonly #open: AgentPeer[] = [];

  agent(name: string, options: Partial<PeerOptions> = {}): AgentPeer {
    const peer = createPeer({ agentId: `agent://${name}`, signaling: this.signaling, ...options });
    this.#open.push(peer);
    return peer;
  }

  async close(): Promise<void> {
    await Promise.all(this.#open.splice(0).map((peer) => peer.close()));
  }
}

/** Resolves when `condition` holds, which is looked at whenever one of these events comes. */
export function until(meshes: readonly Mesh[], condition: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    const check = () => {
      if (!condition()) return;
      for (const mesh of meshes) for (const name of ['join', 'leave', 'problem'] as const) mesh.off(name, check);
      resolve();
    };
    for (const mesh of meshes) for (const name of ['join', 'leave', 'problem'] as const) mesh.on(name, check);
    check();
  });
}

/** Resolves when each mesh has a link to every other. */
export async function complete(meshes: readonly Mesh[]): Promise<void> {
  await until(meshes, () => meshes.every(({ links }) => links.size === meshes.length - 1));
}

/** The next `count` messages. */
export async function take(mesh: Mesh, count: number): Promise<AgentMessage[]> {
  const taken: AgentMessage[] = [];
  if (count === 0) return taken;
  for await (const message of mesh) {
    taken.push(message);
    if (taken.length === count) break;
  }
  return taken;
}

/** The values of the next event of this name. */
export function next<T>(mesh: Mesh, name: string): Promise<T> {
  return new Promise((resolve) => mesh.once(name as never, (value: T) => resolve(value)));
}
