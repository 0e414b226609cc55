import { describeNaive } from './suite';

describeNaive('firefox');
