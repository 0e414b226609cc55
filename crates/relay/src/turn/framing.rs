//! Where messages end in a stream (RFC 8489, 6.2.2; RFC 8656, 12.5).

/// What a stream begins with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Framed {
    /// A message of `length` bytes, for which `taken` bytes of the stream are used up.
    Message {
        /// Bytes of the message.
        length: usize,
        /// Bytes of the stream: with padding.
        taken: usize,
    },
    /// More of it is needed.
    Incomplete,
    /// Neither STUN nor ChannelData: whatever follows cannot be read either.
    Garbage,
}

/// The header of a STUN message.
const STUN_HEADER: usize = 20;

/// The header of a ChannelData message.
const CHANNEL_HEADER: usize = 4;

const MAGIC_COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];

/// The first message of `stream`.
pub fn framed(stream: &[u8]) -> Framed {
    let (length, taken) = match *stream {
        [] => return Framed::Incomplete,
        [0..=3, ..] => {
            // Told as early as possible, so that nobody waits for the rest of what is none.
            let cookie = stream.get(4..).unwrap_or_default();
            if cookie.iter().zip(MAGIC_COOKIE).any(|(given, wanted)| *given != wanted) {
                return Framed::Garbage;
            }
            let [_, _, high, low, ..] = *stream else { return Framed::Incomplete };
            let body = usize::from(u16::from_be_bytes([high, low]));
            if !body.is_multiple_of(4) {
                return Framed::Garbage;
            }
            (STUN_HEADER + body, STUN_HEADER + body)
        }
        [0x40..=0x7f, ..] => {
            let [_, _, high, low, ..] = *stream else { return Framed::Incomplete };
            let length = CHANNEL_HEADER + usize::from(u16::from_be_bytes([high, low]));
            (length, length.next_multiple_of(4))
        }
        _ => return Framed::Garbage,
    };
    if stream.len() < taken { Framed::Incomplete } else { Framed::Message { length, taken } }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BINDING: [u8; 20] = [0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

    #[test]
    fn messages_are_found_however_the_stream_is_cut() {
        for cut in 0..BINDING.len() {
            assert_eq!(framed(&BINDING[..cut]), Framed::Incomplete, "{cut}");
        }
        let two = [&BINDING[..], &[0x40, 0, 0, 1, 7, 0, 0, 0]].concat();
        assert_eq!(framed(&two), Framed::Message { length: 20, taken: 20 });
        assert_eq!(framed(&two[20..]), Framed::Message { length: 5, taken: 8 });
        for cut in 1..8 {
            assert_eq!(framed(&two[20..20 + cut]), Framed::Incomplete, "{cut}");
        }
        assert_eq!(framed(&[0x7f, 0xff, 0, 0]), Framed::Message { length: 4, taken: 4 });
    }

    #[test]
    fn what_is_no_turn_is_known_by_its_first_bytes() {
        let requests = [[0x16, 3, 1].as_slice(), &[0x80, 0, 0, 0], &[0xff], b"\r\n\r\n"];
        for garbage in requests.into_iter().chain([[0, 1, 0, 0, 0x22].as_slice(), &[0, 1, 0, 1, 0x21, 0x12]])
        {
            assert_eq!(framed(garbage), Framed::Garbage, "{garbage:?}");
        }
    }
}
