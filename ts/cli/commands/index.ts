// All commands, in the order of the overview.
import type { Command } from '../parsing';
import { bench } from './bench';
import { call } from './call';
import { chat } from './chat';
import { doctor } from './doctor';
import { keygen } from './keygen';
import { mcpConnect } from './mcp-connect';
import { mcpServe } from './mcp-serve';
import { ping } from './ping';
import { receive } from './receive';
import { send } from './send';
import { signal } from './signal';
import { top } from './top';

/** The table that everything about commands is made from. */
export const COMMANDS: readonly Command[] = [
  signal,
  keygen,
  ping,
  send,
  receive,
  call,
  chat,
  mcpServe,
  mcpConnect,
  bench,
  doctor,
  top,
];
