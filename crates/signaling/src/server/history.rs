//! What the server has counted in the last hour.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::time::sleep;

use super::{Phase, Shared, closing};

/// Between two samples: what happens within it shows as one rate.
pub(super) const INTERVAL: Duration = Duration::from_secs(10);

/// An hour of them, in less than 100,000 bytes.
const SAMPLES: usize = 360;

/// All counts at one moment.
#[derive(Debug, Clone)]
struct Sample {
    uptime: Duration,
    counts: Vec<u64>,
}

impl Sample {
    /// A row: milliseconds since the start, and the counts in the order of their names.
    fn to_json(&self) -> Value {
        let uptime = self.uptime.as_millis().try_into().unwrap_or(u64::MAX);
        std::iter::once(uptime).chain(self.counts.iter().copied()).collect()
    }
}

#[derive(Debug, Default)]
struct Ring {
    samples: VecDeque<Sample>,
    /// Samples so far, those that are forgotten among them.
    taken: u64,
}

/// The samples of the last hour.
#[derive(Debug, Default)]
pub(super) struct History(Mutex<Ring>);

impl History {
    fn add(&self, sample: Sample) {
        let mut ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if ring.samples.len() == SAMPLES {
            ring.samples.pop_front();
        }
        ring.samples.push_back(sample);
        ring.taken += 1;
    }

    /// The samples after the first `seen` ones of all times, as far as they are kept, and how many there have been.
    pub(super) fn since(&self, seen: u64) -> (Vec<Value>, u64) {
        let ring = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let forgotten = ring.taken - ring.samples.len() as u64;
        let skip = usize::try_from(seen.saturating_sub(forgotten)).unwrap_or(SAMPLES);
        (ring.samples.iter().skip(skip).map(Sample::to_json).collect(), ring.taken)
    }
}

/// What the columns of the samples are called, and how far apart the samples are.
pub(super) fn columns(shared: &Shared) -> Value {
    let names: Vec<_> = shared.counts().into_iter().map(|(name, _, _)| name).collect();
    json!({ "intervalSeconds": INTERVAL.as_secs(), "names": names })
}

/// Takes samples until the server is closed.
pub(super) async fn run(shared: Arc<Shared>, mut shutdown: watch::Receiver<Phase>) {
    loop {
        let counts = shared.counts().into_iter().map(|(_, _, value)| value).collect();
        shared.history.add(Sample { uptime: shared.started.elapsed(), counts });
        tokio::select! {
            () = sleep(INTERVAL) => {}
            () = closing(&mut shutdown) => return,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn history(samples: u64) -> History {
        let history = History::default();
        for index in 0..samples {
            history.add(Sample { uptime: INTERVAL * index as u32, counts: vec![index, 7] });
        }
        history
    }

    #[test]
    fn an_hour_is_kept_and_no_more() {
        let (samples, taken) = history(1000).since(0);
        assert_eq!((samples.len(), taken), (SAMPLES, 1000));
        assert_eq!((&samples[0], &samples[359]), (&json!([6_400_000, 640, 7]), &json!([9_990_000, 999, 7])));
    }

    #[test]
    fn whoever_has_seen_some_gets_the_others() {
        assert_eq!(history(12).since(10), (vec![json!([100_000, 10, 7]), json!([110_000, 11, 7])], 12));
        assert_eq!(history(1000).since(12).0.len(), SAMPLES);
        assert!(history(12).since(12).0.is_empty());
        assert!(history(0).since(0).0.is_empty());
    }
}
