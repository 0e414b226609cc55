//! Reassembly of I-DATA: fragments are numbered within their message (RFC 8260 section 2.2.3).

use std::collections::BTreeMap;

use super::assembly::{Assembled, Change, Fragment, Held, OVERHEAD, Prefix};
use crate::chunk::data::{BEGIN, END};
use crate::chunk::forward_tsn::Skip;

/// Stream, whether unordered, MID.
type Key = (u16, bool, u32);

/// An unfinished message.
#[derive(Debug, Default)]
struct Open {
    prefix: Option<Prefix>,
    next_fsn: u32,
    /// Fragments that follow a gap, by FSN.
    held: BTreeMap<u32, Held>,
}

impl Open {
    fn held_bytes(&self) -> usize {
        self.held.values().map(|held| held.payload.len() + OVERHEAD).sum()
    }
}

/// Unfinished messages.
#[derive(Debug, Default)]
pub(super) struct InterleavedAssembler {
    open: BTreeMap<Key, Open>,
    /// Size of the last message of several fragments.
    expected: usize,
}

impl InterleavedAssembler {
    /// Takes a fragment that is not a whole message.
    pub(super) fn insert(&mut self, fragment: &Fragment<'_>, max_message: usize) -> Assembled {
        let header = &fragment.header;
        let key = (header.stream, fragment.is_unordered(), header.sequence);
        let mut change = Change::default();
        let expected = self.expected.min(max_message);
        let open = self.open.entry(key).or_default();
        let mut finished = false;
        let is_first = header.flags & BEGIN != 0 && open.prefix.is_none();
        if is_first {
            let prefix = Prefix::new(fragment, expected);
            change.partial += prefix.footprint() as isize;
            open.prefix = Some(prefix);
            open.next_fsn = 1;
        } else if header.flags & BEGIN == 0 && open.prefix.is_some() && header.fsn == open.next_fsn {
            append(open, fragment, max_message, &mut change)?;
            finished = header.flags & END != 0;
        } else {
            let before = open.held.insert(header.fsn, Held::new(fragment));
            change.held += (fragment.payload.len() + OVERHEAD) as isize;
            change.held -= before.map_or(0, |held| (held.payload.len() + OVERHEAD) as isize);
        }
        while !finished && open.prefix.is_some() {
            let Some(held) = open.held.remove(&open.next_fsn) else { break };
            change.held -= (held.payload.len() + OVERHEAD) as isize;
            append(open, &held.as_fragment(), max_message, &mut change)?;
            finished = held.header.flags & END != 0;
        }
        if !finished {
            return Ok((None, change));
        }
        let complete = self.open.remove(&key).and_then(|open| {
            change.held -= open.held_bytes() as isize;
            let prefix = open.prefix?;
            change.partial -= prefix.footprint() as isize;
            self.expected = prefix.len();
            Some(prefix.finish())
        });
        Ok((complete, change))
    }

    /// Drops the unfinished messages of a stream up to a MID.
    pub(super) fn skip(&mut self, skip: &Skip) -> Change {
        let mut change = Change::default();
        let all = (skip.stream, skip.unordered, 0)..=(skip.stream, skip.unordered, u32::MAX);
        let is_skipped = |mid: u32| skip.sequence.wrapping_sub(mid) < 1 << 31;
        let gone: Vec<Key> =
            self.open.range(all).map(|(key, _)| *key).filter(|(_, _, mid)| is_skipped(*mid)).collect();
        for key in gone {
            if let Some(open) = self.open.remove(&key) {
                change.held -= open.held_bytes() as isize;
                change.partial -= open.prefix.map_or(0, |prefix| prefix.footprint() as isize);
            }
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
    let Some(prefix) = &mut open.prefix else { return Ok(()) };
    let before = prefix.footprint();
    prefix.append(fragment, max_message)?;
    change.partial += prefix.footprint() as isize - before as isize;
    open.next_fsn = open.next_fsn.wrapping_add(1);
    Ok(())
}
