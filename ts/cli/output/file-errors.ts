// What went wrong with a file, in words.

const WORDS: Readonly<Record<string, string>> = {
  EACCES: 'this user may not',
  EDQUOT: 'the quota of this user is used up',
  EEXIST: 'there is something of that name already',
  EFBIG: 'the file is too large for the disk',
  EIO: 'the disk has failed',
  EISDIR: 'it is a folder',
  EMFILE: 'too many files are open',
  ENAMETOOLONG: 'the name is too long',
  ENOENT: 'there is no such file or folder',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'a part of the path is not a folder',
  EPERM: 'this user may not',
  EROFS: 'the disk can only be read',
};

/** Files are written under such a name first. */
const TEMPORARY = /\.[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\.tmp$/;

/** An error for people: codes of the operating system, of this machine or in the message of another agent, are put into words. */
export function inWords({ message, code, syscall, path }: Partial<NodeJS.ErrnoException>): string {
  const text = message ?? '';
  if (syscall !== undefined && typeof path === 'string' && code !== undefined && Object.hasOwn(WORDS, code)) {
    return `${path.replace(TEMPORARY, '')}: ${WORDS[code]!} (${code})`;
  }
  return text.replace(/: (E[A-Z]+)$/, (all, found: string) =>
    Object.hasOwn(WORDS, found) ? `: ${WORDS[found]!} (${found})` : all,
  );
}
