//! Cuts a frame into parts that differ by at most one byte, and says how large they may be.

use super::error::PacketizeError;
use crate::types::Codec;

/// Parts of nearly the same size, so that all packets of a frame take about the same time on the way: a short last one
/// would arrive early and make the path look quicker than it is. `total` and `most` are at least 1.
pub(super) fn evenly(total: usize, most: usize) -> impl Iterator<Item = usize> {
    let parts = total.div_ceil(most.max(1));
    (0..parts).map(move |part| (part + 1) * total / parts - part * total / parts)
}

/// What a payload of at most `max_payload` bytes has room for behind a descriptor of `descriptor` bytes: at least one byte.
pub(super) fn room_after(
    descriptor: usize,
    max_payload: usize,
    codec: Codec,
) -> Result<usize, PacketizeError> {
    match max_payload.saturating_sub(descriptor) {
        0 => Err(PacketizeError::NoRoom { codec, room: max_payload, least: descriptor + 1 }),
        room => Ok(room),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_nearly_equal_and_make_the_whole() {
        assert_eq!(evenly(10, 4).collect::<Vec<_>>(), [3, 3, 4]);
        assert_eq!(evenly(1, 4).collect::<Vec<_>>(), [1]);
        assert_eq!(evenly(8, 4).collect::<Vec<_>>(), [4, 4]);
        for (total, most) in [(1, 1), (1_000_003, 1_187), (77, 76)] {
            let parts: Vec<_> = evenly(total, most).collect();
            assert_eq!(parts.iter().sum::<usize>(), total);
            assert!(parts.iter().all(|part| (1..=most).contains(part)));
        }
    }
}
