import { describeNaive } from './suite';

describe('in Node, on our stack', () => describeNaive('ours'));
describe('in Node, on the stack of node-webrtc', () => describeNaive('wrtc'));
