import { defineCommand } from '../parsing';
import { EXIT, UsageError, wrapped, type Output } from '../output';
import type { Terminal } from '../top';

/** Lines of the screen that are not links: the summary, the heading and the keys. */
const AROUND = 3;

/** Where no terminal says how wide it is, nothing is cut that fits such a line. */
const WIDE = 160;

const NOBODY =
  'No program of yours lets itself be looked at. One does with OSSA_WEBRTC_INSPECT=1 in its environment, or with ' +
  'createPeer({ inspect: true }).';

export const top = defineCommand({
  name: 'top',
  summary: 'Show the links of programs on this machine as they change',
  description:
    'Programs of the same user that have OSSA_WEBRTC_INSPECT=1 in their environment, or agents made with ' +
    '`createPeer({ inspect: true })`: with whom they are connected, the state of each link (with * if the name of the other agent ' +
    'is proven), the path, the round trip, and what it carries. On a terminal it goes on until q is pressed; arrows and page keys ' +
    'move through long lists. Otherwise it prints what there is at this moment, and with --json what the programs tell every ' +
    'second, until it is interrupted.',
  positionals: [{ name: 'pid', optional: true }],
  options: {
    once: { type: 'flag', help: 'Print what there is at this moment, and end; also on a terminal and with --json.' },
  },
  examples: [
    ['top', 'Everything, live'],
    ['top 4711', 'One program'],
    ['top --once --json', 'One object for each program, for scripts'],
  ],
  async run({ positionals, values, out, signal }) {
    const pid = pidOf(positionals[0]);
    const { stdin, stdout } = process;
    if (values.once || (!out.json && !stdout.isTTY)) return await once(pid, out);
    return out.json ? await stream(pid, out, signal) : await live(pid, { input: stdin, output: stdout }, out, signal);
  },
});

function pidOf(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[1-9]\d{0,9}$/.test(text)) throw new UsageError(`"${text}" is not the number of a process`);
  return Number(text);
}

/** What there is now. */
async function once(pid: number | undefined, out: Output): Promise<number> {
  const { linesOf, Programs, Rates } = await import('../top/index.js');
  const programs = new Programs(pid, () => undefined);
  try {
    await programs.complete();
    const snapshots = [...programs.snapshots.values()];
    if (out.json) for (const snapshot of snapshots) out.result({ ...snapshot });
    else if (snapshots.length > 0) {
      const rows = new Rates().rows(programs.snapshots);
      out.result({}, linesOf({ programs: snapshots, rows, columns: WIDE, bold: (text) => text }).join('\n'));
    }
    if (snapshots.length > 0) return EXIT.ok;
    out.info(NOBODY);
    return EXIT.failed;
  } finally {
    programs.close();
  }
}

/** Whatever comes, as it comes. */
async function stream(pid: number | undefined, out: Output, signal: AbortSignal): Promise<void> {
  const { Programs } = await import('../top/index.js');
  const programs = new Programs(pid, (snapshot) => snapshot && out.result({ ...snapshot }));
  try {
    await Promise.race([aborted(signal), programs.failed]);
  } finally {
    programs.close();
  }
}

async function live(pid: number | undefined, terminal: Terminal, out: Output, signal: AbortSignal): Promise<void> {
  const { linesOf, Programs, Rates, Screen } = await import('../top/index.js');
  const quit = new AbortController();
  const rates = new Rates();
  let from = 0;
  const draw = () => {
    const rows = rates.rows(programs.snapshots);
    const lines = Math.max(screen.rows - AROUND, 1);
    from = Math.max(Math.min(from, rows.length - lines), 0);
    const { columns } = screen;
    const text = linesOf({
      programs: programs.snapshots.values(),
      rows,
      columns,
      lines,
      from,
      bold: (line) => out.paint('bold', line),
    });
    if (programs.snapshots.size === 0) text.splice(0, text.length, ...wrapped(NOBODY, columns));
    const room = Array<string>(Math.max(screen.rows - 1 - text.length, 0)).fill('');
    screen.draw([...text, ...room, out.paint('dim', 'q: quit'.slice(0, columns))]);
  };
  const programs = new Programs(pid, () => draw());
  const screen = new Screen(terminal, {
    resized: () => draw(),
    key: (key) => {
      const page = Math.max(screen.rows - AROUND, 1);
      if (key === 'quit') return quit.abort();
      from += { up: -1, down: 1, pageUp: -page, pageDown: page }[key];
      draw();
    },
  });
  try {
    draw();
    await Promise.race([aborted(AbortSignal.any([signal, quit.signal])), programs.failed]);
  } finally {
    programs.close();
    screen.close();
  }
}

const aborted = (signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
