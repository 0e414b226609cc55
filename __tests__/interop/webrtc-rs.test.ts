import { startProcess } from './link';
import { describeInterop } from './suite';

describeInterop('webrtc-rs', () => startProcess('webrtc-rs'));
