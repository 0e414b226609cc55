//! Lets the numbers of pictures go on where another stream takes over.

use bytes::Bytes;
use ossa_media::Codec;
use ossa_media::payload::{picture_numbers, shift_picture_numbers};

/// The numbers that pictures have in their payloads (VP8, VP9): a receiver takes those of another stream, which begin anywhere, for
/// pictures that are lost or long past.
#[derive(Debug, Default)]
pub(crate) struct Pictures {
    /// The last that went out.
    picture: Option<u16>,
    base: Option<u8>,
    /// What is added to those of the stream.
    picture_shift: u16,
    base_shift: u8,
}

impl Pictures {
    /// The payload of a packet as it goes out. `seam`: it is the first of its stream.
    pub(crate) fn rewrite(&mut self, codec: Codec, seam: bool, data: &Bytes) -> Bytes {
        let numbers = picture_numbers(codec, data);
        if seam {
            let goes_on = numbers.picture.zip(self.picture);
            self.picture_shift = goes_on.map_or(0, |(first, last)| last.wrapping_add(1).wrapping_sub(first));
            let goes_on = numbers.base.zip(self.base);
            self.base_shift = goes_on.map_or(0, |(first, last)| last.wrapping_add(1).wrapping_sub(first));
        }
        if let Some(number) = numbers.picture {
            let out = number.wrapping_add(self.picture_shift) & numbers.picture_mask;
            let ahead = |last: u16| out.wrapping_sub(last) & numbers.picture_mask <= numbers.picture_mask / 2;
            self.picture = self.picture.filter(|&last| !seam && !ahead(last)).or(Some(out));
        }
        if let Some(number) = numbers.base {
            let out = number.wrapping_add(self.base_shift);
            self.base = self.base.filter(|last| !seam && out.wrapping_sub(*last) > 127).or(Some(out));
        }
        shift_picture_numbers(codec, data, self.picture_shift, self.base_shift)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A packet of VP8 with a picture identifier of 15 bits and TL0PICIDX (RFC 7741 4.2).
    fn vp8(picture: u16, base: u8) -> Bytes {
        let [high, low] = (0x8000 | picture).to_be_bytes();
        vec![0x90, 0xc0, high, low, base, 0x01, 0xaa].into()
    }

    #[test]
    fn pictures_of_another_stream_go_on_with_the_numbers_of_the_one_before() {
        let mut pictures = Pictures::default();
        let mut out = |seam, picture, base| pictures.rewrite(Codec::Vp8, seam, &vp8(picture, base));
        assert_eq!(out(true, 0x7ffe, 254), vp8(0x7ffe, 254));
        assert_eq!(out(false, 0x7fff, 255), vp8(0x7fff, 255));
        assert_eq!(out(true, 900, 7), vp8(0, 0));
        assert_eq!(out(false, 902, 8), vp8(2, 1));
        // One that was overtaken.
        assert_eq!(out(false, 901, 7), vp8(1, 0));
        assert_eq!(out(true, 3, 200), vp8(3, 2));
    }

    #[test]
    fn what_has_no_numbers_stays_as_it_is() {
        let mut pictures = Pictures::default();
        for (codec, data) in [(Codec::H264, &b"\x65abc"[..]), (Codec::Vp8, b"\x10\x01"), (Codec::Vp8, b"")] {
            let data = Bytes::from_static(data);
            assert_eq!(pictures.rewrite(codec, true, &data), data);
            assert_eq!(pictures.rewrite(codec, false, &data), data);
        }
    }
}
