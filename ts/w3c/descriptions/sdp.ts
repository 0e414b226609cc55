// The little that the classes themselves read from a session description; the core parses it in full.

/** ICE credentials of one generation. */
export interface RTCIceParameters {
  /** `a=ice-ufrag`, 4 to 256 characters (RFC 8839 section 5.4). */
  usernameFragment?: string;
  /** `a=ice-pwd`, 22 to 256 characters. */
  password?: string;
}

/**
 * The lines of the data section, of the section that carries the transport of its BUNDLE group (RFC 9143 section 7.1.3), and of the session, in
 * the order in which they apply; `null` without a section in use.
 */
function dataSection(sdp: string): string[] | null {
  const lines = sdp.split(/\r\n|\n/);
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  const sections = starts.map((start, index) => lines.slice(start, starts[index + 1]));
  const data = sections.find(
    ([first = '', ...rest]) =>
      /^m=application [1-9]/.test(first) || (first.startsWith('m=application 0 ') && rest.includes('a=bundle-only')),
  );
  if (!data) return null;
  const head = lines.slice(0, starts[0]);
  const groups = head.filter((line) => line.startsWith('a=group:BUNDLE ')).map((line) => line.split(' ').slice(1));
  const group = groups.find((mids) => mids.includes(attribute(data, 'mid') ?? ''));
  const carrier = sections.find((section) => section !== data && attribute(section, 'mid') === group?.[0]) ?? [];
  return [...data, ...carrier, ...head];
}

function attribute(lines: readonly string[], name: string): string | undefined {
  const prefix = `a=${name}:`;
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

/** Whether a description has a data section that is in use (its port is not 0). */
export function hasDataSection(sdp: string): boolean {
  return dataSection(sdp) !== null;
}

/** ICE credentials of the data section. */
export function iceParameters(sdp: string): RTCIceParameters | null {
  const section = dataSection(sdp);
  const usernameFragment = section && attribute(section, 'ice-ufrag');
  const password = section && attribute(section, 'ice-pwd');
  return usernameFragment && password ? { usernameFragment, password } : null;
}

/** Candidates of the data section, as `candidate:...` lines, and the section's mid. */
export function iceCandidates(sdp: string): { mid: string; lines: string[] } {
  const section = dataSection(sdp) ?? [];
  const lines = section.filter((line) => line.startsWith('a=candidate:')).map((line) => line.slice(2));
  return { mid: attribute(section, 'mid') ?? '', lines };
}

/** `a=max-message-size` of the data section; 65,536 if it says nothing (RFC 8841 section 6.1), 0 means no limit. */
export function maxMessageSize(sdp: string): number {
  const value = attribute(dataSection(sdp) ?? [], 'max-message-size');
  return value === undefined ? 65_536 : Number(value);
}
