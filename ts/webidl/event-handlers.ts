import { Event } from '../platform';
import { isObject } from './conversions';

/**
 * What script may assign to an event handler attribute such as `onopen`. `this` is the object that the event is fired at; it is
 * not typed, because the DOM library's own class stands there, and an object of ours has to pass for one of its.
 */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- see above
export type EventHandler<E extends Event = Event> = ((this: any, event: E) => unknown) | null;

interface Handler {
  value: object;
  listener: (event: Event) => void;
}

/**
 * The event handler attributes of one object, as HTML defines them: the first assignment takes a place among the
 * listeners, later assignments keep it, `null` gives it up. A non-callable object is stored and never called.
 * https://html.spec.whatwg.org/multipage/webappapis.html#event-handler-attributes
 */
export class EventHandlers {
  readonly #target: EventTarget;
  /** Made for the first one: most objects never get any, and a map takes 200 bytes. */
  #handlers: Map<string, Handler> | undefined;

  constructor(target: EventTarget) {
    this.#target = target;
  }

  get<H>(type: string): H {
    return (this.#handlers?.get(type)?.value ?? null) as H;
  }

  set(type: string, value: unknown): void {
    const present = this.#handlers?.get(type);
    if (!isObject(value)) {
      if (!present) return;
      this.#handlers?.delete(type);
      this.#target.removeEventListener(type, present.listener);
    } else if (present) {
      present.value = value;
    } else {
      const handler: Handler = { value, listener: (event) => runHandler(handler, event) };
      (this.#handlers ??= new Map()).set(type, handler);
      this.#target.addEventListener(type, handler.listener);
    }
  }
}

/** https://html.spec.whatwg.org/multipage/webappapis.html#the-event-handler-processing-algorithm */
function runHandler({ value }: Handler, event: Event): void {
  if (typeof value !== 'function') return;
  const result: unknown = (value as (event: Event) => unknown).call(event.currentTarget, event);
  if (result === false) event.preventDefault();
}
