import { describeVoice, startVoiceProcess } from './suite';

describeVoice('werift', () => startVoiceProcess('werift'));
