// What the command `doctor` looks at and concludes. How it is shown is the command's.
export type { Check, Status } from './checks';
export {
  checkCandidates,
  checkLoopback,
  checkNat,
  checkNetwork,
  checkRelays,
  checkSignaling,
  SKEW_LIMIT,
  urlsOf,
} from './examine';
export { advice, verdicts, type Findings, type Verdict } from './verdict';
