//! The numbers that pictures have in the payload descriptors of VP8 and VP9, for packets that go on as they came.

use bytes::{Bytes, BytesMut};

use crate::types::Codec;

/// The numbers of a picture (RFC 7741 4.2, RFC 9628 4.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PictureNumbers {
    /// `PictureID`, if there is one.
    pub picture: Option<u16>,
    /// It counts up to this: 127 or 32,767.
    pub picture_mask: u16,
    /// `TL0PICIDX`, if there is one: counts the pictures of the lowest layer.
    pub base: Option<u8>,
}

/// Where they stand.
#[derive(Debug, Default)]
struct Places {
    picture: Option<usize>,
    base: Option<usize>,
}

/// What a payload says; nothing for codecs without numbers, and for what breaks the rules of its format.
pub fn picture_numbers(codec: Codec, payload: &[u8]) -> PictureNumbers {
    let places = places(codec, payload).unwrap_or_default();
    let mut numbers = PictureNumbers { base: places.base.map(|at| payload[at]), ..PictureNumbers::default() };
    if let Some(at) = places.picture {
        let wide = payload[at] & 0x80 != 0;
        numbers.picture_mask = if wide { 0x7fff } else { 0x7f };
        let number =
            if wide { u16::from_be_bytes([payload[at], payload[at + 1]]) } else { payload[at].into() };
        numbers.picture = Some(number & numbers.picture_mask);
    }
    numbers
}

/// The payload with numbers that are larger by so much, each within its own bits. Without any it is as it was.
pub fn shift_picture_numbers(codec: Codec, payload: &Bytes, picture: u16, base: u8) -> Bytes {
    let numbers = picture_numbers(codec, payload);
    let shifted = numbers.picture.is_some() && picture != 0 || numbers.base.is_some() && base != 0;
    let Some(places) = places(codec, payload).filter(|_| shifted) else { return payload.clone() };
    let mut out = BytesMut::from(&payload[..]);
    if let (Some(at), Some(number)) = (places.picture, numbers.picture) {
        let number = number.wrapping_add(picture) & numbers.picture_mask;
        match numbers.picture_mask {
            0x7f => out[at] = number as u8,
            _ => out[at..at + 2].copy_from_slice(&(0x8000 | number).to_be_bytes()),
        }
    }
    if let Some(at) = places.base {
        out[at] = out[at].wrapping_add(base);
    }
    out.freeze()
}

/// `None` if what the descriptor promises is not there.
fn places(codec: Codec, payload: &[u8]) -> Option<Places> {
    /// Of the first byte of VP8, and of the second.
    const EXTENDED: u8 = 0x80;
    const BASE_INDEX: u8 = 0x40;
    /// Of the first byte of VP9.
    const LAYER: u8 = 0x20;
    const FLEXIBLE: u8 = 0x10;
    /// Of both.
    const PICTURE_ID: u8 = 0x80;

    let &first = payload.first()?;
    let (flags, mut at, has_base, before_base) = match codec {
        Codec::Vp8 if first & EXTENDED == 0 => return Some(Places::default()),
        Codec::Vp8 => {
            let &flags = payload.get(1)?;
            (flags, 2, flags & BASE_INDEX != 0, 0)
        }
        Codec::Vp9 => (first, 1, first & LAYER != 0 && first & FLEXIBLE == 0, 1),
        _ => return None,
    };
    let mut places = Places::default();
    if flags & PICTURE_ID != 0 {
        places.picture = Some(at);
        at += if payload.get(at)? & 0x80 != 0 { 2 } else { 1 };
    }
    if has_base {
        places.base = Some(at + before_base);
        at += before_base + 1;
    }
    (payload.len() >= at).then_some(places)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_both_codecs_and_both_widths_are_read_and_shifted_within_their_bits() {
        for (codec, before, after) in [
            (Codec::Vp8, &[0x90, 0xc0, 0xff, 0xff, 255, 1][..], &[0x90, 0xc0, 0x80, 0x01, 2, 1][..]),
            (Codec::Vp8, &[0x90, 0x80, 0x7f, 1], &[0x90, 0x80, 0x01, 1]),
            (Codec::Vp8, &[0x90, 0x40, 9, 1], &[0x90, 0x40, 12, 1]),
            (Codec::Vp8, &[0x10, 1], &[0x10, 1]),
            (Codec::Vp9, &[0xa0, 0x85, 0x00, 0x31, 9, 1], &[0xa0, 0x85, 0x02, 0x31, 12, 1]),
            (Codec::Vp9, &[0xb0, 0x05, 0x31, 9, 1], &[0xb0, 0x07, 0x31, 9, 1]),
            (Codec::H264, &[0x65, 0xc0, 0xff, 0xff], &[0x65, 0xc0, 0xff, 0xff]),
        ] {
            let before = Bytes::copy_from_slice(before);
            assert_eq!(shift_picture_numbers(codec, &before, 2, 3), after, "{codec:?} {before:?}");
            assert_eq!(shift_picture_numbers(codec, &before, 0, 0), before);
        }
        let numbers = picture_numbers(Codec::Vp8, &[0x90, 0xc0, 0x81, 0x02, 7, 1]);
        assert_eq!(numbers, PictureNumbers { picture: Some(0x102), picture_mask: 0x7fff, base: Some(7) });
    }

    #[test]
    fn what_is_cut_off_has_no_numbers_and_stays_as_it_is() {
        let cut: [&[u8]; 6] =
            [&[], &[0x90], &[0x90, 0xc0], &[0x90, 0xc0, 0x81], &[0xa0, 0x05], &[0xa0, 0x85]];
        for codec in [Codec::Vp8, Codec::Vp9] {
            for payload in cut {
                let payload = Bytes::copy_from_slice(payload);
                assert_eq!(shift_picture_numbers(codec, &payload, 1, 1).len(), payload.len());
            }
            assert_eq!(picture_numbers(codec, cut[0]), PictureNumbers::default());
            assert_eq!(picture_numbers(codec, cut[5]), PictureNumbers::default());
        }
    }
}
