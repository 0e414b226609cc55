//! Sequence numbers of 16 bits, unwrapped to 64, and senders that begin anew (RFC 3550 A.1).

/// How far ahead a number may jump; more is a sender that began anew (`MAX_DROPOUT`).
const MOST_AHEAD: u64 = 3000;
/// How late a packet may come; later ones are strays. RFC 3550 has 100 (`MAX_MISORDER`), but it knows no retransmissions.
const MOST_BEHIND: u64 = 1000;
/// Where unwrapped numbers begin: high enough that those before the first stay positive.
const EPOCH: u64 = 1 << 32;

/// Where a packet belongs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Place {
    /// In the sequence.
    At(u64),
    /// The sender began anew, here.
    Restart(u64),
    /// Nowhere: far from all others, and alone there so far.
    Stray,
}

/// Unwraps the numbers of one stream.
#[derive(Debug, Default)]
pub(super) struct Sequence {
    newest: Option<u64>,
    /// The number that would confirm that the sender began anew.
    expected_after_jump: Option<u16>,
}

impl Sequence {
    /// Where a packet belongs. `recovered`: a retransmission, which shows nothing new about the sender.
    pub(super) fn place(&mut self, wire: u16, recovered: bool) -> Place {
        let Some(newest) = self.newest else {
            let first = EPOCH + u64::from(wire);
            self.newest = Some(first);
            return Place::At(first);
        };
        let distance = wire.wrapping_sub(newest as u16) as i16;
        let number = newest.wrapping_add_signed(i64::from(distance));
        if number <= newest + MOST_AHEAD && number + MOST_BEHIND >= newest {
            self.newest = Some(newest.max(number));
            return Place::At(number);
        }
        if recovered {
            return Place::Stray;
        }
        if self.expected_after_jump.take() == Some(wire) {
            // Beyond all that was, so that nothing of before is mistaken for something new.
            let restarted = (newest | 0xffff) + 1 + (1 << 16) + u64::from(wire);
            self.newest = Some(restarted);
            return Place::Restart(restarted);
        }
        self.expected_after_jump = Some(wire.wrapping_add(1));
        Place::Stray
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_go_on_where_they_wrap() {
        let mut sequence = Sequence::default();
        let first = EPOCH + 65_534;
        assert_eq!(sequence.place(65_534, false), Place::At(first));
        assert_eq!(sequence.place(1, false), Place::At(first + 3));
        assert_eq!(sequence.place(65_535, false), Place::At(first + 1));
        assert_eq!(sequence.place(65_000, true), Place::At(first - 534));
    }

    #[test]
    fn a_sender_that_begins_anew_is_followed_by_its_second_packet() {
        let mut sequence = Sequence::default();
        let Place::At(before) = sequence.place(100, false) else { panic!("the first packet has a place") };
        assert_eq!(sequence.place(30_000, false), Place::Stray);
        let Place::Restart(first) = sequence.place(30_001, false) else { panic!("two in a row") };
        assert!(first > before + 65_536);
        assert_eq!(sequence.place(30_002, false), Place::At(first + 1));
    }

    #[test]
    fn one_stray_packet_or_late_retransmissions_move_nothing() {
        let mut sequence = Sequence::default();
        let Place::At(first) = sequence.place(100, false) else { panic!("the first packet has a place") };
        assert_eq!(sequence.place(30_000, false), Place::Stray);
        assert_eq!(sequence.place(101, false), Place::At(first + 1));
        for wire in 40_000..40_010 {
            assert_eq!(sequence.place(wire, true), Place::Stray);
        }
    }
}
