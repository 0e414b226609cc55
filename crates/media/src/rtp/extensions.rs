//! Header extensions with one-byte and two-byte headers (RFC 8285 4.2, 4.3).

use bytes::Bytes;

use crate::frame::{AudioLevel, ExtensionValues};
use crate::types::Extension;

/// The profile that stands in front of elements with one-byte headers.
const ONE_BYTE: u16 = 0xbede;
/// The profile that stands in front of elements with two-byte headers; its last four bits are free.
const TWO_BYTE: u16 = 0x1000;

/// Which identifier stands for which extension, as `a=extmap` lines say.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ExtensionMap(Vec<(Extension, u8)>);

impl ExtensionMap {
    /// Adds what one section has negotiated. Of an extension that is there already the new identifier counts.
    pub fn add(&mut self, entries: &[(Extension, u8)]) {
        for &(extension, id) in entries {
            self.0.retain(|&(known, _)| known != extension);
            self.0.push((extension, id));
        }
    }

    /// The identifier of an extension.
    pub fn id(&self, extension: Extension) -> Option<u8> {
        self.0.iter().find(|&&(known, _)| known == extension).map(|&(_, id)| id)
    }

    /// The extension that an identifier stands for.
    pub fn extension(&self, id: u8) -> Option<Extension> {
        self.0.iter().find(|&&(_, known)| known == id).map(|&(extension, _)| extension)
    }

    /// Reads the block of a packet. What is unknown, or shorter than its kind, is passed over.
    pub fn read(&self, profile: u16, block: &Bytes) -> ExtensionValues {
        let mut values = ExtensionValues::default();
        for (id, range) in Elements::new(profile, block) {
            if let Some(extension) = self.extension(id) {
                set(&mut values, extension, &block.slice(range));
            }
        }
        values
    }

    /// Writes a block, padded to words, into `out`; returns its profile, or `None` if there is nothing to write.
    ///
    /// Values without an identifier are left out. Two-byte headers are used where an identifier or a length asks for them.
    pub fn write(&self, values: &ExtensionValues, out: &mut Vec<u8>) -> Option<u16> {
        let mut two_byte = false;
        let mut any = false;
        self.each(values, |id, value| {
            any = true;
            two_byte |= id > 14 || value.is_empty() || value.len() > 16;
        });
        if !any {
            return None;
        }
        self.each(values, |id, value| {
            let len = u8::try_from(value.len()).expect("each() hands out at most 255 bytes");
            if two_byte {
                out.extend_from_slice(&[id, len]);
            } else {
                out.push(id << 4 | (len - 1));
            }
            out.extend_from_slice(value);
        });
        out.resize(out.len().next_multiple_of(4), 0);
        Some(if two_byte { TWO_BYTE } else { ONE_BYTE })
    }

    /// Calls `then` with the identifier and the bytes of each value that has an identifier.
    fn each(&self, values: &ExtensionValues, mut then: impl FnMut(u8, &[u8])) {
        let mut put = |extension, value: &[u8]| {
            if let Some(id) = self.id(extension) {
                then(id, &value[..value.len().min(255)]);
            }
        };
        let names = [
            (Extension::Mid, &values.mid),
            (Extension::Rid, &values.rid),
            (Extension::RepairedRid, &values.repaired_rid),
        ];
        for (extension, value) in names {
            if let Some(value) = value {
                put(extension, value);
            }
        }
        if let Some(time) = values.abs_send_time {
            put(Extension::AbsSendTime, &time.to_be_bytes()[1..]);
        }
        if let Some(number) = values.transport_cc {
            put(Extension::TransportCc, &number.to_be_bytes());
        }
        if let Some(AudioLevel { voice, level }) = values.audio_level {
            put(Extension::AudioLevel, &[u8::from(voice) << 7 | level.min(127)]);
        }
        if let Some(orientation) = values.video_orientation {
            put(Extension::VideoOrientation, &[orientation]);
        }
        if let Some((least, greatest)) = values.playout_delay {
            let both = u32::from(least.min(0xfff)) << 12 | u32::from(greatest.min(0xfff));
            put(Extension::PlayoutDelay, &both.to_be_bytes()[1..]);
        }
    }
}

fn set(values: &mut ExtensionValues, extension: Extension, value: &Bytes) {
    match (extension, value.as_ref()) {
        // No name is empty (RFC 8852 3, RFC 9143 5).
        (Extension::Mid | Extension::Rid | Extension::RepairedRid, []) => {}
        (Extension::Mid, _) => values.mid = Some(value.clone()),
        (Extension::Rid, _) => values.rid = Some(value.clone()),
        (Extension::RepairedRid, _) => values.repaired_rid = Some(value.clone()),
        (Extension::AbsSendTime, &[a, b, c, ..]) => {
            values.abs_send_time = Some(u32::from_be_bytes([0, a, b, c]));
        }
        (Extension::TransportCc, &[a, b, ..]) => values.transport_cc = Some(u16::from_be_bytes([a, b])),
        (Extension::AudioLevel, &[byte, ..]) => {
            values.audio_level = Some(AudioLevel { voice: byte & 0x80 != 0, level: byte & 0x7f });
        }
        (Extension::VideoOrientation, &[byte, ..]) => values.video_orientation = Some(byte),
        (Extension::PlayoutDelay, &[a, b, c, ..]) => {
            let both = u32::from_be_bytes([0, a, b, c]);
            values.playout_delay = Some(((both >> 12) as u16, (both & 0xfff) as u16));
        }
        _ => {}
    }
}

/// The elements of a block: their identifiers, and where their values stand. Ends where the block makes no sense any more.
struct Elements<'a> {
    block: &'a [u8],
    at: usize,
    two_byte: bool,
}

impl<'a> Elements<'a> {
    fn new(profile: u16, block: &'a [u8]) -> Self {
        let known = profile == ONE_BYTE || profile & 0xfff0 == TWO_BYTE;
        Self { block: if known { block } else { &[] }, at: 0, two_byte: profile != ONE_BYTE }
    }
}

impl Iterator for Elements<'_> {
    type Item = (u8, std::ops::Range<usize>);

    fn next(&mut self) -> Option<Self::Item> {
        // A zero is padding in both forms.
        while *self.block.get(self.at)? == 0 {
            self.at += 1;
        }
        let first = self.block[self.at];
        let (id, len, start) = if self.two_byte {
            (first, usize::from(*self.block.get(self.at + 1)?), self.at + 2)
        } else {
            (first >> 4, usize::from(first & 0x0f) + 1, self.at + 1)
        };
        // 15 ends a block of one-byte headers; 0 with a length is to be ignored from there on (RFC 8285 4.2).
        let stop = !self.two_byte && (id == 15 || id == 0);
        if stop || start + len > self.block.len() {
            return None;
        }
        self.at = start + len;
        Some((id, start..start + len))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn map() -> ExtensionMap {
        let mut map = ExtensionMap::default();
        map.add(&[(Extension::Mid, 1), (Extension::AudioLevel, 2), (Extension::TransportCc, 3)]);
        map
    }

    #[test]
    fn padding_between_elements_and_unknown_identifiers_are_passed_over() {
        let block = Bytes::from_static(&[0, 0x90, 7, 0, 0x10, b'a', 0x31, 0x12, 0x34, 0, 0, 0]);
        let values = map().read(ONE_BYTE, &block);
        assert_eq!(values.mid.as_deref(), Some(&b"a"[..]));
        assert_eq!(values.transport_cc, Some(0x1234));
    }

    #[test]
    fn an_identifier_of_fifteen_ends_a_block_of_one_byte_headers() {
        let block = Bytes::from_static(&[0x20, 0x85, 0xf0, 1, 0x10, b'a', 0, 0]);
        let values = map().read(ONE_BYTE, &block);
        assert_eq!(values.audio_level, Some(AudioLevel { voice: true, level: 5 }));
        assert_eq!(values.mid, None);
    }

    #[test]
    fn elements_with_two_byte_headers_may_be_empty_and_their_profile_carries_application_bits() {
        let block = Bytes::from_static(&[2, 0, 1, 3, b'f', b'o', b'o', 0]);
        let values = map().read(0x100f, &block);
        assert_eq!(values.mid.as_deref(), Some(&b"foo"[..]));
        assert_eq!(values.audio_level, None);
    }

    #[test]
    fn an_element_that_ends_behind_its_block_is_not_read() {
        assert_eq!(map().read(ONE_BYTE, &Bytes::from_static(&[0x13, b'a', b'b', b'c'])).mid, None);
        assert_eq!(map().read(TWO_BYTE, &Bytes::from_static(&[1, 9, b'a', b'b'])).mid, None);
        assert_eq!(map().read(TWO_BYTE, &Bytes::from_static(&[1])).mid, None);
    }

    #[test]
    fn a_block_of_another_profile_is_left_alone() {
        assert_eq!(map().read(0x1234, &Bytes::from_static(&[0x10, b'a', 0, 0])), ExtensionValues::default());
    }

    #[test]
    fn a_name_of_more_than_sixteen_bytes_goes_out_with_two_byte_headers() {
        let mid = Bytes::from_static(b"a name of twenty-one.");
        let values =
            ExtensionValues { mid: Some(mid.clone()), transport_cc: Some(7), ..ExtensionValues::default() };
        let mut out = Vec::new();
        assert_eq!(map().write(&values, &mut out), Some(TWO_BYTE));
        assert_eq!(map().read(TWO_BYTE, &Bytes::from(out)), values);
    }
}
