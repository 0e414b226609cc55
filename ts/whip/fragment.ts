// `application/trickle-ice-sdpfrag` (RFC 8840 9, RFC 9725 4.3): candidates, and the credentials of an ICE restart.

/** What ICE has of one side. */
export interface IceFragment {
  ufrag: string;
  pwd: string;
  /** Values of `a=candidate`, from `candidate:` on. */
  candidates: string[];
  /** No more will come. */
  complete: boolean;
}

/** The value of the first attribute of this name. */
function attribute(sdp: string, name: string): string | undefined {
  return new RegExp(`^a=${name}:(.*?)\\r?$`, 'm').exec(sdp)?.[1];
}

/** Writes one for the section that everything is bundled with: the first of the description. */
export function writeFragment(description: string, candidates: readonly string[], complete: boolean): string {
  const media = /^m=(\S+)/m.exec(description)?.[1] ?? 'audio';
  const mid = attribute(description, 'mid');
  const group = /^a=group:BUNDLE.*?(?=\r?$)/m.exec(description)?.[0];
  return [
    ...(group === undefined ? [] : [group]),
    `a=ice-ufrag:${attribute(description, 'ice-ufrag')}`,
    `a=ice-pwd:${attribute(description, 'ice-pwd')}`,
    // The port and the formats have no meaning here (RFC 8840 9.1).
    `m=${media} 9 UDP/TLS/RTP/SAVPF 0`,
    ...(mid === undefined ? [] : [`a=mid:${mid}`]),
    ...candidates.map((candidate) => `a=${candidate}`),
    ...(complete ? ['a=end-of-candidates'] : []),
    '',
  ].join('\r\n');
}

/** The user name fragment of a description. */
export function ufragOf(description: string): string | undefined {
  return attribute(description, 'ice-ufrag');
}

/** `undefined` if it has no credentials. */
export function readFragment(text: string): IceFragment | undefined {
  const [ufrag, pwd] = [attribute(text, 'ice-ufrag'), attribute(text, 'ice-pwd')];
  if (!ufrag || !pwd) return undefined;
  const lines = text.split(/\r?\n/);
  const candidates = lines.filter((line) => line.startsWith('a=candidate:')).map((line) => line.slice(2));
  return { ufrag, pwd, candidates, complete: lines.includes('a=end-of-candidates') };
}

/** The answer to an ICE restart: what the other side has said last, with its new credentials. `local` is what this side has said last. */
export function restartedAnswer(
  remote: string,
  local: string,
  { ufrag, pwd, candidates, complete }: IceFragment,
): string {
  // Who had offered left the role in DTLS open, and has the other one since.
  const role = attribute(local, 'setup') === 'active' ? 'passive' : 'active';
  const lines = remote
    .split(/\r?\n/)
    .filter((line) => !line.startsWith('a=candidate:') && line !== 'a=end-of-candidates')
    .map((line) => {
      if (line.startsWith('a=ice-ufrag:')) return `a=ice-ufrag:${ufrag}`;
      if (line.startsWith('a=ice-pwd:')) return `a=ice-pwd:${pwd}`;
      return line === 'a=setup:actpass' ? `a=setup:${role}` : line;
    });
  const media = lines.flatMap((line, index) => (line.startsWith('m=') ? [index] : []));
  const end = media[1] ?? lines.findLastIndex((line) => line !== '') + 1;
  const told = [...candidates.map((candidate) => `a=${candidate}`), ...(complete ? ['a=end-of-candidates'] : [])];
  return [...lines.slice(0, end), ...told, ...lines.slice(end)].join('\r\n');
}
