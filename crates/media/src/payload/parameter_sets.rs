//! The sequence and picture parameter sets of a stream of H.264, without which no decoder starts.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;

/// NAL unit types (ITU-T H.264 table 7-1).
pub(super) const SEQUENCE: u8 = 7;
pub(super) const PICTURE: u8 = 8;

/// Encoders make one or two of each; nothing says that there are no more.
const MOST_SETS: usize = 16;
/// A set has some tens of bytes; with scaling lists, some hundred.
const MOST_BYTES: usize = 4096;

/// The sets that were seen last, in order.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ParameterSets(Vec<Bytes>);

impl ParameterSets {
    /// Those of `sprop-parameter-sets` (RFC 6184 8.1). What is not base64 there is as good as left out: the stream mostly
    /// carries its sets as well.
    pub(super) fn from_fmtp(fmtp: &str) -> Self {
        let mut sets = Self::default();
        let value =
            fmtp.split(';').find_map(|parameter| parameter.trim().strip_prefix("sprop-parameter-sets="));
        let decoded =
            value.into_iter().flat_map(|value| value.split(',')).filter_map(|one| STANDARD.decode(one).ok());
        for set in decoded {
            if matches!(set.first().map(|header| header & 0x1f), Some(SEQUENCE | PICTURE)) {
                sets.add(&set);
            }
        }
        sets
    }

    /// Takes the sets of one frame: a new sequence makes all before it void.
    pub(super) fn update<'a>(&mut self, of_frame: impl Iterator<Item = &'a [u8]> + Clone) {
        if self.0.iter().map(Bytes::as_ref).eq(of_frame.clone()) {
            return;
        }
        if of_frame.clone().any(|set| set[0] & 0x1f == SEQUENCE) {
            self.0.clear();
        }
        for set in of_frame {
            self.add(set);
        }
    }

    fn add(&mut self, set: &[u8]) {
        if set.len() <= MOST_BYTES && self.0.len() < MOST_SETS && !self.0.iter().any(|known| known == set) {
            // A copy, so that the frame that it came in can go.
            self.0.push(Bytes::copy_from_slice(set));
        }
    }

    /// All of them, sequence sets first as far as the stream had them so.
    pub(super) fn all(&self) -> &[Bytes] {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_of_a_description_are_read_and_other_things_in_it_are_not() {
        let sets = ParameterSets::from_fmtp(
            "packetization-mode=1; sprop-parameter-sets=Z0IAKQ==,aM48gA==,AAAA,!!;profile-level-id=42e01f",
        );
        assert_eq!(sets.all(), [&b"\x67\x42\x00\x29"[..], b"\x68\xce\x3c\x80"]);
        assert_eq!(ParameterSets::from_fmtp("packetization-mode=1"), ParameterSets::default());
    }

    #[test]
    fn what_is_kept_has_a_bound() {
        let mut sets = ParameterSets::default();
        for id in 0..100 {
            sets.update([&[PICTURE, id][..]].into_iter());
        }
        assert_eq!(sets.all().len(), MOST_SETS);
        sets.update([&[SEQUENCE, 1][..], &vec![PICTURE; MOST_BYTES + 1]].into_iter());
        assert_eq!(sets.all(), [&[SEQUENCE, 1][..]]);
    }
}
