// What files want to know of Opus beyond its packets.
import { EncodedPacket } from 'mediabunny';

/** Two channels, nothing to be left out at the begin, 48,000 samples a second (RFC 7845, section 5.1). */
const HEAD = Buffer.concat([Buffer.from('OpusHead'), Uint8Array.of(1, 2, 0, 0, 0x80, 0xbb, 0, 0, 0, 0, 0)]);
/** What files say of it. */
export const OPUS = { decoderConfig: { codec: 'opus', sampleRate: 48_000, numberOfChannels: 2, description: HEAD } };

/** Seconds that a packet of Opus plays (RFC 6716, section 3.1). */
export function duration([toc = 0, count = 0]: Uint8Array): number {
  const [config, code] = [toc >> 3, toc & 3];
  const frame =
    config < 12 ? [10, 20, 40, 60][config & 3]! : config < 16 ? [10, 20][config & 1]! : 2.5 * 2 ** (config & 3);
  return ((code === 3 ? count & 0x3f : code === 0 ? 1 : 2) * frame) / 1000;
}

/** Ogg has no times but those that the packets before make up: what is missing has to be in it as lost (RFC 7845, section 4.1), or the rest comes too early. */
export function withoutGaps(add: (packet: EncodedPacket) => Promise<void>) {
  let next: number | undefined;
  return async (packet: EncodedPacket): Promise<void> => {
    // A packet of nothing but its first byte: its frame is lost, and the decoder makes something up.
    const lost = Uint8Array.of((packet.data[0] ?? 0) & 0xfc);
    const length = duration(lost);
    for (next ??= packet.timestamp; packet.timestamp - next > length / 2; next += length) {
      await add(new EncodedPacket(lost, 'key', next, length));
    }
    await add(packet);
    next += packet.duration;
  };
}
