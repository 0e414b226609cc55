// The line that shows how far transfers are.
import type { FileProgress } from '../../index';
import type { Output } from './output';
import { bytes, duration, harmless } from './text';

const BAR = 24;

/** `report.pdf  [#####-----]  52%  5.2 MB of 10.0 MB, 3.1 MB/s, 2 s left` */
export function progressText(name: string, { bytes: done, total, rate }: FileProgress): string {
  const speed = rate > 0 ? `, ${bytes(rate)}/s` : '';
  if (total === undefined) return `${harmless(name)}  ${bytes(done)}${speed}`;
  const share = total === 0 ? 1 : Math.min(1, done / total);
  const filled = Math.round(share * BAR);
  const left = rate > 0 && done < total ? `, ${duration(((total - done) / rate) * 1000)} left` : '';
  const bar = `${'#'.repeat(filled)}${'-'.repeat(BAR - filled)}`;
  return `${harmless(name)}  [${bar}] ${Math.floor(share * 100)}%  ${bytes(done)} of ${bytes(total)}${speed}${left}`;
}

/** Shows the progress of one transfer: a bar on a terminal, objects for programs. */
export function showProgress(out: Output, type: string, name: string): (progress: FileProgress) => void {
  return (progress) => {
    out.status(progressText(name, progress));
    out.progress({ type, name, bytes: progress.bytes, total: progress.total, rate: Math.round(progress.rate) });
  };
}
