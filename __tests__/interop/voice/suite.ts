// The scenarios of voice against one foreign stack, with us as offerer and as answerer.
import { join } from 'node:path';

import { startStack } from '../../../interop/process.cjs';
import { createW3cDriver } from '../../../interop/w3c-driver.cjs';
import { createMediaDriver } from '../../../interop/media-driver.cjs';
import { createBrowserAudio } from '../../../interop/audio/browser.cjs';
import { startBrowser } from '../browser';
import { type Driver, Link } from '../link';
import { voiceExceptionFor } from './exceptions';
import { voiceScenarios } from './scenarios';

const child = join(__dirname, '../../../interop/media-child.cjs');

const page = `<!doctype html><meta charset="utf-8"><title>voice</title><script>
const w3c = (${createW3cDriver.toString()})({ RTCPeerConnection });
globalThis.driver = { ...w3c, ...(${createMediaDriver.toString()})(w3c, (${createBrowserAudio.toString()})()) };
</script>`;

/** A Node stack with its audio, in a process of its own. */
export function startVoiceProcess(stack: string): Promise<Driver> {
  return Promise.resolve(startStack(stack, { child }));
}

/** A page with the audio of its browser. */
export function startVoicePage(name: 'chromium' | 'firefox'): Promise<Driver> {
  return startBrowser(name, page);
}

export function describeVoice(stack: string, start: () => Promise<Driver>): void {
  let us: Driver;
  let them: Driver;

  beforeAll(async () => {
    [us, them] = await Promise.all([startVoiceProcess('ossa'), start()]);
  }, 60_000);
  afterAll(() => Promise.all([us?.stop(), them?.stop()]));

  describe.each(['answerer', 'offerer'] as const)(`voice with ${stack} as %s`, (role) => {
    let link: Link | undefined;
    afterEach(async () => {
      await link?.close();
      link = undefined;
    });

    for (const scenario of voiceScenarios) {
      const exception = voiceExceptionFor(stack, scenario.key, role);
      const outcome = exception ? `limit of ${stack}: ${exception.reason} (${scenario.key})` : scenario.outcome;
      test(outcome, async () => {
        link = await (role === 'answerer' ? Link.create(us, them) : Link.create(them, us));
        const [theirs, ours] = link.endsFrom(stack);
        await (exception ? exception.show(link, theirs, ours) : scenario.run(link, ours, theirs));
      });
    }
  });
}
