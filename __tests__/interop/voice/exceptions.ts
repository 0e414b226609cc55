// What a stack cannot do with voice by itself, whoever its peer is; as in `../exceptions.ts`.
import type { Exception } from '../exceptions';
import { dataArrives, direct, hearEachOther, hears, hearsNothing, OURS, talk } from './scenarios';

const exceptions: Record<string, Record<string, Exception>> = {
  werift: {
    'opus@offerer': {
      reason:
        'its process ends with an error when it adds a channel to a connection that has media only: its peer has to',
      async show(link, theirs, ours) {
        await talk(link, ours, theirs);
        await ours.createChannel('first');
        await link.negotiate(ours, theirs);
        await Promise.all([ours.waitOpen('first'), theirs.waitOpen('first')]);
        await dataArrives(link);
        await hearEachOther(ours, theirs);
      },
    },
    hold: {
      reason: 'it rejects a section that is offered inactive, which ends the transceiver; it takes sendonly',
      async show(link, theirs, ours) {
        await talk(link, ours, theirs);
        await direct(ours, 'sendonly');
        await link.negotiate(ours, theirs);
        await Promise.all([hearsNothing(ours), hears(theirs, OURS)]);
        await direct(ours, 'sendrecv');
        await link.negotiate(ours, theirs);
        await hearEachOther(ours, theirs);
        await direct(ours, 'inactive');
        await link.negotiate(ours, theirs);
        expect(await ours.call('directions')).toEqual([]);
      },
    },
  },
};

export function voiceExceptionFor(stack: string, key: string, role: string): Exception | undefined {
  const rows = exceptions[stack] ?? {};
  return rows[key] ?? rows[`${key}@${role}`];
}
