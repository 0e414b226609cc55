//! AV1 (RTP Payload Format For AV1, version 1.0). A frame is a temporal unit in the low-overhead format, each OBU with its size.

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Reader;
use super::error::{Malformed, PacketizeError};
use super::info::{PayloadInfo, Start};
use crate::types::Codec;

// The aggregation header.
const CONTINUES: u8 = 0x80;
const CONTINUED: u8 = 0x40;
const COUNT: u8 = 0x30;
const NEW_SEQUENCE: u8 = 0x08;

// The OBU header.
const FORBIDDEN: u8 = 0x80;
const TYPE: u8 = 0x78;
const EXTENSION: u8 = 0x04;
const HAS_SIZE: u8 = 0x02;

// OBU types, where they stand in the header.
const SEQUENCE_HEADER: u8 = 1 << 3;
const TEMPORAL_DELIMITER: u8 = 2 << 3;
const TILE_LIST: u8 = 8 << 3;
const PADDING: u8 = 15 << 3;

/// A part of an OBU of fewer bytes is not worth its length field.
const LEAST_PART: usize = 16;
/// The smallest packets that we write: header, length, a part.
const LEAST_ROOM: usize = 1 + 2 + LEAST_PART;
/// A temporal unit has a few OBUs for each tile and layer. More are an attempt at our memory: each takes a header of ours.
const MOST_OBUS: usize = 4096;

/// Fills packet after packet with OBUs and parts of them.
pub(super) fn packetize(
    frame: &Bytes,
    max_payload: usize,
    out: &mut Vec<Bytes>,
) -> Result<(), PacketizeError> {
    if max_payload < LEAST_ROOM {
        return Err(PacketizeError::NoRoom { codec: Codec::Av1, room: max_payload, least: LEAST_ROOM });
    }
    let elements =
        elements(frame).map_err(|Malformed(what)| PacketizeError::NotAFrame { codec: Codec::Av1, what })?;
    let new_sequence = elements.iter().any(|element| element[0] & TYPE == SEQUENCE_HEADER);
    // No datagram of IP is larger.
    let max_payload = max_payload.min(u16::MAX.into());
    let mut packet = BytesMut::with_capacity(max_payload);
    packet.put_u8(if new_sequence { NEW_SEQUENCE } else { 0 });
    for mut element in elements {
        loop {
            let room = max_payload - packet.len();
            // A length that is too long by a byte is allowed; two bytes hold 16,383.
            let fits = room.saturating_sub(if room < 16_384 { 2 } else { 4 });
            if element.len() > fits && fits < LEAST_PART {
                out.push(packet.split().freeze());
                packet.put_u8(0);
                continue;
            }
            let part = element.split_to(element.len().min(fits));
            put_leb128(&mut packet, part.len());
            packet.put_slice(&part);
            if element.is_empty() {
                break;
            }
            packet[0] |= CONTINUED;
            out.push(packet.split().freeze());
            packet.put_u8(CONTINUES);
        }
    }
    out.push(packet.freeze());
    Ok(())
}

/// The OBUs that are sent, without their size. Delimiters are not: the timestamps of packets tell as much.
fn elements(frame: &Bytes) -> Result<Vec<Bytes>, Malformed> {
    let mut reader = Reader::new(frame);
    let mut elements = Vec::new();
    while !reader.rest().is_empty() {
        let (header, extension) = obu_header(&mut reader)?;
        if header & HAS_SIZE == 0 {
            return Err(Malformed("an OBU has no size: the low-overhead format is expected"));
        }
        let size = leb128(&mut reader)?;
        let data = reader.take(size)?;
        if matches!(header & TYPE, TEMPORAL_DELIMITER | TILE_LIST | PADDING) {
            continue;
        }
        let mut element = BytesMut::with_capacity(2 + size);
        element.put_u8(header & !HAS_SIZE);
        element.extend(extension);
        element.put_slice(data);
        elements.push(element.freeze());
    }
    if elements.is_empty() {
        Err(Malformed("there is no OBU in it that would be sent"))
    } else {
        Ok(elements)
    }
}

/// The header of an OBU, and its extension if it has one.
fn obu_header(reader: &mut Reader<'_>) -> Result<(u8, Option<u8>), Malformed> {
    let header = reader.byte()?;
    if header & FORBIDDEN != 0 {
        return Err(Malformed("the forbidden bit of an OBU is set"));
    }
    let extension = if header & EXTENSION != 0 { Some(reader.byte()?) } else { None };
    Ok((header, extension))
}

/// A number in LEB128 (AV1 bitstream specification 4.10.5) that can be a size in a packet.
fn leb128(reader: &mut Reader<'_>) -> Result<usize, Malformed> {
    let mut value = 0_u64;
    for group in 0..8 {
        let byte = reader.byte()?;
        value |= u64::from(byte & 0x7f) << (7 * group);
        if byte & 0x80 == 0 {
            return usize::try_from(value).map_err(|_| Malformed("a size of AV1 is too large"));
        }
    }
    Err(Malformed("a size of AV1 has more than eight bytes"))
}

fn put_leb128(buffer: &mut BytesMut, mut value: usize) {
    while value >= 0x80 {
        buffer.put_u8(value as u8 | 0x80);
        value >>= 7;
    }
    buffer.put_u8(value as u8);
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, Malformed> {
    let &[header, _, ..] = payload else {
        return Err(Malformed("nothing comes behind the aggregation header of AV1"));
    };
    let new_sequence = header & NEW_SEQUENCE != 0;
    let start = match (header & CONTINUES != 0, new_sequence) {
        (true, true) => return Err(Malformed("a sequence of AV1 can't begin in the middle of an OBU")),
        (true, false) => Start::No,
        (false, true) => Start::Yes,
        (false, false) => Start::Unknown,
    };
    Ok(PayloadInfo { start, key_frame: new_sequence, layer: None })
}

/// Joins the parts of OBUs and gives each its size, behind a temporal delimiter.
pub(super) fn assemble<'a>(payloads: impl Iterator<Item = &'a Bytes> + Clone) -> Result<Bytes, Malformed> {
    let mut frame = BytesMut::with_capacity(payloads.clone().map(|payload| payload.len() + 4).sum());
    frame.put_slice(&[TEMPORAL_DELIMITER | HAS_SIZE, 0]);
    let mut open = Vec::new();
    let mut obus = 0;
    for payload in payloads {
        let mut reader = Reader::new(payload);
        let header = reader.byte()?;
        if (header & CONTINUES != 0) == open.is_empty() {
            return Err(Malformed("the parts of an OBU do not stand behind each other"));
        }
        let count = header & COUNT;
        let mut element = 0_u8;
        while !reader.rest().is_empty() {
            element = element.saturating_add(1);
            let last_of_count = count != 0 && element == count >> 4;
            let size = if last_of_count { reader.rest().len() } else { leb128(&mut reader)? };
            open.extend_from_slice(reader.take(size)?);
            if !reader.rest().is_empty() || header & CONTINUED == 0 {
                obus += 1;
                put_obu(&mut frame, &open)?;
                open.clear();
            }
        }
        if element == 0 || (count != 0 && element != count >> 4) || obus > MOST_OBUS {
            return Err(Malformed("a packet of AV1 has not as many OBUs as it says, or too many"));
        }
    }
    if !open.is_empty() || obus == 0 {
        return Err(Malformed("the last OBU of a frame has no end"));
    }
    Ok(frame.freeze())
}

/// Writes an OBU with its size, whether it had one or not.
fn put_obu(frame: &mut BytesMut, obu: &[u8]) -> Result<(), Malformed> {
    let mut reader = Reader::new(obu);
    let (header, extension) = obu_header(&mut reader)?;
    let data = if header & HAS_SIZE != 0 {
        let size = leb128(&mut reader)?;
        reader.take(size)?
    } else {
        reader.rest()
    };
    if header & TYPE == TEMPORAL_DELIMITER {
        return Ok(());
    }
    frame.put_u8(header | HAS_SIZE);
    frame.extend(extension);
    put_leb128(frame, data.len());
    frame.put_slice(data);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A temporal unit: a delimiter, a sequence header if it is a key frame, and a frame.
    fn unit(key_frame: bool, size: usize) -> Bytes {
        let mut frame = BytesMut::from(&[0x12, 0x00][..]);
        if key_frame {
            frame.put_slice(&[0x0a, 3, 1, 2, 3]);
        }
        frame.put_u8(0x32);
        put_leb128(&mut frame, size);
        frame.extend((0..size).map(|byte| byte as u8));
        frame.freeze()
    }

    fn packets(frame: &Bytes, room: usize) -> Vec<Bytes> {
        let mut out = Vec::new();
        packetize(frame, room, &mut out).expect("it fits");
        out
    }

    #[test]
    fn a_temporal_unit_comes_back_from_the_packets_that_carry_it() {
        for (key_frame, size, room) in
            [(true, 5_000, 1_200), (false, 5_000, 1_200), (true, 1, 19), (false, 20, 19)]
        {
            let frame = unit(key_frame, size);
            let packets = packets(&frame, room);
            assert!(packets.iter().all(|packet| packet.len() <= room));
            assert_eq!(assemble(packets.iter()), Ok(frame));
            let first = inspect(&packets[0]).expect("a header");
            assert_eq!(first.key_frame, key_frame);
            assert_eq!(first.start, if key_frame { Start::Yes } else { Start::Unknown });
            for later in &packets[1..] {
                assert_eq!(inspect(later).expect("a header").start, Start::No);
            }
        }
    }

    #[test]
    fn packets_that_count_their_obus_are_read() {
        // W = 2: a sequence header with its length, a frame without; as libwebrtc writes it
        let payload = Bytes::from_static(&[0x28, 2, 0x08, 7, 0x30, 9, 9]);
        let expected = [0x12, 0x00, 0x0a, 1, 7, 0x32, 2, 9, 9];
        assert_eq!(assemble([&payload].into_iter()), Ok(Bytes::copy_from_slice(&expected)));
    }

    #[test]
    fn a_frame_without_sizes_or_without_content_is_refused() {
        for wrong in [&[0x30, 1, 2][..], &[0x12, 0x00], &[0x32, 9, 1], &[0xb2, 0], &[0x32, 0xff]] {
            let refused = packetize(&Bytes::copy_from_slice(wrong), 1_200, &mut Vec::new());
            assert!(matches!(refused, Err(PacketizeError::NotAFrame { .. })), "{wrong:?}");
        }
    }

    #[test]
    fn what_is_cut_off_or_out_of_place_is_malformed() {
        let wrong: [&[u8]; 8] = [
            &[0x00],
            &[0x00, 9, 1],
            &[0x20, 1, 0x30],    // two OBUs are announced
            &[0x80, 1, 0x30],    // continues what never began
            &[0x40, 1, 0x30],    // goes on in a packet that never comes
            &[0x10, 0xb0],       // the forbidden bit
            &[0x10, 0x32, 5, 1], // a size beyond the end
            &[0x00, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0],
        ];
        for payload in wrong {
            assert!(assemble([&Bytes::from_static(payload)].into_iter()).is_err(), "{payload:?}");
        }
        assert!(inspect(&[0x88, 1]).is_err());
    }
}
