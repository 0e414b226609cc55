// The parts of the benchmark: which cells each has, how a cell is measured, and which figures of it are shown.
import { KernelPath, RelayPath } from './paths.mjs';
import { beside, setup, share } from './measure.mjs';
import * as settings from './settings.mjs';

const relay = async (path) => new RelayPath(path.settings);
const tunnel = (path) => KernelPath.open(path.settings);
const tbf = (path) => KernelPath.open(path.settings, { tbf: true });

/** A cell: its key in the file of results, the path, and what is done on it. */
const cells = (paths, open, measure, name = (path) => path.title) =>
  paths.map((path) => ({ name: name(path), open: () => open(path), measure }));

const shareFigure = { key: 'share', what: 'share', unit: 'of the link', more: true };
const rtt = (quantile) => ({ key: `rttP${quantile}`, what: `RTT under load p${quantile}`, unit: 'ms' });

export const PARTS = {
  share: {
    title: 'Share of the link over delay and loss',
    text: '100 Mbit/s of UDP payload, a queue of 512 kB, RTT and random loss in each direction as the rows say; packets above 1,500 bytes vanish.',
    stacks: settings.STACKS,
    cells: cells(settings.SHARE_PATHS, relay, (stack, path) => share(stack, path)),
    figures: [shareFigure],
  },
  load: {
    title: 'Round trip time under load',
    text: '20 Mbit/s, RTT 40 ms without load, and queues that would hold so many milliseconds.',
    stacks: settings.STACKS,
    cells: cells(settings.QUEUE_PATHS, relay, (stack, path) => share(stack, path)),
    figures: [shareFigure, rtt(50), rtt(95)],
  },
  setup: {
    title: 'Set-up over distance',
    text: 'From `createOffer` until the channel is open on both sides; signaling takes no time, so that the round trips are those of ICE, DTLS, SCTP and DCEP.',
    stacks: settings.STACKS,
    cells: cells(settings.SETUP_PATHS, relay, setup),
    figures: [{ key: 'ms', what: 'set-up', unit: 'ms' }],
  },
  many: {
    title: 'One connection and ten at once',
    text: `${settings.MANY_PATH.title}, 100 Mbit/s, a queue of 512 kB. Jain's index is 1 when all get the same.`,
    stacks: settings.STACKS,
    cells: settings.CONNECTIONS.map((count) => ({
      name: `${count} connection${count === 1 ? '' : 's'}`,
      open: () => relay(settings.MANY_PATH),
      measure: (stack, path) => share(stack, path, count),
    })),
    figures: [shareFigure, { key: 'jain', what: 'Jain', unit: '1 is even', more: true }, rtt(95)],
  },
  fairness: {
    title: 'Beside TCP of the kernel',
    text: '50 Mbit/s of IP packets, RTT 40 ms, one connection and one of the kernel’s TCP. The unit is half of what both get: 1 is fair.',
    stacks: settings.STACKS,
    kernel: true,
    cells: settings.TCP.flatMap((tcp) =>
      cells(
        settings.FAIRNESS_PATHS,
        tunnel,
        (stack, path) => beside(stack, tcp, path),
        ({ title }) => `${tcp}, ${title}`,
      ),
    ),
    figures: [{ key: 'fair', what: 'beside', unit: 'of a fair share', more: true }],
  },
  kernel: {
    title: 'Share of the link through the kernel’s token bucket filter',
    text: 'The same paths between two network namespaces: rate and queue are `tbf`, the MTU is that of the devices, delay and loss are the emulator’s. Here 100 Mbit/s count IP packets, and plain TCP takes part.',
    stacks: [...settings.STACKS, ...settings.TCP],
    kernel: true,
    cells: cells(settings.SHARE_PATHS, tbf, (stack, path) => share(stack, path)),
    figures: [shareFigure],
  },
};
