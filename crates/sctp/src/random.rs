//! Randomness that is needed now and then.

use rand_chacha::ChaCha12Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// A random generator between its uses. It is no more than the seed of the next one: a generator has 256 bytes ready in advance,
/// and there are thousands of associations which will never need them.
#[derive(Clone)]
pub(crate) struct Randomness {
    seed: [u8; 32],
}

impl Randomness {
    /// What comes after what `rng` has given so far.
    pub(crate) fn after(rng: &mut impl Rng) -> Self {
        let mut seed = [0; 32];
        rng.fill_bytes(&mut seed);
        Self { seed }
    }

    /// A generator that gives what no other one has given or will give.
    pub(crate) fn generator(&mut self) -> ChaCha12Rng {
        let mut rng = ChaCha12Rng::from_seed(self.seed);
        *self = Self::after(&mut rng);
        rng
    }

    pub(crate) fn next_u64(&mut self) -> u64 {
        self.generator().next_u64()
    }
}

impl std::fmt::Debug for Randomness {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // What it will give is a secret.
        f.write_str("Randomness")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_comes_twice_and_the_same_seed_gives_the_same() {
        let draw = || {
            let mut randomness = Randomness::after(&mut ChaCha12Rng::from_seed([7; 32]));
            (0..1000).map(|_| randomness.next_u64()).collect::<Vec<_>>()
        };
        let numbers = draw();
        assert_eq!(numbers, draw());
        let distinct: std::collections::HashSet<_> = numbers.iter().collect();
        assert_eq!(distinct.len(), numbers.len());
    }
}
