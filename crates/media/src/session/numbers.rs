//! Which numbers of a sent SSRC were used. Under one key none may be used twice, whatever becomes of the sender meanwhile: see
//! [`Outbound`](crate::srtp::Outbound).

use std::collections::HashMap;

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::Rng;

use crate::srtp::{ReplayWindow, estimate};

/// The numbers of one SSRC.
#[derive(Debug)]
pub(super) struct Numbers {
    used: ReplayWindow,
    next: u64,
}

impl Numbers {
    /// Begins with any number; the upper half of the range is left so that a receiver that misses the first packets does not miss a
    /// wrap as well (RFC 3711 3.3.1).
    fn new(rng: &mut ChaCha12Rng) -> Self {
        Self { used: ReplayWindow::default(), next: u64::from(rng.next_u32() & 0x7fff) }
    }

    /// The index of the next packet.
    pub(super) fn next(&mut self) -> u64 {
        let index = self.next;
        self.used.insert(index);
        self.next += 1;
        index
    }

    /// The sequence number of the next packet.
    pub(super) fn upcoming(&self) -> u16 {
        self.next as u16
    }

    /// The index of a packet that has its number already; `None` if that was used before, or is too old to know.
    pub(super) fn take(&mut self, sequence: u16) -> Option<u64> {
        let index = estimate(self.used.highest(), sequence)?;
        if !self.used.is_new(index) {
            return None;
        }
        self.used.insert(index);
        if self.used.highest() == Some(index) {
            self.next = index + 1;
        }
        Some(index)
    }
}

/// The numbers of SSRCs that nobody sends now. As many as the owner has ever had: a few hundred bytes for each sender.
#[derive(Debug, Default)]
pub(super) struct Retired(HashMap<u32, Numbers>);

impl Retired {
    /// The numbers to go on with.
    pub(super) fn resume(&mut self, ssrc: u32, rng: &mut ChaCha12Rng) -> Numbers {
        self.0.remove(&ssrc).unwrap_or_else(|| Numbers::new(rng))
    }

    /// An SSRC is not sent any more.
    pub(super) fn retire(&mut self, ssrc: u32, numbers: Numbers) {
        self.0.insert(ssrc, numbers);
    }
}

#[cfg(test)]
mod tests {
    use rand_chacha::rand_core::SeedableRng;

    use super::*;

    #[test]
    fn an_ssrc_that_comes_back_goes_on_where_it_ended() {
        let mut rng = ChaCha12Rng::from_seed([1; 32]);
        let mut retired = Retired::default();
        let mut numbers = retired.resume(7, &mut rng);
        let used: Vec<u64> = (0..2000).map(|_| numbers.next()).collect();
        retired.retire(7, numbers);
        let mut numbers = retired.resume(7, &mut rng);
        assert!(used.iter().all(|&index| numbers.take(index as u16) != Some(index)));
        assert_eq!(numbers.next(), used[1999] + 1);
    }
}
