import { startProcess } from './link';
import { describeInterop } from './suite';

describeInterop('node-datachannel', () => startProcess('node-datachannel'));
