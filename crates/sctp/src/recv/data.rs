//! Reassembly of DATA: the fragments of a message have consecutive TSNs (RFC 9260 section 6.9).

use std::collections::BTreeMap;

use super::assembly::{Assembled, Change, Fragment, Held, OVERHEAD, Prefix};
use crate::chunk::data::{BEGIN, END};

/// A message of which the beginning is there.
#[derive(Debug)]
struct Open {
    next_tsn: u64,
    prefix: Prefix,
}

/// Unfinished messages.
#[derive(Debug, Default)]
pub(super) struct DataAssembler {
    /// By the TSN of the first fragment.
    open: BTreeMap<u64, Open>,
    /// Fragments that follow a gap, by TSN.
    held: BTreeMap<u64, Held>,
    /// Size of the last message of several fragments.
    expected: usize,
}

impl DataAssembler {
    /// Takes a fragment that is not a whole message.
    pub(super) fn insert(&mut self, tsn: u64, fragment: &Fragment<'_>, max_message: usize) -> Assembled {
        let mut change = Change::default();
        let begin = if fragment.header.flags & BEGIN != 0 {
            let prefix = Prefix::new(fragment, self.expected.min(max_message));
            change.partial += prefix.footprint() as isize;
            self.open.insert(tsn, Open { next_tsn: tsn + 1, prefix });
            tsn
        } else {
            let candidate = self.open.range_mut(..tsn).next_back();
            let Some((&begin, open)) = candidate.filter(|(_, open)| open.next_tsn == tsn) else {
                change.held += (fragment.payload.len() + OVERHEAD) as isize;
                self.held.insert(tsn, Held::new(fragment));
                return Ok((None, change));
            };
            append(open, fragment, max_message, &mut change)?;
            if fragment.header.flags & END != 0 {
                return Ok(self.finish(begin, change));
            }
            begin
        };
        self.absorb(begin, max_message, change)
    }

    /// Appends held fragments as far as there is no gap.
    fn absorb(&mut self, begin: u64, max_message: usize, mut change: Change) -> Assembled {
        while !self.held.is_empty() {
            let Some(open) = self.open.get_mut(&begin) else { break };
            let tsn = open.next_tsn;
            // A first fragment is never held, so what follows belongs to this message.
            let Some(held) = self.held.remove(&tsn) else { break };
            change.held -= (held.payload.len() + OVERHEAD) as isize;
            append(open, &held.as_fragment(), max_message, &mut change)?;
            if held.header.flags & END != 0 {
                return Ok(self.finish(begin, change));
            }
        }
        Ok((None, change))
    }

    fn finish(&mut self, begin: u64, mut change: Change) -> (Option<super::assembly::Complete>, Change) {
        let complete = self.open.remove(&begin).map(|open| {
            change.partial -= open.prefix.footprint() as isize;
            self.expected = open.prefix.len();
            open.prefix.finish()
        });
        (complete, change)
    }

    /// Drops what cannot be completed because the peer gave up everything up to `cumulative`.
    pub(super) fn skip_to(&mut self, cumulative: u64) -> Change {
        let mut change = Change::default();
        while let Some(entry) = self.open.first_entry().filter(|entry| *entry.key() <= cumulative) {
            change.partial -= entry.remove().prefix.footprint() as isize;
        }
        while let Some(entry) = self.held.first_entry().filter(|entry| *entry.key() <= cumulative) {
            change.held -= (entry.remove().payload.len() + OVERHEAD) as isize;
        }
        change
    }
}

fn append(
    open: &mut Open,
    fragment: &Fragment<'_>,
    max_message: usize,
    change: &mut Change,
) -> Result<(), super::Violation> {
    let before = open.prefix.footprint();
    open.prefix.append(fragment, max_message)?;
    change.partial += open.prefix.footprint() as isize - before as isize;
    open.next_tsn += 1;
    Ok(())
}
