import { boolean, dictionary } from '../../webidl';

/** Options that every event constructor takes (DOM Standard, 2.2). */
export interface RTCEventInit {
  /** The event goes up a tree; these targets have none. Default: `false`. */
  bubbles?: boolean;
  /** `preventDefault()` has an effect. Default: `false`. */
  cancelable?: boolean;
  /** The event crosses the boundary of a shadow tree. Default: `false`. */
  composed?: boolean;
}

export const convertEventInit = dictionary<RTCEventInit>('EventInit', {
  bubbles: { type: boolean, default: () => false },
  cancelable: { type: boolean, default: () => false },
  composed: { type: boolean, default: () => false },
});
