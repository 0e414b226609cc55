// A certificate for a local https server, made without any tool: DER by hand (RFC 5280).
import { generateKeyPairSync, sign } from 'node:crypto';

function element(tag: number, ...parts: Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const length =
    content.length < 0x80
      ? [content.length]
      : content.length < 0x100
        ? [0x81, content.length]
        : [0x82, content.length >> 8, content.length & 0xff];
  return Buffer.concat([Buffer.from([tag, ...length]), content]);
}

const sequence = (...parts: Uint8Array[]) => element(0x30, ...parts);
const bytes = (...values: number[]) => Buffer.from(values);
const utcTime = (time: Date) =>
  element(
    0x17,
    Buffer.from(
      time
        .toISOString()
        .replace(/[-:T]|\.\d+/g, '')
        .slice(2),
    ),
  );

/** PEM of a self-signed certificate for an IPv4 address, and of its key. */
export function selfSigned(address = '127.0.0.1'): { cert: string; key: string } {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const ecdsaWithSha256 = sequence(element(6, bytes(0x2a, 0x86, 0x48, 0xce, 0x3d, 4, 3, 2)));
  const commonName = sequence(element(6, bytes(0x55, 4, 3)), element(0x0c, Buffer.from('ossa-webrtc test')));
  const name = sequence(element(0x31, commonName));
  const alternativeName = sequence(
    element(6, bytes(0x55, 0x1d, 0x11)),
    element(4, sequence(element(0x87, bytes(...address.split('.').map(Number))))),
  );
  const day = 24 * 60 * 60 * 1000;
  const content = sequence(
    element(0xa0, element(2, bytes(2))),
    element(2, bytes(1)),
    ecdsaWithSha256,
    name,
    sequence(utcTime(new Date(Date.now() - day)), utcTime(new Date(Date.now() + day))),
    name,
    publicKey.export({ type: 'spki', format: 'der' }),
    element(0xa3, sequence(alternativeName)),
  );
  const signature = element(3, bytes(0), sign('sha256', content, privateKey));
  const der = sequence(content, ecdsaWithSha256, signature).toString('base64');
  return {
    cert: `-----BEGIN CERTIFICATE-----\n${der.match(/.{1,64}/g)!.join('\n')}\n-----END CERTIFICATE-----\n`,
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
  };
}
