// ICE user names of up to 256 characters (RFC 8839, section 5.4), by a stack that can have them.
import { runFixture } from '../native/support';

describe.each(['offerer', 'answerer'])('a peer that is the %s', (role) => {
  test.each([4, 119, 120, 200, 256])(
    'and has an ICE user name of %i characters is reached',
    async (length) => {
      const { stdout, stderr, code } = await runFixture('long-name.js', [String(length), role]);
      expect({ stdout, stderr, code }).toEqual({ stdout: `echo: hello ${length}\n`, stderr: '', code: 0 });
    },
    60_000,
  );
});
