// What `npx ossa-webrtc top` sees of a program: its agents and their links, over a socket that only the same user can open, and only where
// the program has asked for it. Without that nothing of this runs.
export { checkFolder, inspectionFolder, readRecord, type InspectionRecord } from './folder';
export { inspectionWanted, offerInspection } from './server';
export type {
  AgentSnapshot,
  Inspectable,
  InspectedLink,
  LinkSnapshot,
  PathEndSnapshot,
  ProgramSnapshot,
} from './snapshot';
