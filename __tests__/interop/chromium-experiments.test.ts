// Chromium with its own experiments that save round trips, which we have too.
import { chromiumExperiments, startBrowser } from './browser';
import { describeInterop } from './suite';

describeInterop('chromium', () => startBrowser('chromium', undefined, chromiumExperiments));
