// `node literal-verifier.mjs ALGORITHM`: reads `{token, publicKey}` and writes the claims, as the jose package sees them.
import { text } from 'node:stream/consumers';

import { importSPKI, jwtVerify } from 'jose';

const { token, publicKey } = JSON.parse(await text(process.stdin));
const { payload } = await jwtVerify(token, await importSPKI(publicKey, process.argv[2]));
process.stdout.write(JSON.stringify(payload));
