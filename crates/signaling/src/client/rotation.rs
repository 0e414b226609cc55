//! Which server is next.

/// Goes round a list of servers.
#[derive(Debug)]
pub(super) struct Rotation {
    count: usize,
    /// Where the present round began.
    start: usize,
    /// How many of the round have failed.
    failed: usize,
}

impl Rotation {
    /// `count` is at least 1.
    pub(super) fn new(count: usize) -> Self {
        Self { count, start: 0, failed: 0 }
    }

    /// The server to try now.
    pub(super) fn current(&self) -> usize {
        (self.start + self.failed) % self.count
    }

    /// The current one has failed: true if another one is left in this round, false if a new one begins.
    pub(super) fn next(&mut self) -> bool {
        self.failed += 1;
        if self.failed < self.count {
            return true;
        }
        self.restart(0);
        false
    }

    /// A new round, from this one on.
    pub(super) fn restart(&mut self, at: usize) {
        self.start = at % self.count;
        self.failed = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_server_has_one_attempt_in_a_round_and_rounds_begin_with_the_first() {
        let mut rotation = Rotation::new(3);
        let mut seen = Vec::new();
        for _ in 0..2 {
            loop {
                seen.push(rotation.current());
                if !rotation.next() {
                    break;
                }
            }
        }
        assert_eq!(seen, [0, 1, 2, 0, 1, 2]);
        rotation.restart(2);
        assert_eq!(rotation.current(), 2);
        assert!(rotation.next());
        assert_eq!(rotation.current(), 0);
        rotation.restart(3);
        assert_eq!(rotation.current(), 0);
    }
}
