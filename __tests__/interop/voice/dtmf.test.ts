// The keys of a telephone between stacks: what we press is heard, what they press is told.
import type { Driver } from '../link';
import { Link } from '../link';
import { addTone, hearEachOther, OURS, THEIRS } from './scenarios';
import { startVoicePage, startVoiceProcess } from './suite';

const STACKS = {
  chromium: { start: () => startVoicePage('chromium'), presses: true },
  firefox: { start: () => startVoicePage('firefox'), presses: true },
  // It has no `RTCRtpSender.dtmf`.
  wrtc: { start: () => startVoiceProcess('wrtc'), presses: false },
};

const drivers: Driver[] = [];
afterEach(() => Promise.all(drivers.splice(0).map((driver) => driver.stop())));

test.each(Object.entries(STACKS))(
  'a key that we press is heard by %s, and what it presses is told',
  async (name, stack) => {
    drivers.push(...(await Promise.all([startVoiceProcess('ossa'), stack.start()])));
    const [us, them] = drivers as [Driver, Driver];
    const link = await Link.create(us, them);
    const [theirs, ours] = link.endsFrom(name);
    await addTone(ours, OURS);
    await addTone(theirs, THEIRS);
    await link.negotiate();
    await hearEachOther(ours, theirs);
    await ours.call('press', { index: 0, keys: '5', duration: 3_000 });
    await theirs.call('hearKey', { index: 0, frequencies: [770, 1336] });
    // And the voice behind it.
    await hearEachOther(ours, theirs);
    if (stack.presses) {
      const told = ours.call('keys', { index: 0, count: 2 });
      await theirs.call('press', { index: 0, keys: '7#', duration: 100 });
      expect(await told).toEqual([7, 11]);
    }
    await link.close();
  },
);
