// The rooms of one agent at a signaling server, as its WebSocket client sees them.
import { AgentError, errorFromJson } from '../../base';
import type { RoomListener } from '..';

/** What the native client says about a room (`room_json` in `src/signaling/client.rs`). */
type RoomEvent =
  | { event: 'entered'; room: string; members: string[] }
  | { event: 'changed'; room: string; joined: string[]; left: string[]; lost: string[] }
  | { event: 'left'; room: string }
  | { event: 'refused'; room: string; error: { code: string; message: string }; again: boolean };

interface Place {
  readonly members: Set<string>;
  readonly onMembers: RoomListener;
  readonly entered: () => void;
  readonly refused: (error: AgentError) => void;
}

/** What {@link RoomClient} needs of the native client. */
export interface RoomRequests {
  join(room: string): void;
  leave(room: string): void;
}

/** Keeps the list of members of each room of one agent. */
export class RoomClient {
  readonly #requests: RoomRequests;
  readonly #places = new Map<string, Place>();
  /** Rooms that are being left: done when the server says so, or when there is no connection any more. */
  readonly #leaving = new Map<string, { done: Promise<void>; resolve: () => void }>();

  constructor(requests: RoomRequests) {
    this.#requests = requests;
  }

  /** Enters a room; resolves when the agent is in and `onMembers` has been called. */
  async join(room: string, onMembers: RoomListener): Promise<() => Promise<void>> {
    if (this.#places.has(room)) throw new TypeError(`this agent is in the room ${JSON.stringify(room)} already`);
    // The answer to the last `leave` must not be taken for one to this `join`.
    while (this.#leaving.has(room)) await this.#leaving.get(room)!.done;
    await new Promise<void>((entered, refused) => {
      // Throws if the name is not one; events come in a later turn.
      this.#requests.join(room);
      this.#places.set(room, { members: new Set(), onMembers, entered, refused });
    });
    return () => this.#leave(room);
  }

  /** An event of the native client, as JSON. */
  handle(content: string): void {
    const event = JSON.parse(content) as RoomEvent;
    if (event.event === 'left') {
      this.#left(event.room);
      return;
    }
    const place = this.#places.get(event.room);
    // What was on its way when the room was left.
    if (!place) return;
    const { members, onMembers } = place;
    if (event.event === 'refused') {
      const { code, message } = event.error;
      const error = new AgentError(code, message, { retryable: code === 'RATE_LIMIT_EXCEEDED' });
      if (event.again) onMembers([...members], { left: [], problem: error });
      else {
        this.#places.delete(event.room);
        place.refused(error);
      }
    } else if (event.event === 'entered') {
      members.clear();
      for (const member of event.members) members.add(member);
      onMembers([...members], { entered: true, left: [] });
      place.entered();
    } else {
      for (const member of event.joined) members.add(member);
      for (const member of [...event.left, ...event.lost]) members.delete(member);
      onMembers([...members], { left: event.left });
    }
  }

  /** There is no connection for now: whoever was leaving has left with it. */
  disconnected(): void {
    for (const room of [...this.#leaving.keys()]) this.#left(room);
  }

  /** There will be no connection any more. */
  closed(json: string | undefined): void {
    this.disconnected();
    const error = json ? errorFromJson(json) : new AgentError('TASK_CANCELLED', 'the signaling client was closed');
    for (const place of this.#places.values()) place.refused(error);
    this.#places.clear();
  }

  #leave(room: string): Promise<void> {
    const leaving = this.#leaving.get(room);
    if (leaving) return leaving.done;
    if (!this.#places.delete(room)) return Promise.resolve();
    let resolve!: () => void;
    const done = new Promise<void>((settle) => (resolve = settle));
    this.#leaving.set(room, { done, resolve });
    this.#requests.leave(room);
    return done;
  }

  #left(room: string): void {
    const leaving = this.#leaving.get(room);
    this.#leaving.delete(room);
    leaving?.resolve();
  }
}
