// Browsers open TCP connections to our passive candidate (RFC 6544). They have no other way: candidates of UDP are not told.
import { startBrowser } from './browser';
import { type Driver, Link, startProcess } from './link';
import { scenarios } from './scenarios';

const TIMEOUT = 20_000;
const OUTCOMES = ['open', 'sizes', 'hundred', 'restart-by-offerer', 'restart-by-answerer', 'peer-closed-by-offerer'];

const passes = (candidate: string) => candidate === '' || / tcp /i.test(candidate);
const passive = { transport: { tcp: 'passive' } };

describe.each(['chromium', 'firefox'] as const)('%s as the active side', (browser) => {
  let ours: Driver;
  let theirs: Driver;
  let link: Link | undefined;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startProcess('ossa'), startBrowser(browser)]);
  }, 60_000);
  afterAll(async () => {
    await Promise.all([ours?.stop(), theirs?.stop()]);
  });
  afterEach(async () => {
    await link?.close();
    link = undefined;
  });

  const connect = async (role: string) =>
    (link = await (role === 'answerer'
      ? Link.create(ours, theirs, { passes, offerer: passive })
      : Link.create(theirs, ours, { passes, answerer: passive })));

  describe.each(['answerer', 'offerer'])('and %s', (role) => {
    test.each(scenarios.filter(({ key }) => OUTCOMES.includes(key)))(
      '$outcome',
      async (scenario) => scenario.run(await connect(role)),
      TIMEOUT,
    );

    test(
      'the pair in use is one of TCP, which the browser has opened',
      async () => {
        const { offerer, answerer } = await (await connect(role)).connect();
        const pair = await (role === 'answerer' ? offerer : answerer).selectedPair();
        expect(pair).toEqual({
          local: { protocol: 'tcp', tcpType: 'passive' },
          remote: { protocol: 'tcp', tcpType: 'active' },
        });
      },
      TIMEOUT,
    );
  });
});
