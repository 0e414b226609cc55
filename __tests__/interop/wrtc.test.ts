import { startProcess } from './link';
import { describeInterop } from './suite';

describeInterop('wrtc', () => startProcess('wrtc'));
