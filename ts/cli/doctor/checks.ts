// What the doctor finds out, in a form that can be printed and judged.

/** `skip`: there was nothing to test with. */
export type Status = 'ok' | 'warn' | 'fail' | 'skip';

/** One finding. */
export interface Check {
  /** What was looked at; stable, for programs. */
  readonly check: string;
  readonly status: Status;
  readonly text: string;
  /** Members for programs. */
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** A finding. */
export function found(check: string, status: Status, text: string, facts?: Readonly<Record<string, unknown>>): Check {
  return { check, status, text, ...(facts ? { facts } : {}) };
}
