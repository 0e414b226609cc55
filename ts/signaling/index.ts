// How agents reach each other before they are connected: the message, the adapter that carries it, and the adapter of one
// process. Network clients and servers have rooms of their own.
export {
  isSignalingMessage,
  sdpOf,
  type RoomDetails,
  type RoomListener,
  type SignalingAdapter,
  type SignalingCandidate,
  type SignalingMessage,
  type SubscriptionContext,
  type Unsubscribe,
} from './adapter';
export { MemorySignaling } from './memory';
