// The line that shows how far transfers are.
import type { FileProgress } from '../../index';
import type { Output } from './output';
import { bytes, duration, harmless } from './text';

const BAR = 24;

/** Before that a rate says more about how full the buffers of the system are than about the way, in milliseconds. */
const SETTLING = 500;

/** No name is cut to less than this. */
const SHORTEST = 8;

/** `report.pdf  [#####-----]  52%  5.2 MB of 10.0 MB, 3.1 MB/s, 2 s left` */
export function progressText(name: string, { bytes: done, total, rate }: FileProgress, columns = Infinity): string {
  const speed = rate > 0 ? `, ${bytes(rate)}/s` : '';
  if (total === undefined) return fitted(name, `  ${bytes(done)}${speed}`, columns);
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const left = rate > 0 && done < total ? `, ${duration(((total - done) / rate) * 1000)} left` : '';
  const facts = `${Math.floor(share * 100)}%  ${bytes(done)} of ${bytes(total)}${speed}${left}`;
  // The bar gives way first, then the name; the figures are what people look at.
  const room = columns - facts.length - '  [] '.length - Math.min(harmless(name).length, SHORTEST * 2);
  const width = Math.min(BAR, room);
  if (width < SHORTEST) return fitted(name, `  ${facts}`, columns);
  const filled = Math.round(share * width);
  return fitted(name, `  [${'#'.repeat(filled)}${'-'.repeat(width - filled)}] ${facts}`, columns);
}

function fitted(name: string, rest: string, columns: number): string {
  const shown = harmless(name);
  const room = Math.max(SHORTEST, columns - rest.length);
  return shown.length <= room ? shown + rest : `${shown.slice(0, room - 3)}...${rest}`;
}

/** Shows the progress of one transfer: a bar on a terminal, objects for programs. */
export function showProgress(out: Output, type: string, name: string): (progress: FileProgress) => void {
  let began: number | undefined;
  return (progress) => {
    began ??= performance.now();
    const settled = performance.now() - began >= SETTLING;
    out.status(progressText(name, settled ? progress : { ...progress, rate: 0 }, out.columns));
    out.progress({ type, name, bytes: progress.bytes, total: progress.total, rate: Math.round(progress.rate) });
  };
}
