import { describeNaive } from './suite';

describeNaive('chromium');
