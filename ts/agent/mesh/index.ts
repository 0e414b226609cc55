// Many links as one group: meshes, and rooms whose members find each other. How a link is made is not decided here.
export { Mesh } from './mesh';
export { Meshes } from './meshes';
export { Room } from './room';
export type {
  Answer,
  BroadcastOptions,
  Delivery,
  MemberCallOptions,
  MemberSendOptions,
  MeshEvents,
  MeshOptions,
} from './types';
