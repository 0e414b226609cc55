import { describeVoice, startVoicePage } from './suite';

describeVoice('firefox', () => startVoicePage('firefox'));
