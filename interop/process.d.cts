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
export const rustPeer: string;
