import { startBrowser } from './browser';
import { describeInterop } from './suite';

describeInterop('chromium', () => startBrowser('chromium'));
