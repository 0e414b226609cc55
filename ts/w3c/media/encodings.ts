// What encodings may be: of addTransceiver() (webrtc-pc 5.1) and of setParameters() (5.2).
import { isDeepStrictEqual } from 'node:util';

import { DOMException } from '../../platform';
import { invalid, isHelper, isSameCodec, type Kind } from './codecs';
import type { RTCRtpCodec, RTCRtpEncodingParameters, RTCRtpSendParameters } from './parameters';

/** As many as the core has; browsers send three. More are cut off, as the standard has it. */
const MAX_ENCODINGS = 16;

/** RFC 8852, section 3, and what fits into the short form of a header extension (RFC 8285). RFC 8851 allows more. */
const RID = /^[A-Za-z0-9]{1,16}$/;

/**
 * "The addTransceiver sendEncodings validation steps": what the sender starts with, one at least.
 *
 * @throws TypeError for names; RangeError for `scaleResolutionDownBy` and `maxFramerate`; DOMException `OperationError` for a codec
 * that there is not.
 */
export function initialEncodings(
  kind: Kind,
  given: readonly RTCRtpEncodingParameters[],
  known: readonly RTCRtpCodec[],
): RTCRtpEncodingParameters[] {
  checkRids(given);
  const unknown = given.find(({ codec }) => codec && !isChoosable(codec, known))?.codec;
  if (unknown) throw new DOMException(`there is no codec ${JSON.stringify(unknown)} to send with`, 'OperationError');
  const all = given.map((encoding) => forKind(kind, encoding));
  all.forEach(checkNumbers);
  const scaled = all.some(({ scaleResolutionDownBy }) => scaleResolutionDownBy !== undefined);
  const encodings = all.slice(0, kind === 'audio' ? 1 : MAX_ENCODINGS);
  if (encodings.length === 0) encodings.push({ active: true });
  if (kind === 'video') {
    encodings.forEach((encoding, index) => {
      encoding.scaleResolutionDownBy ??= scaled ? 1 : 2 ** (encodings.length - index - 1);
    });
  }
  if (encodings.length === 1) delete encodings[0]?.rid;
  return encodings;
}

/** "proposedSendEncodings": what the peer's offer asks for (webrtc-pc 4.4.1.5). */
export function proposedEncodings(rids: readonly string[]): RTCRtpEncodingParameters[] {
  return rids.map((rid, index) => ({ rid, active: true, scaleResolutionDownBy: 2 ** (rids.length - index - 1) }));
}

function checkRids(encodings: readonly RTCRtpEncodingParameters[]): void {
  const rids = encodings.map(({ rid }) => rid).filter((rid) => rid !== undefined);
  const wrong = rids.find((rid) => !RID.test(rid));
  if (wrong !== undefined) {
    throw new TypeError(`The rid '${wrong}' is not made of 1 to 16 letters and digits (RFC 8852)`);
  }
  if (rids.length > 0 && rids.length < encodings.length) {
    throw new TypeError('Some encodings have a rid and some do not: give one to each');
  }
  if (rids.length === 0 && encodings.length > 1) throw new TypeError('Of several encodings each needs a rid');
  const twice = rids.find((rid, index) => rids.indexOf(rid) !== index);
  if (twice !== undefined) throw new TypeError(`Two encodings have the rid '${twice}'`);
}

/** Sizes and frame rates are video's. */
function forKind(kind: Kind, encoding: RTCRtpEncodingParameters): RTCRtpEncodingParameters {
  if (kind === 'video') return { ...encoding };
  const { scaleResolutionDownBy: _scale, maxFramerate: _rate, ...others } = encoding;
  return others;
}

function checkNumbers({ scaleResolutionDownBy, maxFramerate }: RTCRtpEncodingParameters): void {
  if (scaleResolutionDownBy !== undefined && scaleResolutionDownBy < 1) {
    throw new RangeError(`scaleResolutionDownBy is ${scaleResolutionDownBy}: it has to be 1 or more`);
  }
  if (maxFramerate !== undefined && maxFramerate < 0) {
    throw new RangeError(`maxFramerate is ${maxFramerate}: it has to be 0 or more`);
  }
}

function isChoosable(codec: RTCRtpCodec, codecs: readonly RTCRtpCodec[]): boolean {
  return codecs.some((one) => !isHelper(one) && isSameCodec(one, codec));
}

/**
 * "The setParameters validation steps": what is sent from now on. `choosable` are the codecs to choose from.
 *
 * @throws DOMException `InvalidModificationError` for what can't be changed; RangeError as {@link initialEncodings}.
 */
export function changedEncodings(
  kind: Kind,
  parameters: RTCRtpSendParameters,
  last: RTCRtpSendParameters,
  choosable: readonly RTCRtpCodec[],
): RTCRtpEncodingParameters[] {
  const { encodings, ...others } = parameters;
  const { encodings: lastEncodings, ...lastOthers } = last;
  if (encodings.length !== lastEncodings.length) {
    throw invalid(`there are ${lastEncodings.length} encodings, not ${encodings.length}: none can be added or removed`);
  }
  for (const name of ['transactionId', 'codecs', 'headerExtensions', 'rtcp'] as const) {
    if (!isDeepStrictEqual(others[name], lastOthers[name])) {
      throw invalid(`${name} can't be changed: give what the last getParameters() gave, with other encodings`);
    }
  }
  encodings.forEach(({ rid, codec }, index) => {
    if (rid !== lastEncodings[index]?.rid) throw invalid("encodings can't be renamed or reordered");
    if (codec && !isChoosable(codec, choosable)) {
      throw invalid(`the codec ${JSON.stringify(codec)} is not one of those that were negotiated`);
    }
  });
  const changed = encodings.map((encoding) => forKind(kind, encoding));
  if (kind === 'video') for (const encoding of changed) encoding.scaleResolutionDownBy ??= 1;
  changed.forEach(checkNumbers);
  return changed;
}
