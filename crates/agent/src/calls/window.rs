//! Flow control of streamed results. Both sides count the same items by the same rules, so no sizes are negotiated.

use std::collections::VecDeque;

/// Items that may be on their way or wait to be read: enough for a round trip of small ones, and a bound on what
/// each of them costs the reader beyond its bytes.
pub const WINDOW_ITEMS: usize = 64;

/// JSON bytes of items that may be on their way or wait to be read before another one is sent; the last one may
/// exceed it by its own size. As much as the send buffer's high-water mark.
pub const WINDOW_BYTES: usize = 1024 * 1024;

/// The items of a stream that its reader has not taken yet: for the sender, as far as it knows.
#[derive(Debug, Default)]
pub(crate) struct Window {
    /// The index of the first of them.
    first: u64,
    sizes: VecDeque<usize>,
    bytes: usize,
}

impl Window {
    /// Whether another item fits.
    pub(crate) fn has_room(&self) -> bool {
        self.sizes.len() < WINDOW_ITEMS && self.bytes < WINDOW_BYTES
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.sizes.is_empty()
    }

    /// The index of the item in front, or of the next one to come if there is none.
    pub(crate) fn first(&self) -> u64 {
        self.first
    }

    /// The index of the next item to come.
    pub(crate) fn end(&self) -> u64 {
        self.first + self.sizes.len() as u64
    }

    /// Adds an item at the end.
    pub(crate) fn push(&mut self, bytes: usize) {
        self.sizes.push_back(bytes);
        self.bytes += bytes;
    }

    /// Takes the item in front; returns its size.
    pub(crate) fn pop(&mut self) -> Option<usize> {
        let bytes = self.sizes.pop_front()?;
        self.first += 1;
        self.bytes -= bytes;
        Some(bytes)
    }

    /// Takes the items before `index`. False if some of them were never added or are gone since: nothing changes then.
    pub(crate) fn advance(&mut self, index: u64) -> bool {
        if index <= self.first || index > self.end() {
            return false;
        }
        while self.first < index {
            self.pop();
        }
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_is_room_until_either_bound_is_reached_and_for_one_item_of_any_size() {
        let mut window = Window::default();
        window.push(WINDOW_BYTES * 3);
        assert!(!window.has_room());
        assert!(window.advance(1));
        for _ in 0..WINDOW_ITEMS {
            assert!(window.has_room());
            window.push(1);
        }
        assert!(!window.has_room());
        assert_eq!(window.end(), 65);
    }

    #[test]
    fn only_items_that_are_there_are_acknowledged() {
        let mut window = Window::default();
        window.push(5);
        window.push(6);
        for index in [0, 3, u64::MAX] {
            assert!(!window.advance(index), "{index}");
        }
        assert!(window.advance(1));
        assert!(!window.advance(1));
        assert_eq!((window.first(), window.bytes), (1, 6));
    }
}
