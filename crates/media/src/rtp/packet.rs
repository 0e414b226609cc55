//! Whole packets.

use bytes::Bytes;
use rtp_types::{RtpPacket as Reader, RtpPacketBuilder};

use super::extensions::ExtensionMap;
use crate::error::MediaError;
use crate::frame::RtpPacket;

/// Reads a decrypted packet. `None` if it is none: too short for what it claims to hold, or not of version 2.
pub fn parse(packet: &Bytes, map: &ExtensionMap) -> Option<RtpPacket> {
    let reader = Reader::parse(packet).ok()?;
    let start = reader.payload_offset();
    let extensions = match reader.extension() {
        Some((profile, block)) => map.read(profile, &packet.slice(start - block.len()..start)),
        None => crate::frame::ExtensionValues::default(),
    };
    Some(RtpPacket {
        payload: reader.payload_type(),
        marker: reader.marker_bit(),
        sequence: reader.sequence_number(),
        timestamp: reader.timestamp(),
        ssrc: reader.ssrc(),
        csrcs: reader.csrc().collect(),
        extensions,
        data: packet.slice(start..start + reader.payload_len()),
    })
}

/// Appends `packet`, whose payload is followed by `padding` bytes, to `out`; returns the bytes of its header.
///
/// Fails if the payload type is above 127 or there are more than 15 contributing sources.
pub fn write(
    packet: &RtpPacket,
    prefix: &[u8],
    padding: u8,
    map: &ExtensionMap,
    out: &mut Vec<u8>,
) -> Result<usize, MediaError> {
    let mut block = Vec::with_capacity(32);
    let profile = map.write(&packet.extensions, &mut block);
    let mut builder = RtpPacketBuilder::<&[u8], &[u8]>::new()
        .payload_type(packet.payload)
        .marker_bit(packet.marker)
        .sequence_number(packet.sequence)
        .timestamp(packet.timestamp)
        .ssrc(packet.ssrc)
        .maybe_padding((padding > 0).then_some(padding))
        .payload(prefix)
        .payload(&packet.data);
    if let Some(profile) = profile {
        builder = builder.extension(profile, &block);
    }
    for &csrc in &packet.csrcs {
        builder = builder.add_csrc(csrc);
    }
    builder
        .write_into_vec(out)
        .map_err(|error| MediaError::Invalid(format!("the RTP packet can't be written: {error}")))?;
    Ok(12 + 4 * packet.csrcs.len() + profile.map_or(0, |_| 4 + block.len()))
}
