//! The packets that wait, by sequence number.

use std::collections::VecDeque;
use std::time::Instant;

use crate::frame::RtpPacket;
use crate::payload::PayloadInfo;

/// Two seconds of video at 10 Mbit/s; patience ends before.
const MOST_PACKETS: u64 = 2048;
/// What these have at the usual 1,200 bytes, and again as much: packets can be larger, but then there are fewer of them.
const MOST_BYTES: usize = 5 << 20;
/// A packet may come this much before what came first, as long as nothing was handed out.
const MOST_BEFORE: u64 = 64;

/// A packet that waits.
#[derive(Debug)]
pub(super) struct Slot {
    pub(super) packet: RtpPacket,
    pub(super) arrival: Instant,
    /// What its payload says; `None` for what is no part of a frame: padding, payload types that are not known.
    pub(super) info: Option<PayloadInfo>,
}

/// The packets from the next one to be handed out on.
#[derive(Debug, Default)]
pub(super) struct Ring {
    /// The number of the first slot, once there was a packet.
    head: Option<u64>,
    slots: VecDeque<Option<Slot>>,
    bytes: usize,
    /// Something was handed out or given up.
    begun: bool,
}

impl Ring {
    /// The next number to be handed out.
    pub(super) fn head(&self) -> u64 {
        self.head.unwrap_or(0)
    }

    /// One more than the highest number that came.
    pub(super) fn end(&self) -> u64 {
        self.head() + self.slots.len() as u64
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// How many packets wait.
    pub(super) fn waiting(&self) -> usize {
        self.slots.iter().flatten().count()
    }

    pub(super) fn get(&self, number: u64) -> Option<&Slot> {
        let index = usize::try_from(number.checked_sub(self.head())?).ok()?;
        self.slots.get(index)?.as_ref()
    }

    /// Packets in order, from `number` on, up to the first that is missing.
    pub(super) fn run(&self, number: u64) -> impl Iterator<Item = &Slot> + Clone {
        let index = number.saturating_sub(self.head()) as usize;
        self.slots.iter().skip(index).map_while(Option::as_ref)
    }

    /// All packets that wait, with their numbers.
    pub(super) fn all(&self) -> impl Iterator<Item = (u64, &Slot)> {
        (self.head()..).zip(&self.slots).filter_map(|(number, slot)| Some((number, slot.as_ref()?)))
    }

    /// Takes a packet; not one that is past, is there already, or has no room.
    pub(super) fn insert(&mut self, number: u64, slot: Slot) -> bool {
        let head = *self.head.get_or_insert(number);
        if number < head {
            if self.begun || number + MOST_BEFORE < head || self.end() - number > MOST_PACKETS {
                return false;
            }
            for _ in number..head {
                self.slots.push_front(None);
            }
            self.head = Some(number);
        }
        if self.overflow(number, slot.packet.data.len()).is_some() {
            return false;
        }
        let index = (number - self.head()) as usize; // less than MOST_PACKETS
        while self.slots.len() <= index {
            self.slots.push_back(None);
        }
        if self.slots[index].is_some() {
            return false;
        }
        self.bytes += slot.packet.data.len();
        self.slots[index] = Some(slot);
        true
    }

    /// How far the head has to move to make room for a packet of `size` bytes; `None` if there is room.
    pub(super) fn overflow(&self, number: u64, size: usize) -> Option<u64> {
        let old = self.head?;
        let mut head = old.max((number + 1).saturating_sub(MOST_PACKETS));
        let mut bytes = self.bytes + size;
        for (at, slot) in self.all() {
            if at >= head && bytes <= MOST_BYTES {
                break;
            }
            bytes -= slot.packet.data.len();
            head = head.max(at + 1);
        }
        (head > old).then_some(head)
    }

    /// Takes the packet at the head.
    pub(super) fn take_head(&mut self) -> Option<Slot> {
        self.begun = true;
        let slot = self.slots.pop_front()?;
        self.head = self.head.map(|head| head + 1);
        if let Some(slot) = &slot {
            self.bytes -= slot.packet.data.len();
        }
        slot
    }

    /// Moves on to `number`; what was before it is gone.
    pub(super) fn skip_to(&mut self, number: u64) {
        while self.head() < number && !self.slots.is_empty() {
            self.take_head();
        }
        self.begun = true;
        self.head = self.head.max(Some(number));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::ExtensionValues;
    use crate::testing::origin;

    fn slot(now: Instant, size: usize) -> Slot {
        let packet = RtpPacket {
            payload: 96,
            marker: false,
            sequence: 0,
            timestamp: 0,
            ssrc: 1,
            csrcs: Vec::new(),
            extensions: ExtensionValues::default(),
            data: vec![0; size].into(),
        };
        Slot { packet, arrival: now, info: None }
    }

    #[test]
    fn packets_before_the_first_one_are_taken_until_something_is_handed_out() {
        let now = origin();
        let mut ring = Ring::default();
        assert!(ring.insert(1_000, slot(now, 1)));
        assert!(ring.insert(998, slot(now, 1)));
        assert_eq!((ring.head(), ring.end(), ring.waiting()), (998, 1_001, 2));
        assert!(ring.take_head().is_some());
        assert!(!ring.insert(998, slot(now, 1)));
        assert!(!ring.insert(1_000, slot(now, 1)));
    }

    #[test]
    fn the_number_of_packets_and_their_bytes_have_bounds() {
        let now = origin();
        let mut ring = Ring::default();
        assert!(ring.insert(10, slot(now, 1)));
        assert!(!ring.insert(10 + MOST_PACKETS, slot(now, 1)));
        assert_eq!(ring.overflow(10 + MOST_PACKETS, 1), Some(11));
        for number in 11..11 + (MOST_BYTES / 60_000) as u64 {
            assert!(ring.insert(number, slot(now, 60_000)));
        }
        assert!(!ring.insert(500, slot(now, 60_000)));
        assert_eq!(ring.overflow(500, 60_000), Some(12));
        ring.skip_to(12);
        assert!(ring.insert(500, slot(now, 60_000)));
        ring.skip_to(10_000);
        assert_eq!((ring.head(), ring.bytes, ring.is_empty()), (10_000, 0, true));
    }
}
