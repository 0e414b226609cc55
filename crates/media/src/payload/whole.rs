//! Formats with one frame per packet and no header: Opus (RFC 7587 4.2), G.711 (RFC 3551 4.5.14), the events of telephones
//! (RFC 4733) and comfort noise (RFC 3389).

use bytes::Bytes;

use super::error::{Malformed, PacketizeError};
use crate::types::Codec;

/// The frame is the payload.
pub(super) fn packetize(
    codec: Codec,
    frame: &Bytes,
    max_payload: usize,
    out: &mut Vec<Bytes>,
) -> Result<(), PacketizeError> {
    if frame.len() > max_payload {
        return Err(PacketizeError::TooLarge { codec, size: frame.len(), room: max_payload });
    }
    out.push(frame.clone());
    Ok(())
}

/// The payload is the frame.
pub(super) fn assemble<'a>(mut payloads: impl Iterator<Item = &'a Bytes>) -> Result<Bytes, Malformed> {
    match (payloads.next(), payloads.next()) {
        (Some(payload), None) => Ok(payload.clone()),
        _ => Err(Malformed("a frame of this codec has exactly one packet")),
    }
}
