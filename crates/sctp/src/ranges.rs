//! A sorted set of ranges of sequence numbers.

use std::collections::VecDeque;

/// Disjoint, non-adjacent, inclusive ranges in ascending order.
#[derive(Debug, Default)]
pub(crate) struct RangeSet {
    ranges: VecDeque<(u64, u64)>,
}

impl RangeSet {
    /// Number of ranges.
    pub(crate) fn len(&self) -> usize {
        self.ranges.len()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (u64, u64)> + '_ {
        self.ranges.iter().copied()
    }

    /// The lowest range.
    pub(crate) fn first(&self) -> Option<(u64, u64)> {
        self.ranges.front().copied()
    }

    pub(crate) fn clear(&mut self) {
        self.ranges.clear();
    }

    pub(crate) fn contains(&self, number: u64) -> bool {
        let at = self.ranges.partition_point(|(_, last)| *last < number);
        self.ranges.get(at).is_some_and(|(first, _)| *first <= number)
    }

    /// Index of the first range that touches or follows `first`.
    fn touching(&self, first: u64) -> usize {
        // Most arrivals extend the newest range.
        match self.ranges.back() {
            Some((start, _)) if *start <= first => self.ranges.len() - 1,
            _ => 0,
        }
        .max(self.ranges.partition_point(|(_, last)| last.saturating_add(1) < first))
    }

    /// Adds a range; what was not in the set before is appended to `fresh`.
    pub(crate) fn insert(&mut self, first: u64, last: u64, fresh: &mut Vec<(u64, u64)>) {
        let at = self.touching(first);
        let at = if self.ranges.get(at).is_some_and(|(_, end)| end.saturating_add(1) < first) {
            at + 1
        } else {
            at
        };
        let (mut low, mut high, mut cursor, mut end) = (first, last, first, at);
        while let Some(&(start, stop)) = self.ranges.get(end) {
            if start > last.saturating_add(1) {
                break;
            }
            if cursor < start {
                fresh.push((cursor, (start - 1).min(last)));
            }
            cursor = cursor.max(stop.saturating_add(1));
            low = low.min(start);
            high = high.max(stop);
            end += 1;
        }
        if cursor <= last {
            fresh.push((cursor, last));
        }
        if end == at {
            self.ranges.insert(at, (low, high));
        } else {
            self.ranges[at] = (low, high);
            if end > at + 1 {
                self.ranges.drain(at + 1..end);
            }
        }
    }

    /// Removes everything up to and including `number`.
    pub(crate) fn remove_up_to(&mut self, number: u64) {
        while let Some(front) = self.ranges.front_mut() {
            if front.1 <= number {
                self.ranges.pop_front();
            } else {
                front.0 = front.0.max(number + 1);
                break;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn it_behaves_like_a_set_of_numbers(steps in prop::collection::vec((0u64..80, 0u64..12, any::<bool>()), 0..60)) {
            let (mut set, mut model) = (RangeSet::default(), BTreeSet::new());
            for (first, len, remove) in steps {
                if remove {
                    set.remove_up_to(first);
                    model.retain(|number| *number > first);
                    continue;
                }
                let mut fresh = Vec::new();
                set.insert(first, first + len, &mut fresh);
                let fresh: Vec<u64> = fresh.into_iter().flat_map(|(a, b)| a..=b).collect();
                let expected: Vec<u64> = (first..=first + len).filter(|number| model.insert(*number)).collect();
                prop_assert_eq!(fresh, expected);
                let all: Vec<u64> = set.iter().flat_map(|(a, b)| a..=b).collect();
                prop_assert_eq!(all, model.iter().copied().collect::<Vec<_>>());
                let ranges: Vec<_> = set.iter().collect();
                prop_assert!(ranges.windows(2).all(|pair| pair[0].1 + 1 < pair[1].0));
                prop_assert!((0..100).all(|number| set.contains(number) == model.contains(&number)));
            }
        }
    }
}
