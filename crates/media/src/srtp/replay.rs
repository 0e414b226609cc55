//! The index of a packet from its sequence number, and which indices have come already (RFC 3711 3.3.1, 3.3.2).

/// Indices behind the highest that are told apart: what came later than that is taken for a repetition. RFC 3711 asks for 64;
/// a retransmission without RTX comes a round trip late, and at 8 Mbit/s 1,024 packets are a second.
const WINDOW: u64 = 1024;

/// The index that `sequence` most likely stands for, if `highest` is the highest so far.
///
/// `None` if that would be below zero: a packet from before the first wrap of numbers that never wrapped.
pub fn estimate(highest: Option<u64>, sequence: u16) -> Option<u64> {
    let Some(highest) = highest else { return Some(u64::from(sequence)) };
    let distance = i64::from(sequence.wrapping_sub(highest as u16) as i16);
    highest.checked_add_signed(distance)
}

/// Which of the last indices have come.
#[derive(Debug, Clone, Default)]
pub struct ReplayWindow {
    highest: Option<u64>,
    seen: [u64; (WINDOW / 64) as usize],
}

impl ReplayWindow {
    /// The highest index that has come.
    pub fn highest(&self) -> Option<u64> {
        self.highest
    }

    /// Whether `index` has not come yet and is not too old to know.
    pub fn is_new(&self, index: u64) -> bool {
        match self.highest {
            Some(highest) if index <= highest => highest - index < WINDOW && !self.has(index),
            _ => true,
        }
    }

    /// Notes that `index` has come. Only of packets whose tag was verified.
    pub fn insert(&mut self, index: u64) {
        let first = match self.highest {
            Some(highest) if index <= highest => {
                if highest - index < WINDOW {
                    self.set(index, true);
                }
                return;
            }
            // What lies between was not seen.
            Some(highest) => highest + 1,
            None => index,
        };
        if index - first >= WINDOW {
            self.seen = Default::default();
        } else {
            (first..index).for_each(|between| self.set(between, false));
        }
        self.set(index, true);
        self.highest = Some(index);
    }

    fn has(&self, index: u64) -> bool {
        let at = index % WINDOW;
        self.seen[(at / 64) as usize] >> (at % 64) & 1 == 1
    }

    fn set(&mut self, index: u64, seen: bool) {
        let at = index % WINDOW;
        let bit = 1 << (at % 64);
        let word = &mut self.seen[(at / 64) as usize];
        if seen { *word |= bit } else { *word &= !bit }
    }
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_number_before_the_first_wrap_is_no_index() {
        assert_eq!(estimate(Some(3), 65_535), None);
    }

    #[test]
    fn numbers_go_on_across_a_wrap_and_back_before_it() {
        assert_eq!(estimate(Some(65_534), 2), Some(65_538));
        assert_eq!(estimate(Some(65_538), 65_535), Some(65_535));
    }

    proptest! {
        #[test]
        fn each_index_of_the_window_is_new_once(steps in vec(-1500i64..1500, 1..300)) {
            let mut window = ReplayWindow::default();
            let mut seen = std::collections::HashSet::new();
            let mut highest = 0u64;
            let mut at = 5000u64;
            for step in steps {
                at = at.saturating_add_signed(step);
                let expected = at + WINDOW > highest && !seen.contains(&at);
                prop_assert_eq!(window.is_new(at), expected);
                if expected {
                    window.insert(at);
                    seen.insert(at);
                    highest = highest.max(at);
                }
            }
        }

        #[test]
        fn the_estimate_is_right_within_half_of_the_numbers(highest in 70_000..1u64 << 48, distance in -32_768i64..32_768) {
            let index = highest.checked_add_signed(distance).unwrap();
            prop_assert_eq!(estimate(Some(highest), index as u16), Some(index));
        }
    }
}
