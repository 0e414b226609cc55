import { describeVoice, startVoicePage } from './suite';

describeVoice('chromium', () => startVoicePage('chromium'));
