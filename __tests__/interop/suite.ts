// The scenario list against one foreign stack, with us as offerer and as answerer.
import { exceptionFor } from './exceptions';
import { type Driver, Link, startProcess } from './link';
import { scenarios } from './scenarios';

// Another stack in our place tells whether a failure is ours: INTEROP_US=wrtc npm test -- interop/werift
const us = process.env['INTEROP_US'] ?? 'ossa';

// node-datachannel needs one second for a quarter of its connections, and both cores are busy while the whole suite runs.
const SCENARIO_TIMEOUT = 20_000;

export function describeInterop(stack: string, start: () => Promise<Driver>): void {
  let ours: Driver;
  let theirs: Driver;

  beforeAll(async () => {
    [ours, theirs] = await Promise.all([startProcess(us), start()]);
  }, 60_000);

  afterAll(async () => {
    await Promise.all([ours?.stop(), theirs?.stop()]);
  });

  for (const role of ['answerer', 'offerer'] as const) {
    describe(`with ${stack} as ${role}`, () => {
      let link: Link | undefined;
      afterEach(async () => {
        await link?.close();
        link = undefined;
      });
      const connect = async () =>
        (link = await (role === 'answerer' ? Link.create(ours, theirs) : Link.create(theirs, ours)));

      for (const scenario of scenarios) {
        const { key, outcome } = scenario;
        const exception = exceptionFor(stack, key, role);
        if (exception) {
          test(
            `limit of ${stack}: ${exception.reason} (${key})`,
            async () => {
              const pair = await connect();
              await exception.show(pair, ...pair.endsFrom(stack));
            },
            SCENARIO_TIMEOUT,
          );
        } else {
          test(outcome, async () => scenario.run(await connect()), SCENARIO_TIMEOUT);
        }
      }
    });
  }
}
