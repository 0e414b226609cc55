// The networks that agents are in, and what theory says about each two of them.

/** Who is let in from outside: everybody, addresses that were sent to, or addresses and ports that were (RFC 4787, section 5). */
const [EVERYBODY, ADDRESSES, ENDPOINTS] = [0, 1, 2];

/**
 * Each with the properties that decide: `udp`: who is let in over UDP, nothing if UDP is blocked; `symmetric`: another outer port for each
 * destination, so that nobody can be told of one; `listens`: TCP connections come in; `dials`: whether TCP goes out to any port or 443 alone.
 */
export const KINDS = {
  none: { what: 'no NAT', udp: EVERYBODY, listens: true, dials: 'any' },
  'full-cone': { what: 'full cone', udp: EVERYBODY, dials: 'any' },
  'address-restricted': { what: 'address-restricted', udp: ADDRESSES, dials: 'any' },
  'port-restricted': { what: 'port-restricted', udp: ENDPOINTS, dials: 'any' },
  symmetric: { what: 'symmetric', udp: ENDPOINTS, symmetric: true, dials: 'any' },
  'carrier-grade': { what: 'carrier-grade double NAT', udp: ENDPOINTS, dials: 'any' },
  'udp-blocked': { what: 'UDP blocked', dials: 'any' },
  'tcp-443': { what: 'only TCP 443 out', dials: '443' },
  ipv6: { what: 'IPv6 only, behind a firewall', udp: ENDPOINTS, ipv6: true, dials: 'any' },
};

/** What there is besides the two agents. */
export const SERVERS = {
  coturn: 'coturn (UDP, TCP, TLS)',
  own: 'our server with its relay, and nothing else',
  none: 'a STUN server, no relay; ICE-TCP, passive at port 443',
};

/** Servers that do not answer, in the list before those that do. */
export const DEAD = {
  nothing: 'none',
  stun: 'a STUN server',
  turn: 'a TURN server by UDP, TCP and TLS',
  dns: 'six servers with names that DNS does not answer for',
};

/** The best path that there can be: `'udp'` or `'tcp'` between the agents, `'relay'`, or `'no'`. */
export function theory(a, b, servers) {
  const direct = directly(KINDS[a], KINDS[b], servers === 'none');
  if (direct !== 'no' || servers === 'none') return direct;
  return 'relay';
}

function directly(a, b, listening) {
  if (Boolean(a.ipv6) !== Boolean(b.ipv6)) return 'no';
  if (passes(a, b)) return 'udp';
  // By default an agent only dials; the port to listen at is 443 in this experiment, which everybody may dial.
  return listening && (a.listens || b.listens) ? 'tcp' : 'no';
}

/**
 * Whether checks over UDP meet. An agent behind a symmetric NAT comes from a port that nobody has been told of: the other side has to let that
 * in, from everybody or from the address alone. Whoever filters has sent to what it was told of by then.
 */
function passes(a, b) {
  if (a.udp === undefined || b.udp === undefined) return false;
  if (a.symmetric && b.udp === ENDPOINTS) return false;
  return !(b.symmetric && a.udp === ENDPOINTS);
}
