// Word to the service manager that has started the program: systemd, for a unit of `Type=notify`.
import type { Output } from '../output';

/**
 * Tells the service manager how the program is, as `sd_notify(3)` describes; nothing where there is none.
 *
 * @param states - Assignments such as `READY: 1`.
 */
export async function tellServiceManager(
  out: Output,
  states: Readonly<Record<string, string | number>>,
  env: NodeJS.ProcessEnv = process.env,
): Promise<void> {
  const socket = env['NOTIFY_SOCKET'];
  if (!socket) return;
  const { binding } = await import('../../native/index.js');
  try {
    binding.notifyServiceManager(
      socket,
      Object.entries(states)
        .map(([name, value]) => `${name}=${value}`)
        .join('\n'),
    );
  } catch (error) {
    // The manager will end a service that never gets ready; what it has to say about it is not the reason.
    out.warn(`the service manager (NOTIFY_SOCKET) cannot be told: ${(error as Error).message}`);
  }
}
