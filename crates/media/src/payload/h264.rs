//! H.264 (RFC 6184): single NAL units and, in packetization mode 1, STAP-A and FU-A. A frame is an access unit in Annex B.

use std::ops::Range;

use bytes::{BufMut, Bytes, BytesMut};

use super::bits::Reader;
use super::error::{Malformed, PacketizeError};
use super::info::{PayloadInfo, Start};
use super::parameter_sets::{PICTURE, ParameterSets, SEQUENCE};
use super::split::evenly;
use crate::types::Codec;

// NAL unit types (ITU-T H.264 table 7-1, RFC 6184 table 1).
const SLICE: u8 = 1;
const IDR: u8 = 5;
const DELIMITER: u8 = 9;
const FILLER: u8 = 12;
const STAP_A: u8 = 24;
const FU_A: u8 = 28;

const TYPE: u8 = 0x1f;
/// How important a NAL unit is.
const IMPORTANCE: u8 = 0x60;
const FU_START: u8 = 0x80;
const FU_END: u8 = 0x40;
/// Bytes before a fragment of a NAL unit.
const FU_HEADER: usize = 2;
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// Remembers the parameter sets: some encoders say them once, but whoever joins later needs them with each key frame.
#[derive(Debug)]
pub(super) struct Packetizer {
    /// Packetization mode 1: units are put together and split. The default is 0, one for each packet (RFC 6184 8.1).
    aggregates: bool,
    parameter_sets: ParameterSets,
}

impl Packetizer {
    pub(super) fn new(fmtp: &str) -> Self {
        let aggregates = fmtp.split(';').any(|parameter| parameter.trim() == "packetization-mode=1");
        Self { aggregates, parameter_sets: ParameterSets::default() }
    }

    pub(super) fn packetize(
        &mut self,
        frame: &Bytes,
        max_payload: usize,
        out: &mut Vec<Bytes>,
    ) -> Result<(), PacketizeError> {
        let units = self.units(frame)?;
        // The lengths in a STAP-A have 16 bits.
        let room = max_payload.min(u16::MAX.into());
        if room <= FU_HEADER {
            let least = FU_HEADER + 1;
            return Err(PacketizeError::NoRoom { codec: Codec::H264, room: max_payload, least });
        }
        if self.aggregates {
            write(&units, room, out);
            return Ok(());
        }
        if let Some(large) = units.iter().find(|unit| unit.len() > room) {
            return Err(PacketizeError::TooLarge { codec: Codec::H264, size: large.len(), room });
        }
        out.extend(units);
        Ok(())
    }

    /// The NAL units that are sent for a frame. Delimiters and fillers are not: packets have borders and sizes of their own.
    fn units(&mut self, frame: &Bytes) -> Result<Vec<Bytes>, PacketizeError> {
        let wrong = |what| PacketizeError::NotAFrame { codec: Codec::H264, what };
        let mut units = Vec::new();
        for range in
            annex_b(frame).ok_or(wrong("it does not begin with 00 00 01, the start code of Annex B"))?
        {
            let unit = frame.slice(range);
            match unit.first().map(|header| header & TYPE) {
                None | Some(DELIMITER | FILLER) => {}
                Some(0 | STAP_A..) => {
                    return Err(wrong("it has a NAL unit of a type that is reserved for packets"));
                }
                Some(_) => units.push(unit),
            }
        }
        if units.is_empty() {
            return Err(wrong("there is no NAL unit in it that would be sent"));
        }
        let sets = || units.iter().filter(|unit| is_parameter_set(unit[0])).map(Bytes::as_ref);
        if sets().next().is_some() {
            self.parameter_sets.update(sets());
        }
        let of_type = |wanted| units.iter().any(|unit| unit[0] & TYPE == wanted);
        if of_type(IDR) && !of_type(SEQUENCE) {
            units.splice(..0, self.parameter_sets.all().iter().cloned());
        }
        Ok(units)
    }
}

fn is_parameter_set(header: u8) -> bool {
    matches!(header & TYPE, SEQUENCE | PICTURE)
}

/// Where the NAL units of a byte stream are (ITU-T H.264 Annex B); `None` if it does not begin with a start code.
fn annex_b(stream: &[u8]) -> Option<Vec<Range<usize>>> {
    let mut start = next_start_code(stream, 0).filter(|&at| stream[..at].iter().all(|&byte| byte == 0))? + 3;
    let mut units = Vec::new();
    loop {
        let next = next_start_code(stream, start);
        let mut end = next.unwrap_or(stream.len());
        // A NAL unit never ends with a zero: those belong to the next start code.
        while end > start && stream[end - 1] == 0 {
            end -= 1;
        }
        units.push(start..end);
        match next {
            Some(at) => start = at + 3,
            None => return Some(units),
        }
    }
}

/// Where the next 00 00 01 is.
fn next_start_code(stream: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(&[first, second, third]) = stream.get(at..at + 3) {
        match third {
            0 => at += 1,
            1 if first == 0 && second == 0 => return Some(at),
            _ => at += 3,
        }
    }
    None
}

/// Small NAL units together in one packet, large ones in several.
fn write(units: &[Bytes], room: usize, out: &mut Vec<Bytes>) {
    let mut first = 0;
    while first < units.len() {
        if units[first].len() > room {
            write_fragments(&units[first], room, out);
            first += 1;
            continue;
        }
        let mut size = 1;
        let together = units[first..].iter().take_while(|unit| {
            size += 2 + unit.len();
            size <= room
        });
        let together = together.count().max(1);
        out.push(aggregate(&units[first..first + together]));
        first += together;
    }
}

/// One NAL unit as it is, several as a STAP-A (RFC 6184 5.7.1).
fn aggregate(units: &[Bytes]) -> Bytes {
    if let [unit] = units {
        return unit.clone();
    }
    let mut payload = BytesMut::with_capacity(1 + units.iter().map(|unit| 2 + unit.len()).sum::<usize>());
    payload.put_u8(STAP_A | units.iter().map(|unit| unit[0] & IMPORTANCE).max().unwrap_or(0));
    for unit in units {
        payload.put_u16(unit.len() as u16); // no more than a packet holds, which is less than 65,536
        payload.put_slice(unit);
    }
    payload.freeze()
}

/// One NAL unit as FU-As (RFC 6184 5.8).
fn write_fragments(unit: &Bytes, room: usize, out: &mut Vec<Bytes>) {
    let (header, mut rest) = (unit[0], &unit[1..]);
    let (whole, room) = (rest.len(), room - FU_HEADER);
    let mut buffer = BytesMut::with_capacity(whole + whole.div_ceil(room) * FU_HEADER);
    for size in evenly(whole, room) {
        let (part, after) = rest.split_at(size);
        let start = if rest.len() == whole { FU_START } else { 0 };
        let end = if after.is_empty() { FU_END } else { 0 };
        buffer.put_u8(header & !TYPE | FU_A);
        buffer.put_u8(start | end | header & TYPE);
        buffer.put_slice(part);
        out.push(buffer.split().freeze());
        rest = after;
    }
}

/// What stands in a payload.
enum Content<'a> {
    /// One NAL unit.
    Unit(&'a [u8]),
    /// Several, each with its length before it.
    Several(Reader<'a>),
    /// A part of one: its header, whether it is the first and the last part, and its bytes.
    Part { header: u8, start: bool, end: bool, data: &'a [u8] },
}

fn parse(payload: &[u8]) -> Result<Content<'_>, Malformed> {
    let mut reader = Reader::new(payload);
    let indicator = reader.byte()?;
    match indicator & TYPE {
        SLICE..STAP_A => Ok(Content::Unit(payload)),
        STAP_A => Ok(Content::Several(reader)),
        FU_A => {
            let fragment = reader.byte()?;
            Ok(Content::Part {
                header: indicator & !TYPE | fragment & TYPE,
                start: fragment & FU_START != 0,
                end: fragment & FU_END != 0,
                data: reader.rest(),
            })
        }
        _ => Err(Malformed("STAP-B, MTAP and FU-B belong to packetization mode 2, which is not negotiated")),
    }
}

/// The next NAL unit of a STAP-A.
fn next_of_several<'a>(reader: &mut Reader<'a>) -> Result<Option<&'a [u8]>, Malformed> {
    if reader.rest().is_empty() {
        return Ok(None);
    }
    let length = reader.u16()?;
    let unit = reader.take(length.into())?;
    match unit.first().map(|header| header & TYPE) {
        None => Err(Malformed("a NAL unit in a STAP-A is empty")),
        Some(0 | STAP_A..) => Err(Malformed("only NAL units of the codec stand in a STAP-A")),
        Some(_) => Ok(Some(unit)),
    }
}

pub(super) fn inspect(payload: &[u8]) -> Result<PayloadInfo, Malformed> {
    let (start, key_frame) = match parse(payload)? {
        Content::Unit(unit) => (start_of(unit[0], unit.get(1)), unit[0] & TYPE == IDR),
        Content::Part { header, start: true, data, .. } => {
            (start_of(header, data.first()), header & TYPE == IDR)
        }
        Content::Part { header, .. } => (Start::No, header & TYPE == IDR),
        Content::Several(mut reader) => {
            let first = next_of_several(&mut reader)?.ok_or(Malformed("there is no NAL unit in a STAP-A"))?;
            let mut key_frame = first[0] & TYPE == IDR;
            while let Some(unit) = next_of_several(&mut reader)? {
                key_frame |= unit[0] & TYPE == IDR;
            }
            (start_of(first[0], first.get(1)), key_frame)
        }
    };
    Ok(PayloadInfo { start, key_frame, layer: None })
}

/// Whether a NAL unit begins an access unit (ITU-T H.264 7.4.1.2.3), as far as it tells by itself.
fn start_of(header: u8, first: Option<&u8>) -> Start {
    match header & TYPE {
        SEQUENCE | DELIMITER => Start::Yes,
        // A slice whose first macroblock is not the first of the picture: its number 0 is coded as a single 1.
        SLICE | IDR if first.is_some_and(|byte| byte & 0x80 == 0) => Start::No,
        _ => Start::Unknown,
    }
}

/// Joins the NAL units to an access unit in Annex B. A key frame without parameter sets gets those that were seen last.
pub(super) fn assemble<'a>(
    payloads: impl Iterator<Item = &'a Bytes> + Clone,
    known: &mut ParameterSets,
) -> Result<Bytes, Malformed> {
    let total = payloads.clone().map(|payload| payload.len() + START_CODE.len()).sum();
    let mut frame = BytesMut::with_capacity(total);
    let mut open = false;
    let mut has_sequence = false;
    let mut has_key = false;
    let mut sets: Vec<Range<usize>> = Vec::new();
    // Only whole NAL units are looked at for parameter sets: nobody sends them in parts.
    let mut put = |frame: &mut BytesMut, unit: &[u8]| {
        frame.put_slice(&START_CODE);
        if is_parameter_set(unit[0]) {
            sets.push(frame.len()..frame.len() + unit.len());
        }
        frame.put_slice(unit);
        has_sequence |= unit[0] & TYPE == SEQUENCE;
        has_key |= unit[0] & TYPE == IDR;
    };
    for payload in payloads {
        let content = parse(payload)?;
        if open != matches!(content, Content::Part { start: false, .. }) {
            return Err(Malformed("the parts of a NAL unit do not stand behind each other"));
        }
        match content {
            Content::Unit(unit) => put(&mut frame, unit),
            Content::Several(mut reader) => {
                while let Some(unit) = next_of_several(&mut reader)? {
                    put(&mut frame, unit);
                }
            }
            Content::Part { header, start, end, data } => {
                if start {
                    put(&mut frame, &[header]);
                }
                frame.put_slice(data);
                open = !end;
            }
        }
    }
    if open || frame.is_empty() {
        return Err(Malformed("the last NAL unit of a frame has no end"));
    }
    // A set that came in parts shows as its header alone, which is of no use.
    let whole = || sets.iter().filter(|set| set.len() > 1).map(|set| &frame[set.clone()]);
    if whole().next().is_some() {
        known.update(whole());
    }
    if has_key && !has_sequence {
        return Ok(with_sets(known, &frame));
    }
    Ok(frame.freeze())
}

fn with_sets(known: &ParameterSets, frame: &[u8]) -> Bytes {
    let sets = known.all().iter().flat_map(|set| [&START_CODE[..], set]);
    sets.chain([frame]).flatten().copied().collect::<Vec<_>>().into()
}

#[cfg(test)]
#[path = "h264_tests.rs"]
mod tests;
