// What the command `doctor` looks at and concludes. How it is shown is the command's.
export { found, type Check, type Status } from './checks';
export {
  checkCandidates,
  checkLoopback,
  checkNat,
  checkNetwork,
  checkRelays,
  checkSignaling,
  missingLibrary,
  SKEW_LIMIT,
  urlsOf,
} from './examine';
export { checkPort, checkTcp } from './ports';
export { reach, type Reach } from './reach';
export { advice, untested, verdicts, type Findings, type Verdict } from './verdict';
