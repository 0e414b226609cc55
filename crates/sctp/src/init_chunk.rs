//! INIT chunks that travel in session descriptions instead of packets (draft-hancke-tsvwg-snap).

use crate::chunk::init::{Endpoint, Init};
use crate::chunk::{kind, u16_at};
use crate::packet::{CHUNK_HEADER, padded};

/// What one side says in its INIT. Two sides that know each other's need no handshake
/// ([`Association::connect_with`](crate::Association::connect_with)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InitChunk(pub(crate) Endpoint);

impl InitChunk {
    /// Reads a whole chunk with its header. `None` if it is no INIT, is cut off or goes on behind its end, or breaks a rule of
    /// RFC 9260 section 3.3.2. Parameters that are not known are skipped.
    pub fn parse(bytes: &[u8]) -> Option<Self> {
        let (length, value) = (usize::from(u16_at(bytes, 2)?), bytes.get(CHUNK_HEADER..)?);
        // The last parameter's padding is not counted, and may be left out.
        if bytes[0] != kind::INIT || (bytes.len() != length && bytes.len() != padded(length)) {
            return None;
        }
        let init = Init::parse(value.get(..length.checked_sub(CHUNK_HEADER)?)?)?;
        init.is_valid().then_some(Self(init.endpoint))
    }

    /// The chunk as it stands in a description, before Base64.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut bytes = vec![kind::INIT, 0, 0, 0];
        self.0.write(&mut bytes, None, &[]);
        // Some 60 bytes: all parameters have a fixed length.
        let length = u16::try_from(bytes.len()).unwrap_or(u16::MAX);
        bytes[2..CHUNK_HEADER].copy_from_slice(&length.to_be_bytes());
        bytes
    }

    /// The verification tag: by it a side recognises its own INIT in the hands of a peer that echoes what it does not know.
    pub fn tag(&self) -> u32 {
        self.0.tag
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Association, Config};

    /// The one of the draft: 30 bytes, the last parameter without its padding.
    const DRAFT: [u8; 30] = [
        1, 0, 0, 30, 0x89, 0x6c, 0xdd, 0x1d, 0, 0x50, 0, 0, 0xff, 0xff, 0xff, 0xff, 0xe0, 0x79, 0x65, 0x1d,
        0xc0, 0, 0, 4, 0x80, 8, 0, 6, 0x82, 0xc0,
    ];

    #[test]
    fn an_init_of_another_stack_is_understood_with_and_without_padding() {
        let plain = InitChunk::parse(&DRAFT).unwrap();
        assert_eq!((plain.0.tag, plain.0.initial_tsn, plain.0.window), (0x896c_dd1d, 0xe079_651d, 0x50_0000));
        assert!(plain.0.features.forward_tsn && plain.0.features.reconfig && !plain.0.features.interleaving);
        assert_eq!(InitChunk::parse(&[&DRAFT[..], &[0, 0]].concat()), Some(plain));
    }

    #[test]
    fn our_own_says_what_the_handshake_would_have_said() {
        let chunk = Association::new(Config::default(), [3; 32]).init_chunk();
        assert_eq!(InitChunk::parse(&chunk.to_bytes()), Some(chunk));
        let features = chunk.0.features;
        assert!(features.forward_tsn && features.reconfig && features.interleaving);
        assert!(features.zero_checksum && features.pad);
        let plain = Config { interleaving: false, zero_checksum: false, ..Config::default() };
        let chunk = Association::new(plain, [3; 32]).init_chunk();
        assert!(!chunk.0.features.interleaving && !chunk.0.features.zero_checksum);
    }

    #[test]
    fn what_is_no_init_is_refused() {
        let with = |at: usize, bytes: &[u8]| {
            let mut chunk = DRAFT.to_vec();
            chunk[at..at + bytes.len()].copy_from_slice(bytes);
            InitChunk::parse(&chunk)
        };
        assert_eq!(with(0, &[2]), None, "another chunk");
        assert_eq!(with(3, &[26]), None, "something behind it");
        assert_eq!(with(3, &[34]), None, "cut off");
        assert_eq!(with(2, &[0, 3]), None, "shorter than its header");
        assert_eq!(with(4, &[0; 4]), None, "tag 0");
        assert_eq!(with(8, &[0, 0, 0x05, 0xdb]), None, "a window of 1,499 bytes");
        assert_eq!(with(12, &[0, 0]), None, "no outbound streams");
        assert_eq!(with(14, &[0, 0]), None, "no inbound streams");
        for end in 0..DRAFT.len() {
            assert_eq!(InitChunk::parse(&DRAFT[..end]), None, "{end} bytes");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_bytes_are_refused_or_understood(bytes: Vec<u8>, at in 0usize..30, byte: u8) {
            let mut damaged = DRAFT;
            damaged[at] = byte;
            for bytes in [&bytes[..], &damaged] {
                if let Some(chunk) = InitChunk::parse(bytes) {
                    proptest::prop_assert_eq!(InitChunk::parse(&chunk.to_bytes()), Some(chunk));
                }
            }
        }
    }
}
