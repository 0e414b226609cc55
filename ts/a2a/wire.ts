// What travels: calls of one capability, whose results stream where A2A streams.
import { AgentError } from '../index';

/** The `protocolBinding` of an interface in an agent card that is reached over a link; its `url` is the URI of the agent. */
export const LINK_BINDING = 'OSSA-LINK';

/** The service parameters of A2A, by name in lower case, as HTTP would have them in headers. */
export type ServiceParameters = Readonly<Record<string, string>>;

/** What a client asks for: a request of JSON-RPC, or the agent card. */
export type Asked =
  { readonly card: true } | { readonly rpc: Readonly<Record<string, unknown>>; readonly parameters: ServiceParameters };

/** What is answered: one of them, or any number of events. */
export type Answered = { readonly card: unknown } | { readonly rpc: unknown } | { readonly event: unknown };

/** Service parameters are names and short values. */
const MAX_PARAMETERS = 64;
const MAX_PARAMETER = 8192;

/** What a stranger asks for. @throws AgentError - `INVALID_MESSAGE`: it is neither. */
export function asked(input: unknown): Asked {
  const { card, rpc, parameters = {} } = members(input);
  if (card === true) return { card };
  if (!isObject(rpc))
    throw new AgentError('INVALID_MESSAGE', 'this is neither a request of JSON-RPC nor a question for the card');
  const entries = Object.entries(isObject(parameters) ? parameters : { wrong: 0 });
  if (entries.length > MAX_PARAMETERS || !entries.every(([, value]) => isParameter(value))) {
    throw new AgentError('INVALID_MESSAGE', 'the service parameters of the request must be an object of short strings');
  }
  return { rpc, parameters: Object.fromEntries(entries as [string, string][]) };
}

/** What a stranger has answered. @throws AgentError - `PROTOCOL_ERROR`. */
export function answered(value: unknown): Record<string, unknown> {
  if (isObject(value)) return value;
  throw new AgentError('PROTOCOL_ERROR', 'the other agent has answered a request of A2A with something else');
}

const members = (value: unknown): Record<string, unknown> => (isObject(value) ? value : {});

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isParameter = (value: unknown): boolean => typeof value === 'string' && value.length <= MAX_PARAMETER;
