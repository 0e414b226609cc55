//! VP8 (RFC 7741).

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Reader;
use super::error::{Malformed, PacketizeError};
use super::info::{Layer, PayloadInfo, Start};
use super::split::{evenly, room_after};
use crate::types::Codec;

/// The payload descriptor that we write: flags, extension flags, a picture identifier of 15 bits.
const DESCRIPTOR: usize = 4;
const EXTENDED: u8 = 0x80;
const START: u8 = 0x10;
const PARTITION: u8 = 0x07;
const PICTURE_ID: u8 = 0x80;
const BASE_INDEX: u8 = 0x40;
const TEMPORAL: u8 = 0x20;
const KEY_INDEX: u8 = 0x10;

/// Numbers the frames, so that receivers see which are missing.
#[derive(Debug)]
pub(super) struct Packetizer {
    picture: u16,
}

impl Packetizer {
    pub(super) fn new(seed: u16) -> Self {
        Self { picture: seed & 0x7fff }
    }

    /// The whole frame is sent as its first partition, as libwebrtc does: receivers join them all again, and fewer packets
    /// are needed.
    pub(super) fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<(), PacketizeError> {
        let room = room_after(DESCRIPTOR, max_payload, Codec::Vp8)?;
        let mut rest = frame.as_ref();
        let mut buffer = BytesMut::with_capacity(frame.len() + frame.len().div_ceil(room) * DESCRIPTOR);
        for size in evenly(frame.len(), room) {
            let (part, after) = rest.split_at(size);
            buffer.put_u8(EXTENDED | if rest.len() == frame.len() { START } else { 0 });
            buffer.put_u8(PICTURE_ID);
            buffer.put_u16(0x8000 | self.picture);
            buffer.put_slice(part);
            out.push(buffer.split().freeze());
            rest = after;
        }
        self.picture = (self.picture + 1) & 0x7fff;
        Ok(())
    }
}

/// The descriptor, and what comes behind it.
fn parse(payload: &[u8]) -> Result<(PayloadInfo, &[u8]), Malformed> {
    let mut reader = Reader::new(payload);
    let flags = reader.byte()?;
    let mut layer = None;
    if flags & EXTENDED != 0 {
        let extension = reader.byte()?;
        if extension & PICTURE_ID != 0 {
            reader.picture_id()?;
        }
        let base = if extension & BASE_INDEX != 0 { Some(reader.byte()?) } else { None };
        if extension & (TEMPORAL | KEY_INDEX) != 0 {
            let index = reader.byte()?;
            if extension & TEMPORAL != 0 {
                layer = Some(Layer { temporal: index >> 6, sync: index & 0x20 != 0, switch: false, base });
            }
        }
    }
    let data = reader.rest();
    let &first = data.first().ok_or(Malformed("nothing comes behind the VP8 payload descriptor"))?;
    let start = flags & START != 0 && flags & PARTITION == 0;
    let info = PayloadInfo {
        start: if start { Start::Yes } else { Start::No },
        key_frame: start && first & 1 == 0, // RFC 6386 9.1
        layer,
    };
    Ok((info, data))
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, Malformed> {
    Ok(parse(payload)?.0)
}

/// Joins what comes behind the descriptors.
pub(super) fn assemble<'a>(payloads: impl Iterator<Item = &'a Bytes> + Clone) -> Result<Bytes, Malformed> {
    let mut frame = BytesMut::with_capacity(payloads.clone().map(Bytes::len).sum());
    for payload in payloads {
        let (info, data) = parse(payload)?;
        if frame.is_empty() != (info.start == Start::Yes) {
            return Err(Malformed("a frame of VP8 starts with its first packet, and only there"));
        }
        frame.put_slice(data);
    }
    if frame.is_empty() { Err(Malformed("a frame has at least one packet")) } else { Ok(frame.freeze()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packets(packetizer: &mut Packetizer, frame: &[u8], room: usize) -> Vec<Bytes> {
        let mut out = Vec::new();
        packetizer.packetize(&Bytes::copy_from_slice(frame), room, &mut out).expect("it fits");
        out
    }

    #[test]
    fn a_frame_comes_back_from_the_packets_that_carry_it() {
        let mut packetizer = Packetizer::new(0x7fff);
        let frame: Vec<u8> = (0..5_000).map(|byte| byte as u8).collect();
        let packets = packets(&mut packetizer, &frame, 1_200);
        assert_eq!(packets.len(), 5);
        assert!(packets.iter().all(|packet| packet.len() <= 1_200));
        assert_eq!(assemble(packets.iter()), Ok(frame.into()));
    }

    #[test]
    fn the_picture_identifier_counts_frames_and_wraps_at_15_bits() {
        let mut packetizer = Packetizer::new(0x7fff);
        assert_eq!(packets(&mut packetizer, &[0x00], 100)[0][..4], [0x90, 0x80, 0xff, 0xff]);
        assert_eq!(packets(&mut packetizer, &[0x01], 100)[0][..4], [0x90, 0x80, 0x80, 0x00]);
    }

    #[test]
    fn a_key_frame_is_told_by_its_first_packet() {
        let mut packetizer = Packetizer::new(0);
        let key = packets(&mut packetizer, &[0x10, 2, 2, 2], 6);
        let info = |payload: &Bytes| inspect(payload).expect("a descriptor");
        assert_eq!(info(&key[0]), PayloadInfo { start: Start::Yes, key_frame: true, layer: None });
        assert_eq!(info(&key[1]), PayloadInfo { start: Start::No, key_frame: false, layer: None });
        assert!(!info(&packets(&mut packetizer, &[0x11, 2], 100)[0]).key_frame);
    }

    #[test]
    fn every_optional_field_of_the_descriptor_is_read() {
        // X; I, L, T, K; a picture identifier of 7 bits; TL0PICIDX; TID 2, Y, KEYIDX 3; an inter frame
        let info = inspect(&[0x90, 0xf0, 0x11, 0x2a, 0xa3, 0x01]).expect("a descriptor");
        assert_eq!(info.layer, Some(Layer { temporal: 2, sync: true, switch: false, base: Some(0x2a) }));
        // K alone: the byte is there, but speaks of no layer
        assert_eq!(inspect(&[0x90, 0x10, 0xa3, 0x01]).expect("a descriptor").layer, None);
        // a later partition of the frame
        assert_eq!(inspect(&[0x11, 0x00]).expect("a descriptor").start, Start::No);
    }

    #[test]
    fn what_is_cut_off_or_out_of_place_is_malformed() {
        for cut in [&[0x90][..], &[0x90, 0xf0, 0x91], &[0x90, 0xf0, 0x11, 0x2a], &[0x90, 0x80, 0x11], &[0x10]]
        {
            assert!(inspect(cut).is_err(), "{cut:?}");
        }
        let (start, middle) = (Bytes::from_static(&[0x10, 1]), Bytes::from_static(&[0x00, 1]));
        assert!(assemble([&middle].into_iter()).is_err());
        assert!(assemble([&start, &start].into_iter()).is_err());
        assert!(assemble([].into_iter()).is_err());
    }

    #[test]
    fn a_packet_without_room_is_refused() {
        let refused = Packetizer::new(0).packetize(&Bytes::from_static(&[0]), 4, &mut Vec::new());
        assert_eq!(refused, Err(PacketizeError::NoRoom { codec: Codec::Vp8, room: 4, least: 5 }));
    }
}
