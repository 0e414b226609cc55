// The command line: what a command is, its arguments and values, help. No single command is known here.
export { parseCommand } from './arguments';
export {
  defineCommand,
  flagOf,
  type Command,
  type Context,
  type OptionGroup,
  type Options,
  type Values,
} from './command';
export { commandHelp, overview, PROGRAM } from './help';
export { nearest } from './nearest';
