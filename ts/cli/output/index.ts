// What the program says and how it ends: text, progress, logs, errors, exit codes. What it is asked to do is not known here.
export { checkingUsage, EXIT, EXIT_CODES, Failure, reportOf, UsageError } from './exit';
export { inWords } from './file-errors';
export { Output } from './output';
export { showProgress } from './progress';
export { bytes, counted, duration, harmless, harmlessJson, wrapped } from './text';
