/** Options of `addEventListener` (DOM Standard, 2.7). */
export interface RTCEventListenerOptions {
  /** Hear the event before the listeners of the target itself. Default: `false`. */
  capture?: boolean;
  /** Hear the first event only. Default: `false`. */
  once?: boolean;
  /** The listener does not call `preventDefault()`. Default: `false`. */
  passive?: boolean;
  /** Takes the listener away when it is aborted. */
  signal?: AbortSignal;
}

/** A function or an object with `handleEvent`. */
export type RTCEventListener<E> = ((event: E) => unknown) | { handleEvent(event: E): unknown };

/** `addEventListener` of a class, with the types of the events that it fires. */
export interface AddEventListener<Events> {
  <K extends keyof Events & string>(
    type: K,
    listener: RTCEventListener<Events[K]> | null,
    options?: RTCEventListenerOptions | boolean,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an event name that the class does not know
  (type: string, listener: RTCEventListener<any> | null, options?: RTCEventListenerOptions | boolean): void;
}

/** `removeEventListener` of a class, with the types of the events that it fires. */
export interface RemoveEventListener<Events> {
  <K extends keyof Events & string>(
    type: K,
    listener: RTCEventListener<Events[K]> | null,
    options?: { capture?: boolean } | boolean,
  ): void;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- an event name that the class does not know
  (type: string, listener: RTCEventListener<any> | null, options?: { capture?: boolean } | boolean): void;
}
