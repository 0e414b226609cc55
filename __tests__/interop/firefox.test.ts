import { startBrowser } from './browser';
import { describeInterop } from './suite';

describeInterop('firefox', () => startBrowser('firefox'));
