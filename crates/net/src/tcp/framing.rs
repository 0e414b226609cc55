//! Messages in a stream of bytes (RFC 4571, section 2): each after its length, in two bytes.

/// The longest message.
pub(crate) const MAX_FRAME: usize = u16::MAX as usize;

/// Bytes before each message.
const HEADER: usize = 2;

/// Appends datagrams of `segment` bytes each (the last may be shorter), each in a frame. What is longer than a frame can be does not come
/// from here: datagrams are never longer either.
pub(crate) fn write_frames(out: &mut Vec<u8>, data: &[u8], segment: usize) {
    for datagram in data.chunks(segment.clamp(1, MAX_FRAME)) {
        // The chunks are no longer than `MAX_FRAME`.
        let length = u16::try_from(datagram.len()).unwrap_or(u16::MAX);
        out.extend_from_slice(&length.to_be_bytes());
        out.extend_from_slice(datagram);
    }
}

/// Takes a stream apart. Holds the beginning of one message at most, and of that no more than has come.
#[derive(Debug, Default)]
pub(crate) struct Deframer {
    partial: Vec<u8>,
}

impl Deframer {
    /// Passes each message that `data` completes to `handle`. Empty ones are left out: they say nothing.
    pub(crate) fn feed(&mut self, mut data: &[u8], handle: &mut dyn FnMut(&[u8])) {
        while !self.partial.is_empty() && !data.is_empty() {
            let missing = match frame_length(&self.partial) {
                None => HEADER - self.partial.len(),
                Some(length) => length - self.partial.len(),
            };
            let (head, rest) = data.split_at(missing.min(data.len()));
            self.partial.extend_from_slice(head);
            data = rest;
            if let Some(message) = complete(&self.partial) {
                if !message.is_empty() {
                    handle(message);
                }
                // Not kept for the next one: an idle connection should not hold 64 KiB.
                self.partial = Vec::new();
            }
        }
        while let Some(message) = complete(data) {
            if !message.is_empty() {
                handle(message);
            }
            data = &data[HEADER + message.len()..];
        }
        self.partial.extend_from_slice(data);
    }

    /// Bytes of a message that is not complete.
    #[cfg(test)]
    fn held(&self) -> usize {
        self.partial.len()
    }

    /// How long the message is that has begun, with its header, if that is known.
    pub(crate) fn announced(&self) -> Option<usize> {
        frame_length(&self.partial)
    }
}

/// Length of the frame that `data` begins with.
fn frame_length(data: &[u8]) -> Option<usize> {
    match data {
        [high, low, ..] => Some(HEADER + usize::from(u16::from_be_bytes([*high, *low]))),
        _ => None,
    }
}

/// The message of the frame that `data` begins with, if all of it is there.
fn complete(data: &[u8]) -> Option<&[u8]> {
    data.get(HEADER..frame_length(data)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn taken_apart(stream: &[u8], cuts: &[usize]) -> Vec<Vec<u8>> {
        let mut deframer = Deframer::default();
        let mut messages = Vec::new();
        let mut rest = stream;
        for cut in cuts.iter().copied().chain([stream.len()]) {
            let (head, tail) = rest.split_at(cut.min(rest.len()));
            deframer.feed(head, &mut |message| messages.push(message.to_vec()));
            rest = tail;
        }
        assert_eq!(deframer.held(), 0, "nothing is left of whole frames");
        messages
    }

    proptest! {
        #[test]
        fn messages_come_out_as_they_went_in_wherever_the_stream_is_cut(
            messages in prop::collection::vec(prop::collection::vec(any::<u8>(), 1..300), 0..8),
            cuts in prop::collection::vec(0_usize..50, 0..40),
        ) {
            let mut stream = Vec::new();
            for message in &messages {
                write_frames(&mut stream, message, message.len());
            }
            prop_assert_eq!(taken_apart(&stream, &cuts), messages);
        }
    }

    #[test]
    fn the_longest_and_the_empty_message_pass() {
        let longest = vec![7; MAX_FRAME];
        let mut stream = vec![0, 0];
        write_frames(&mut stream, &longest, longest.len());
        stream.extend([0, 0]);
        assert_eq!(taken_apart(&stream, &[1, 1, 1, 1_000]), [longest]);
    }

    #[test]
    fn a_run_of_datagrams_becomes_a_frame_for_each() {
        let mut stream = Vec::new();
        write_frames(&mut stream, &[1, 1, 1, 2, 2], 3);
        assert_eq!(stream, [0, 3, 1, 1, 1, 0, 2, 2, 2]);
    }

    #[test]
    fn a_length_that_is_announced_takes_no_memory_before_its_bytes_come() {
        let mut deframer = Deframer::default();
        deframer.feed(&[0xff, 0xff, 1], &mut |_| panic!("not complete"));
        assert_eq!((deframer.held(), deframer.announced()), (3, Some(65_537)));
        assert!(deframer.partial.capacity() < 100);
    }
}
