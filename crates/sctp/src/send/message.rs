//! Messages that are queued or in flight, in one slab: no allocation per message once it has grown.

use bytes::Bytes;

use crate::time::Time;

/// "No message" in the links of a queue.
pub(crate) const NONE: u32 = u32::MAX;

/// How hard a message is tried.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Limit {
    None,
    Retransmits(u16),
    Deadline(Time),
}

/// A message on its way out.
#[derive(Debug)]
pub(crate) struct Outgoing {
    pub(crate) payload: Bytes,
    pub(crate) stream: u16,
    pub(crate) unordered: bool,
    /// Given up; its payload is gone.
    pub(crate) abandoned: bool,
    pub(crate) ppid: u32,
    /// Payload bytes that got a TSN.
    pub(crate) sent: u32,
    /// SSN or MID; set when the first fragment gets its TSN.
    pub(crate) sequence: u32,
    pub(crate) next_fsn: u32,
    /// Fragments with a TSN that is not yet cumulatively acknowledged.
    pub(crate) outstanding: u32,
    pub(crate) limit: Limit,
    pub(crate) first_tsn: u64,
    pub(crate) last_tsn: u64,
    /// Neighbours in the stream's queue.
    pub(crate) previous: u32,
    pub(crate) next: u32,
    /// Tells this user of the slot from earlier ones.
    pub(crate) generation: u32,
}

impl Outgoing {
    /// Whether every byte has a TSN, or never will get one.
    pub(crate) fn is_fully_sent(&self) -> bool {
        self.abandoned || self.sent as usize >= self.payload.len()
    }

    /// Bytes without a TSN.
    pub(crate) fn unsent(&self) -> usize {
        self.payload.len().saturating_sub(self.sent as usize)
    }
}

#[derive(Debug)]
enum Slot {
    Used(Outgoing),
    Free { next: u32 },
}

/// The slab.
#[derive(Debug)]
pub(crate) struct Messages {
    slots: Vec<Slot>,
    free: u32,
    live: usize,
    generation: u32,
}

/// An empty slab with more room than this is given back.
const KEEP_SLOTS: usize = 256;

impl Messages {
    pub(crate) fn new() -> Self {
        Self { slots: Vec::new(), free: NONE, live: 0, generation: 0 }
    }

    /// Messages in the slab.
    pub(crate) fn len(&self) -> usize {
        self.live
    }

    /// Stores a message and returns its key.
    pub(crate) fn insert(&mut self, mut message: Outgoing) -> u32 {
        self.generation = self.generation.wrapping_add(1);
        message.generation = self.generation;
        self.live += 1;
        if self.free == NONE {
            self.slots.push(Slot::Used(message));
            // 4 billion messages of at least a byte each do not fit into memory.
            return (self.slots.len() - 1) as u32;
        }
        let key = self.free;
        let slot = &mut self.slots[key as usize];
        if let Slot::Free { next } = slot {
            self.free = *next;
        }
        *slot = Slot::Used(message);
        key
    }

    /// Removes a message.
    pub(crate) fn remove(&mut self, key: u32) {
        if let Some(slot @ Slot::Used(_)) = self.slots.get_mut(key as usize) {
            *slot = Slot::Free { next: self.free };
            self.free = key;
            self.live -= 1;
        }
        if self.slots.len() > KEEP_SLOTS {
            self.shrink();
        }
    }

    /// Gives back the room of an empty slab.
    pub(crate) fn shrink(&mut self) {
        if self.live == 0 {
            self.slots = Vec::new();
            self.free = NONE;
        }
    }

    pub(crate) fn get(&self, key: u32) -> Option<&Outgoing> {
        match self.slots.get(key as usize) {
            Some(Slot::Used(message)) => Some(message),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, key: u32) -> Option<&mut Outgoing> {
        match self.slots.get_mut(key as usize) {
            Some(Slot::Used(message)) => Some(message),
            _ => None,
        }
    }
}
