import { boolean } from '../webidl/conversions';
import { dictionary } from '../webidl/dictionary';

/** Options that every event constructor takes (DOM Standard, 2.2). */
export interface RTCEventInit {
  bubbles?: boolean;
  cancelable?: boolean;
  composed?: boolean;
}

export const convertEventInit = dictionary<RTCEventInit>('EventInit', {
  bubbles: { type: boolean, default: () => false },
  cancelable: { type: boolean, default: () => false },
  composed: { type: boolean, default: () => false },
});
