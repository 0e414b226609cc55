// All commands, in the order of the overview.
import type { Command } from './command';
import { bench } from './commands/bench';
import { call } from './commands/call';
import { chat } from './commands/chat';
import { doctor } from './commands/doctor';
import { keygen } from './commands/keygen';
import { ping } from './commands/ping';
import { receive } from './commands/receive';
import { send } from './commands/send';
import { signal } from './commands/signal';

/** The table that everything about commands is made from. */
export const COMMANDS: readonly Command[] = [signal, keygen, ping, send, receive, call, chat, bench, doctor];
