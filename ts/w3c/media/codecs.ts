// Codecs as scripts name them, and as the core has them.
import { mediaCapabilities, type NativeCodec, type NativeEncodingInit, type NativePayload } from '../../native';
import { DOMException } from '../../platform';
import type { RTCRtpCapabilities, RTCRtpCodec, RTCRtpCodecParameters, RTCRtpEncodingParameters } from './parameters';

/** `audio` or `video`. */
export type Kind = 'audio' | 'video';

/** Whether there is media of this kind. */
export function isKind(kind: string): kind is Kind {
  return kind === 'audio' || kind === 'video';
}

/** `getCapabilities()`: the same for sending and receiving. `null` for a kind that there is not. */
export function capabilities(kind: string): RTCRtpCapabilities | null {
  if (!isKind(kind)) return null;
  const { codecs, headerExtensions } = mediaCapabilities(kind);
  const rtx = codecs.find((codec) => codec.rtx);
  return {
    codecs: [
      ...codecs.map(({ rtx: _, ...codec }) => codec),
      // One entry, whatever it is that is sent again (webrtc-pc 5.2.9).
      ...(rtx ? [{ mimeType: `${kind}/rtx`, clockRate: rtx.clockRate }] : []),
    ],
    headerExtensions,
  };
}

/** "The codec match algorithm" (webrtc-pc 5.2.7), for codecs that were converted. */
export function isSameCodec(one: RTCRtpCodec, other: RTCRtpCodec): boolean {
  return (
    one.mimeType.toLowerCase() === other.mimeType.toLowerCase() &&
    one.clockRate === other.clockRate &&
    one.channels === other.channels &&
    (one.sdpFmtpLine ?? '') === (other.sdpFmtpLine ?? '')
  );
}

/** Codecs that help another along, and are no use by themselves. */
export function isHelper({ mimeType }: RTCRtpCodec): boolean {
  return /\/(?:rtx|red|ulpfec|flexfec-03|cn|telephone-event)$/i.test(mimeType);
}

const isRtx = ({ mimeType }: RTCRtpCodec) => /\/rtx$/i.test(mimeType);

/**
 * Checks the argument of `setCodecPreferences()` (webrtc-pc 5.4) and returns what stands in it, each once.
 *
 * @throws DOMException `InvalidModificationError` for a codec that there is not, and for a list of helpers alone.
 */
export function checkPreferences(kind: Kind, preferences: readonly RTCRtpCodec[]): RTCRtpCodec[] {
  const known = capabilities(kind)?.codecs ?? [];
  const found: RTCRtpCodec[] = [];
  for (const codec of preferences) {
    if (!known.some((one) => isSameCodec(one, codec))) {
      throw invalid(`there is no codec ${JSON.stringify(codec)}; getCapabilities('${kind}') tells which there are`);
    }
    if (!found.some((one) => isSameCodec(one, codec))) found.push(codec);
  }
  if (found.length > 0 && found.every(isHelper)) {
    throw invalid('the preferences have no codec that media could be sent with');
  }
  return found;
}

/** Preferences as the core takes them: retransmissions belong to each codec. */
export function toNativePreferences(preferences: readonly RTCRtpCodec[]): NativeCodec[] {
  const rtx = preferences.some(isRtx);
  return preferences.filter((codec) => !isRtx(codec)).map((codec) => ({ ...codec, rtx }));
}

/** Encodings as the core takes them. */
export function toNativeEncoding(encoding: RTCRtpEncodingParameters): NativeEncodingInit {
  const { rid, active = true, maxBitrate, codec } = encoding;
  return { rid, active, maxBitrate, ...(codec && { codec: { ...codec, rtx: true } }) };
}

/** What was negotiated, with retransmissions as codecs of their own. */
export function toCodecParameters(payloads: readonly NativePayload[]): RTCRtpCodecParameters[] {
  return payloads.flatMap(({ payloadType, mimeType, clockRate, channels, sdpFmtpLine, rtx }) => {
    const codec: RTCRtpCodecParameters = {
      ...{ payloadType, mimeType, clockRate },
      ...(channels !== null && { channels }),
      ...(sdpFmtpLine !== null && { sdpFmtpLine }),
    };
    if (rtx === null) return [codec];
    const retransmissions = mimeType.replace(/\/.*/, '/rtx');
    return [codec, { payloadType: rtx, mimeType: retransmissions, clockRate, sdpFmtpLine: `apt=${payloadType}` }];
  });
}

/** `InvalidModificationError`. */
export function invalid(message: string): DOMException {
  return new DOMException(message, 'InvalidModificationError');
}
