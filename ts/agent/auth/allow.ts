// The allowlist: who may connect, after it is clear who it is.
import { normalizeAgentUri } from '../../identity';
import { within } from '../../native';

/** Who may connect: agent URIs, patterns with `*`, a regular expression for the whole URI, or a function. */
export type AllowOption = string | Iterable<string> | RegExp | ((agentId: string) => boolean | Promise<boolean>);

/** Decides about an agent. */
export type Allow = (agentId: string) => boolean | Promise<boolean>;

/** The time that an application's function has. */
const PATIENCE = 5000;

/**
 * The option `allow` as a function.
 *
 * @throws TypeError - It is something else, or contains what is no agent URI.
 */
export function resolveAllow(allow: AllowOption | undefined): Allow | undefined {
  if (allow === undefined) return undefined;
  if (typeof allow === 'function') {
    return async (agentId) => (await within(PATIENCE, () => allow(agentId))) === true;
  }
  if (allow instanceof RegExp) {
    // The whole URI has to match: /example\.com/ must not let agent://evil.test/example.com in. A sticky or global
    // expression remembers where it stopped, so those flags are left out.
    const whole = new RegExp(`^(?:${allow.source})$`, allow.flags.replace(/[gym]/g, ''));
    return (agentId) => whole.test(agentId);
  }
  const entries = typeof allow === 'string' ? [allow] : [...iterable(allow)];
  const [names, patterns] = [new Set<string>(), [] as RegExp[]];
  for (const entry of entries) {
    if (typeof entry === 'string' && entry.includes('*')) patterns.push(patternOf(entry));
    else names.add(normalizeAgentUri(entry));
  }
  return (agentId) => names.has(agentId) || patterns.some((pattern) => pattern.test(agentId));
}

function iterable(allow: unknown): Iterable<string> {
  if (typeof allow === 'object' && allow !== null && Symbol.iterator in allow) return allow as Iterable<string>;
  throw new TypeError('allow must be agent URIs or patterns with *, a RegExp, or a function');
}

/** `*` stands for anything but a slash, `**` for anything: `agent://*.example.com/**` must not match another host. */
function patternOf(pattern: string): RegExp {
  if (!/^agent:\/\//i.test(pattern))
    throw new TypeError(`a pattern begins with agent://, not ${JSON.stringify(pattern)}`);
  // The host is compared in lower case, as in the URI.
  const [, scheme = '', host = '', path = ''] = /^(agent:\/\/)([^/]*)(.*)$/is.exec(pattern) ?? [];
  const text = scheme.toLowerCase() + host.toLowerCase() + path;
  const escaped = text.replace(/[\\^$.+?()[\]{}|]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/\*\*|\*/g, (stars) => (stars === '**' ? '.*' : '[^/]*'))}$`, 's');
}
