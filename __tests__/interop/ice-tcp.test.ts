// Browsers open TCP connections to our passive candidate (RFC 6544). They have no other way: candidates of UDP are not told.
import { startBrowser } from './browser';
import { type Driver, Link, startProcess } from './link';
import { scenarios } from './scenarios';

const TIMEOUT = 20_000;
const GOODBYE = 'peer-closed-by-offerer';
const OUTCOMES = ['open', 'sizes', 'hundred', 'restart-by-offerer', 'restart-by-answerer', GOODBYE];

/**
 * Firefox may end its TCP connection before it has written its goodbye. What is told in any case is that the connection is interrupted, as
 * its TCP connection is gone.
 */
const maySayNothing = (browser: string, role: string) => browser === 'firefox' && role === 'offerer';

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
    const silent = maySayNothing(browser, role);
    test.each(scenarios.filter(({ key }) => OUTCOMES.includes(key) && !(silent && key === GOODBYE)))(
      '$outcome',
      async (scenario) => scenario.run(await connect(role)),
      TIMEOUT,
    );

    test(
      "the browser's closing of the connection is noticed at once, goodbye or not",
      async () => {
        const link = await connect(role);
        const { offerer, answerer } = await link.connect();
        const [theirs, ours] = role === 'answerer' ? [answerer, offerer] : [offerer, answerer];
        const lost = ours.waitLost('first');
        await theirs.close();
        await lost;
      },
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
