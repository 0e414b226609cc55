// Text for people: sizes, times, and whatever strangers send.

const UNITS = ['B', 'kB', 'MB', 'GB', 'TB', 'PB'];

/** A size in decimal units: `5.2 MB`. */
export function bytes(count: number): string {
  let unit = 0;
  let value = count;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 || value >= 99.95 ? value.toFixed(0) : value.toFixed(1)} ${UNITS[unit]}`;
}

/** A time given in milliseconds: `0.123 ms`, `2.5 s`, `3 min 20 s`. */
export function duration(milliseconds: number): string {
  if (milliseconds < 1000)
    return `${milliseconds < 100 ? Number(milliseconds.toPrecision(3)) : Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 60) return `${Number(seconds.toFixed(1))} s`;
  const whole = Math.round(seconds);
  const [hours, minutes, rest] = [Math.floor(whole / 3600), Math.floor((whole % 3600) / 60), whole % 60];
  const parts = hours > 0 ? [`${hours} h`, minutes && `${minutes} min`] : [`${minutes} min`, rest && `${rest} s`];
  return parts.filter(Boolean).join(' ');
}

/** A number with its noun: `1 file`, `2 files`. */
export function counted(count: number, noun: string, plural = `${noun}s`): string {
  return `${count} ${count === 1 ? noun : plural}`;
}

// C0 (but tab), DEL, C1, line separators, and the controls of writing direction.
// eslint-disable-next-line no-control-regex -- those are what must not reach a terminal
const CONTROLS = /[\u0000-\u0008\u000a-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g;

/** Text of a stranger for a terminal: it cannot move the cursor, change the title or hide behind another line. */
export function harmless(text: string): string {
  return text.replace(CONTROLS, '\ufffd');
}

/** JSON for a terminal: what JSON leaves unescaped and a terminal may obey is escaped. Still the same JSON. */
export function harmlessJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null';
  return json.replace(CONTROLS, (control) => `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** Breaks text into lines of at most `width` characters, at blanks. Lines that are there stay. */
export function wrapped(text: string, width: number): string[] {
  return text.split('\n').flatMap((paragraph) => {
    const lines: string[] = [];
    let line = '';
    for (const word of paragraph.split(' ')) {
      if (line !== '' && line.length + 1 + word.length > width) {
        lines.push(line);
        line = word;
      } else {
        line = line === '' ? word : `${line} ${word}`;
      }
    }
    return [...lines, line];
  });
}
