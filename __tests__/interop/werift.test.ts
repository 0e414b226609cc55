import { startProcess } from './link';
import { describeInterop } from './suite';

describeInterop('werift', () => startProcess('werift'));
