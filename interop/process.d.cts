/** One process that answers calls of the driver protocol. */
export class StackProcess {
  constructor(label: string, command: string, args: string[]);
  readonly label: string;
  /** Resolves with how the process ended. */
  readonly exited: Promise<string>;
  call<T = unknown>(method: string, params?: object): Promise<T>;
  stop(graceMs?: number): Promise<string>;
}
export function startStack(stack: string, options?: { child?: string; nodeArgs?: string[] }): StackProcess;
/** The stacks that are programs in Rust. */
export const RUST_STACKS: readonly string[];
/** Where cargo puts a program of the release profile. */
export function rustProgram(name: string): string;
