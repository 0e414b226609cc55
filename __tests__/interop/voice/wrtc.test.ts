import { describeVoice, startVoiceProcess } from './suite';

describeVoice('wrtc', () => startVoiceProcess('wrtc'));
