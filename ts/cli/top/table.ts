// The table of links as text.
import type { LinkSnapshot, PathEndSnapshot, ProgramSnapshot } from '../../agent/inspection';
import { bytes, counted, duration, harmless } from '../output';
import type { Row } from './rates';

/** What is to be shown, and how much room there is. */
export interface View {
  readonly programs: Iterable<ProgramSnapshot>;
  readonly rows: readonly Row[];
  readonly columns: number;
  /** Lines for links; without it all are shown. */
  readonly lines?: number;
  /** Links that are above the first line. */
  readonly from?: number;
  /** For headings. */
  readonly bold: (text: string) => string;
}

/** Figures stand right, under these headings; names get what is left. */
const FIGURES = [
  ['state', 12],
  ['path', 26],
  ['rtt', 9],
  ['out/s', 9],
  ['in/s', 9],
  ['out', 9],
  ['in', 9],
] as const;

/** A name is not cut below that. */
const SHORTEST = 16;

/** Lines for a terminal, none of them longer than it is wide. */
export function linesOf({ programs, rows, columns, lines, from = 0, bold }: View): string[] {
  const each = [...programs];
  const agents = each.reduce((sum, program) => sum + program.agents.length, 0);
  const hidden = each.flatMap((program) => program.agents).reduce((sum, { more }) => sum + more, 0);
  const shown = lines === undefined ? rows.slice(from) : rows.slice(from, from + lines);
  const names = Math.max(Math.floor((columns - FIGURES.reduce((sum, [, width]) => sum + width + 1, 0)) / 2), SHORTEST);
  const summary = [counted(each.length, 'program'), counted(agents, 'agent'), counted(rows.length + hidden, 'link')];
  const part = shown.length < rows.length ? `; ${from + 1} to ${from + shown.length}` : '';
  const head = row(
    'agent',
    'connected with',
    FIGURES.map(([title]) => title),
    names,
  );
  return [
    cut(`${summary.join(', ')}${part}`, columns),
    bold(cut(head, columns)),
    ...shown.map((one) => cut(row(named(one, names), one.link.agent, figures(one), names), columns)),
  ].map((line) => line.trimEnd());
}

/** With its program, where there is room for that. */
const named = ({ self, pid, title }: Row, width: number): string => {
  const long = `${self} (${title} ${pid})`;
  return [...harmless(long)].length < width ? long : self;
};

function figures({ link, sendRate, receiveRate }: Row): string[] {
  const rate = (value: number | undefined) => (value === undefined ? '' : bytes(value));
  const rtt = link.rtt === undefined ? '' : duration(link.rtt);
  return [
    `${link.state}${link.authenticated ? ' *' : ''}`,
    pathOf(link),
    rtt,
    rate(sendRate),
    rate(receiveRate),
    bytes(link.bytesSent),
    bytes(link.bytesReceived),
  ];
}

/** `direct udp`, `relay/tls -> srflx udp`. */
function pathOf({ local, remote }: LinkSnapshot): string {
  if (!local || !remote) return '';
  const end = ({ candidateType, relayProtocol }: PathEndSnapshot) =>
    `${candidateType}${relayProtocol ? `/${relayProtocol}` : ''}`;
  const relayed = [local, remote].some(({ candidateType }) => candidateType === 'relay');
  return relayed ? `${end(local)} -> ${end(remote)} ${local.protocol}` : `direct ${local.protocol}`;
}

function row(self: string, other: string, cells: readonly string[], names: number): string {
  const right = cells.map((cell, index) => {
    const width = FIGURES[index]![1];
    return index < 2 ? cut(cell, width).padEnd(width) : cut(cell, width).padStart(width);
  });
  return [...[self, other].map((name) => cutBegin(name, names - 1).padEnd(names - 1)), ...right].join(' ');
}

/** The text without what a terminal would obey, and not longer than `width`. */
function cut(text: string, width: number): string {
  const letters = [...harmless(text)];
  return letters.length <= width ? letters.join('') : `${letters.slice(0, width - 1).join('')}\u2026`;
}

/** The same for names, whose end is what tells them apart. */
function cutBegin(text: string, width: number): string {
  const letters = [...harmless(text)];
  return letters.length <= width ? letters.join('') : `\u2026${letters.slice(letters.length - width + 1).join('')}`;
}
