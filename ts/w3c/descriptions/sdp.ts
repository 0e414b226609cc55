// The little that the classes themselves read from a session description; the core parses it in full.

/** ICE credentials of one generation. */
export interface RTCIceParameters {
  /** `a=ice-ufrag`, 4 to 256 characters (RFC 8839 section 5.4). */
  usernameFragment?: string;
  /** `a=ice-pwd`, 22 to 256 characters. */
  password?: string;
}

/** The lines before the first section, and those of each. */
function split(sdp: string): { head: string[]; sections: string[][] } {
  const lines = sdp.split(/\r\n|\n/);
  const starts = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  return {
    head: lines.slice(0, starts[0]),
    sections: starts.map((start, index) => lines.slice(start, starts[index + 1])),
  };
}

/** A port of 0 rejects a section, unless it uses that of its group (RFC 9143 section 6). */
function isInUse([first = '', ...rest]: readonly string[]): boolean {
  return !/^m=\S+ 0(?:\/| )/.test(first) || rest.includes('a=bundle-only');
}

const isData = (section: readonly string[]) => section[0]?.startsWith('m=application ') ?? false;

/**
 * The lines of the first section of a kind that is in use, of the section that carries the transport of its BUNDLE group (RFC 9143 section
 * 7.1.3), and of the session, in the order in which they apply; `null` if there is none.
 */
function sectionInUse(sdp: string, isMeant: (section: readonly string[]) => boolean): string[] | null {
  const { head, sections } = split(sdp);
  const meant = sections.find((section) => isMeant(section) && isInUse(section));
  if (!meant) return null;
  const groups = head.filter((line) => line.startsWith('a=group:BUNDLE ')).map((line) => line.split(' ').slice(1));
  const group = groups.find((mids) => mids.includes(attribute(meant, 'mid') ?? ''));
  const carrier = sections.find((section) => section !== meant && attribute(section, 'mid') === group?.[0]) ?? [];
  return [...meant, ...carrier, ...head];
}

/** The section whose transport script sees: that of the data, or the first one of audio or video. */
function transportSection(sdp: string): string[] | null {
  return sectionInUse(sdp, isData) ?? sectionInUse(sdp, () => true);
}

function attribute(lines: readonly string[], name: string): string | undefined {
  const prefix = `a=${name}:`;
  return lines.find((line) => line.startsWith(prefix))?.slice(prefix.length);
}

/** Whether a description has a data section that is in use (its port is not 0). */
export function hasDataSection(sdp: string): boolean {
  return sectionInUse(sdp, isData) !== null;
}

/** Whether a description has any section that is in use. */
export function hasSection(sdp: string): boolean {
  return sectionInUse(sdp, () => true) !== null;
}

/** A section as senders and receivers see it. */
export interface DescribedSection {
  mid: string | null;
  /** It is not in use. */
  rejected: boolean;
}

/** All sections of a description, in their order. */
export function describedSections(sdp: string): DescribedSection[] {
  return split(sdp).sections.map((section) => ({
    mid: attribute(section, 'mid') ?? null,
    rejected: !isInUse(section),
  }));
}

/** A part of a text that outlives it. V8 keeps all of a text, here of a description, for as long as there is a slice of it. */
function detached(part: string): string {
  return JSON.parse(JSON.stringify(part)) as string;
}

/** ICE credentials of the transport. */
export function iceParameters(sdp: string): RTCIceParameters | null {
  const section = transportSection(sdp);
  const usernameFragment = section && attribute(section, 'ice-ufrag');
  const password = section && attribute(section, 'ice-pwd');
  return usernameFragment && password
    ? { usernameFragment: detached(usernameFragment), password: detached(password) }
    : null;
}

/** Candidates of the transport, as `candidate:...` lines, and the section's mid. */
export function iceCandidates(sdp: string): { mid: string; lines: string[] } {
  const section = transportSection(sdp) ?? [];
  const lines = section.filter((line) => line.startsWith('a=candidate:')).map((line) => detached(line.slice(2)));
  return { mid: detached(attribute(section, 'mid') ?? ''), lines };
}

/** `a=max-message-size` of the data section; 65,536 if it says nothing (RFC 8841 section 6.1), 0 means no limit. */
export function maxMessageSize(sdp: string): number {
  const value = attribute(sectionInUse(sdp, isData) ?? [], 'max-message-size');
  return value === undefined ? 65_536 : Number(value);
}
