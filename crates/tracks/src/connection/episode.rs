//! Something that goes wrong again and again is told of once, for as long as it goes on.

use std::time::{Duration, Instant};

/// An episode is over when nothing has happened for so long.
const OVER: Duration = Duration::from_secs(10);

/// When it last happened.
#[derive(Debug, Default)]
pub(super) struct Episode {
    last: Option<Instant>,
}

impl Episode {
    /// It happens. True: it is to be told.
    pub(super) fn begins(&mut self, now: Instant) -> bool {
        let before = self.last.replace(now);
        before.is_none_or(|before| now.saturating_duration_since(before) >= OVER)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_goes_on_is_told_of_once_and_again_after_a_rest() {
        let start = Instant::now();
        let mut episode = Episode::default();
        let told: Vec<u64> = (0..60)
            .chain(71..80)
            .filter(|second| episode.begins(start + Duration::from_secs(*second)))
            .collect();
        assert_eq!(told, [0, 71]);
    }
}
