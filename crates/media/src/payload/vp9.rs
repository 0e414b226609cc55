//! VP9 (RFC 9628).

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Reader;
use super::error::{Malformed, PacketizeError};
use super::info::{Layer, PayloadInfo, Start};
use super::split::{evenly, room_after};
use crate::types::Codec;

/// The largest payload descriptor that we write: flags, picture identifier, layer, `TL0PICIDX`, scalability structure.
const DESCRIPTOR: usize = 6;
const PICTURE_ID: u8 = 0x80;
const PREDICTED: u8 = 0x40;
const LAYER: u8 = 0x20;
const FLEXIBLE: u8 = 0x10;
const BEGIN: u8 = 0x08;
const END: u8 = 0x04;
const STRUCTURE: u8 = 0x02;

/// Numbers the frames, so that receivers see which are missing.
#[derive(Debug)]
pub(super) struct Packetizer {
    picture: u16,
    base: u8,
}

impl Packetizer {
    pub(super) fn new(seed: u16) -> Self {
        Self { picture: seed & 0x7fff, base: (seed >> 8) as u8 }
    }

    /// One spatial and one temporal layer in the mode that is not flexible, which all browsers read.
    pub(super) fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<(), PacketizeError> {
        let room = room_after(DESCRIPTOR, max_payload, Codec::Vp9)?;
        let key_frame = is_key_frame(frame)?;
        let mut rest = frame.as_ref();
        let mut buffer = BytesMut::with_capacity(frame.len() + frame.len().div_ceil(room) * DESCRIPTOR);
        for size in evenly(frame.len(), room) {
            let (part, after) = rest.split_at(size);
            let begin = rest.len() == frame.len();
            let structure = begin && key_frame;
            let flag = |set: bool, bit: u8| if set { bit } else { 0 };
            buffer.put_u8(
                PICTURE_ID
                    | LAYER
                    | flag(!key_frame, PREDICTED)
                    | flag(begin, BEGIN)
                    | flag(after.is_empty(), END)
                    | flag(structure, STRUCTURE),
            );
            buffer.put_u16(0x8000 | self.picture);
            buffer.put_u8(0); // temporal and spatial layer 0
            buffer.put_u8(self.base);
            if structure {
                buffer.put_u8(0); // one spatial layer, no sizes, no groups of pictures
            }
            buffer.put_slice(part);
            out.push(buffer.split().freeze());
            rest = after;
        }
        self.picture = (self.picture + 1) & 0x7fff;
        self.base = self.base.wrapping_add(1);
        Ok(())
    }
}

/// Whether a frame depends on no other: the first bits of its uncompressed header tell (VP9 bitstream specification 6.2).
fn is_key_frame(frame: &[u8]) -> Result<bool, PacketizeError> {
    const WRONG: PacketizeError =
        PacketizeError::NotAFrame { codec: Codec::Vp9, what: "its first two bits are not the frame marker" };
    let &first = frame.first().ok_or(PacketizeError::Empty)?;
    if first >> 6 != 2 {
        return Err(WRONG);
    }
    // A reserved bit follows profile 3.
    let shift = if first & 0x30 == 0x30 { 1 } else { 0 };
    let shows_existing = first << shift & 0x08 != 0;
    let predicted = first << shift & 0x04 != 0;
    Ok(!shows_existing && !predicted)
}

/// The descriptor, and what comes behind it.
fn parse(payload: &[u8]) -> Result<(PayloadInfo, &[u8]), Malformed> {
    let mut reader = Reader::new(payload);
    let flags = reader.byte()?;
    if flags & PICTURE_ID != 0 {
        reader.picture_id()?;
    }
    let mut layer = None;
    let mut spatial = 0;
    if flags & LAYER != 0 {
        let indices = reader.byte()?;
        spatial = indices >> 1 & 0x07;
        let base = if flags & FLEXIBLE == 0 { Some(reader.byte()?) } else { None };
        layer = Some(Layer { temporal: indices >> 5, sync: false, switch: indices & 0x10 != 0, base });
    }
    if flags & FLEXIBLE != 0 && flags & PREDICTED != 0 {
        // Up to three differences to pictures that this one refers to, each of which says whether one more comes.
        for more in [true, true, false] {
            match reader.byte()? & 1 {
                0 => break,
                _ if !more => return Err(Malformed("a picture of VP9 refers to at most three others")),
                _ => {}
            }
        }
    }
    if flags & STRUCTURE != 0 {
        skip_structure(&mut reader)?;
    }
    if reader.rest().is_empty() {
        return Err(Malformed("nothing comes behind the VP9 payload descriptor"));
    }
    let start = match (flags & BEGIN != 0, spatial) {
        (false, _) => Start::No,
        (true, 0) => Start::Yes,
        // A layer frame begins, but the picture may have begun with one of a lower layer.
        (true, _) => Start::Unknown,
    };
    Ok((PayloadInfo { start, key_frame: flags & PREDICTED == 0, layer }, reader.rest()))
}

/// The scalability structure (RFC 9628 4.2.1), which decoders do not need.
fn skip_structure(reader: &mut Reader<'_>) -> Result<(), Malformed> {
    let flags = reader.byte()?;
    if flags & 0x10 != 0 {
        reader.take(4 * (usize::from(flags >> 5) + 1))?;
    }
    if flags & 0x08 != 0 {
        for _ in 0..reader.byte()? {
            let picture = reader.byte()?;
            reader.take(usize::from(picture >> 2 & 0x03))?;
        }
    }
    Ok(())
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, Malformed> {
    Ok(parse(payload)?.0)
}

/// Joins what comes behind the descriptors; layers of one picture stand behind each other, as decoders take them.
pub(super) fn assemble<'a>(payloads: impl Iterator<Item = &'a Bytes> + Clone) -> Result<Bytes, Malformed> {
    let mut frame = BytesMut::with_capacity(payloads.clone().map(Bytes::len).sum());
    for payload in payloads {
        let (info, data) = parse(payload)?;
        match (frame.is_empty(), info.start) {
            (true, Start::No) => return Err(Malformed("a frame of VP9 starts with its first packet")),
            (false, Start::Yes) => return Err(Malformed("two frames of VP9 stand where one should")),
            _ => frame.put_slice(data),
        }
    }
    if frame.is_empty() { Err(Malformed("a frame has at least one packet")) } else { Ok(frame.freeze()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: u8 = 0x80;
    const INTER: u8 = 0x84;

    fn packets(packetizer: &mut Packetizer, frame: &[u8], room: usize) -> Vec<Bytes> {
        let mut out = Vec::new();
        packetizer.packetize(&Bytes::copy_from_slice(frame), room, &mut out).expect("it fits");
        out
    }

    #[test]
    fn a_frame_comes_back_from_the_packets_that_carry_it() {
        for first in [KEY, INTER] {
            let mut frame = vec![first];
            frame.extend((0..5_000).map(|byte| byte as u8));
            let packets = packets(&mut Packetizer::new(3), &frame, 1_200);
            assert_eq!(packets.len(), 5);
            assert!(packets.iter().all(|packet| packet.len() <= 1_200));
            assert_eq!(assemble(packets.iter()), Ok(frame.into()));
            for (at, packet) in packets.iter().enumerate() {
                let info = inspect(packet).expect("a descriptor");
                assert_eq!(info.start, if at == 0 { Start::Yes } else { Start::No });
                assert_eq!(info.key_frame, first == KEY);
            }
        }
    }

    #[test]
    fn frames_and_pictures_of_the_lowest_layer_are_counted() {
        let mut packetizer = Packetizer::new(0x7fff);
        assert_eq!(packets(&mut packetizer, &[KEY], 100)[0][..], [0xae, 0xff, 0xff, 0, 0x7f, 0, KEY]);
        assert_eq!(packets(&mut packetizer, &[INTER], 100)[0][..], [0xec, 0x80, 0x00, 0, 0x80, INTER]);
    }

    #[test]
    fn the_frame_type_is_read_in_every_profile() {
        assert_eq!(is_key_frame(&[0x80]), Ok(true));
        assert_eq!(is_key_frame(&[0x84]), Ok(false));
        assert_eq!(is_key_frame(&[0x88]), Ok(false), "shows a frame that was decoded before");
        assert_eq!(is_key_frame(&[0xb0]), Ok(true), "profile 3");
        assert_eq!(is_key_frame(&[0xb2]), Ok(false), "profile 3");
        assert!(is_key_frame(&[0x00]).is_err());
    }

    #[test]
    fn a_picture_of_a_browser_with_layers_and_structure_is_read() {
        // I, L, B, V; picture 5; temporal layer 1 with U, spatial layer 0; TL0PICIDX 9;
        // two spatial layers with sizes, two pictures in the group of which the second has a reference
        let mut first =
            vec![0xaa, 0x05, 0x30, 0x09, 0x38, 1, 64, 0, 180, 2, 128, 1, 104, 2, 0x00, 0x24, 0x01];
        first.push(KEY);
        let info = inspect(&first).expect("a descriptor");
        assert_eq!(info.layer, Some(Layer { temporal: 1, sync: false, switch: true, base: Some(9) }));
        assert_eq!((info.start, info.key_frame), (Start::Yes, true));
        // the layer above, which begins in the middle of the picture
        let second = [0xac, 0x05, 0x33, 0x09, INTER];
        assert_eq!(inspect(&second).expect("a descriptor").start, Start::Unknown);
        let picture = assemble([&Bytes::from(first), &Bytes::copy_from_slice(&second)].into_iter());
        assert_eq!(picture, Ok(Bytes::from_static(&[KEY, INTER])));
    }

    #[test]
    fn a_picture_in_flexible_mode_tells_its_references() {
        // I, P, L, F, B; picture 5; layer; two differences
        let info = inspect(&[0xf8, 0x05, 0x00, 0x03, 0x04, INTER]).expect("a descriptor");
        assert!(!info.key_frame);
        assert_eq!(info.layer, Some(Layer { temporal: 0, sync: false, switch: false, base: None }));
        assert!(inspect(&[0xf8, 0x05, 0x00, 0x03, 0x03, 0x03, INTER]).is_err(), "four differences");
    }

    #[test]
    fn what_is_cut_off_or_out_of_place_is_malformed() {
        for cut in [&[0xaa][..], &[0xaa, 0x05, 0x30], &[0x0a, 0x18, 0], &[0x0a, 0x08, 9, 0x0c], &[0x08]] {
            assert!(inspect(cut).is_err(), "{cut:?}");
        }
        let (begin, middle) = (Bytes::from_static(&[0x08, 1]), Bytes::from_static(&[0x00, 1]));
        assert!(assemble([&middle].into_iter()).is_err());
        assert!(assemble([&begin, &begin].into_iter()).is_err());
    }
}
