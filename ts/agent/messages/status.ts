// How an agent is doing: the `status` messages of the specification.
import { checkMembers, describe } from '../../base';

/** What an agent says about itself. */
export interface AgentStatus {
  status: 'healthy' | 'degraded' | 'unhealthy' | 'offline';
  /** How busy it is: 0 for idle, 1 for as much as it can do; not negative. */
  load?: number;
  /** Connections to other agents, a whole number. */
  activeConnections?: number;
  /** Names of what it can be called for. */
  capabilities?: string[];
  /** Anything that it measures, as JSON. */
  metrics?: Record<string, unknown>;
}

const STATES = ['healthy', 'degraded', 'unhealthy', 'offline'];

const MEMBERS = ['status', 'load', 'activeConnections', 'capabilities', 'metrics'] as const;

/** Checks of the members; the text says what is expected. `status` alone has to be there. */
const RULES: Record<(typeof MEMBERS)[number], readonly [(value: unknown) => boolean, string]> = {
  status: [(value) => STATES.includes(value as string), `one of ${STATES.join(', ')}`],
  load: [(value) => value === undefined || (Number.isFinite(value) && (value as number) >= 0), 'a number from 0'],
  activeConnections: [
    (value) => value === undefined || (Number.isSafeInteger(value) && (value as number) >= 0),
    'a whole number from 0',
  ],
  capabilities: [(value) => value === undefined || isStrings(value), 'an array of strings'],
  metrics: [
    (value) => value === undefined || (typeof value === 'object' && value !== null && !Array.isArray(value)),
    'an object',
  ],
};

function isStrings(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string');
}

/** @throws TypeError - A member is unknown or not of its type. */
export function checkStatus(value: unknown): AgentStatus {
  if (value === undefined) throw new TypeError('a status must be an object, not undefined');
  checkMembers(value, 'a status', MEMBERS);
  const status = value as Record<string, unknown>;
  for (const name of MEMBERS) {
    const [holds, expected] = RULES[name];
    if (!holds(status[name])) throw new TypeError(`${name} must be ${expected}, not ${describe(status[name])}`);
  }
  return value as AgentStatus;
}

/** What another agent says about itself, with whatever else it says; nothing if it is not as specified. */
export function readStatus(payload: unknown): AgentStatus | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  const status = payload as Record<string, unknown>;
  return MEMBERS.every((name) => RULES[name][0](status[name])) ? (payload as AgentStatus) : undefined;
}
