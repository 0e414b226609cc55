import {
  ICE_CANDIDATE_TYPES,
  ICE_PROTOCOLS,
  ICE_TCP_CANDIDATE_TYPES,
  type RTCIceCandidateType,
  type RTCIceComponent,
  type RTCIceProtocol,
  type RTCIceTcpCandidateType,
} from '../enums';

/** The fields of a candidate line that `RTCIceCandidate` shows. */
export interface CandidateFields {
  foundation: string;
  component: RTCIceComponent;
  priority: number;
  address: string;
  protocol: RTCIceProtocol;
  port: number;
  type: RTCIceCandidateType;
  tcpType: RTCIceTcpCandidateType | null;
  relatedAddress: string | null;
  relatedPort: number | null;
}

// candidate-attribute, RFC 8839 section 5.1
const GRAMMAR = /^candidate:([A-Za-z0-9+/]{1,32}) (\d{1,3}) (\S+) (\d{1,10}) (\S+) (\d{1,5}) typ (\S+)((?: \S+ \S+)*)$/;

/** Parses a `candidate:...` line; `null` if it breaks the grammar or a field has no value that the API knows. */
export function parseCandidateAttribute(line: string): CandidateFields | null {
  const match = GRAMMAR.exec(line);
  if (!match) return null;
  const [, foundation, componentId, transport, priority, address, port, type, rest] = match as unknown as string[];
  const component = componentId === '1' ? 'rtp' : componentId === '2' ? 'rtcp' : undefined;
  const extensions = parseExtensions(rest as string);
  const relatedPort = extensions.get('rport');
  const tcpType = extensions.get('tcptype');
  const fields = {
    foundation,
    component,
    priority: Number(priority),
    address,
    protocol: oneOf(ICE_PROTOCOLS, (transport as string).toLowerCase()),
    port: Number(port),
    type: oneOf(ICE_CANDIDATE_TYPES, type),
    tcpType: tcpType === undefined ? null : oneOf(ICE_TCP_CANDIDATE_TYPES, tcpType),
    relatedAddress: extensions.get('raddr') ?? null,
    relatedPort: relatedPort === undefined ? null : Number(relatedPort),
  };
  if (fields.priority > 0xffffffff || fields.port > 65535 || !isPort(fields.relatedPort)) return null;
  return Object.values(fields).includes(undefined) ? null : (fields as CandidateFields);
}

/** `name value` pairs after the type; the first of a name counts. */
function parseExtensions(text: string): Map<string, string> {
  const words = text.split(' ').slice(1);
  const extensions = new Map<string, string>();
  for (let i = 0; i + 1 < words.length; i += 2) {
    const name = words[i] as string;
    if (!extensions.has(name)) extensions.set(name, words[i + 1] as string);
  }
  return extensions;
}

function isPort(port: number | null): boolean {
  return port === null || (Number.isInteger(port) && port >= 0 && port <= 65535);
}

function oneOf<T extends string>(values: readonly T[], value: string | undefined): T | undefined {
  return values.find((known) => known === value);
}
