//! Serial numbers (RFC 1982) of the wire, unwrapped to 64 bits so that nothing inside ever wraps.
//!
//! TSN and MID have 32 bits and wrap within minutes on a fast path; SSN has 16. Inside the association they
//! are `u64`s that only grow; the low bits are what the wire carries.

/// Where unwrapped numbers start: high enough that numbers "before the first" stay positive.
const EPOCH: u64 = 1 << 32;

/// The first number of a sequence.
pub(crate) fn first(wire: u32) -> u64 {
    EPOCH + u64::from(wire)
}

/// The unwrapped 32-bit number nearest to `near`.
pub(crate) fn unwrap32(near: u64, wire: u32) -> u64 {
    let distance = wire.wrapping_sub(near as u32) as i32;
    near.wrapping_add_signed(i64::from(distance))
}

/// The unwrapped 16-bit number nearest to `near`.
pub(crate) fn unwrap16(near: u64, wire: u16) -> u64 {
    let distance = wire.wrapping_sub(near as u16) as i16;
    near.wrapping_add_signed(i64::from(distance))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_around_a_wrap_stay_in_order() {
        let last = first(u32::MAX);
        assert_eq!(unwrap32(last, 0), last + 1);
        assert_eq!(unwrap32(last + 1, u32::MAX), last);
        assert_eq!(unwrap32(last, u32::MAX - 5), last - 5);
        let ssn = first(0) + 0xffff;
        assert_eq!(unwrap16(ssn, 0), ssn + 1);
        assert_eq!(unwrap16(ssn + 1, 0xffff), ssn);
    }

    #[test]
    fn a_number_before_the_first_is_smaller_not_huge() {
        assert!(unwrap32(first(0), u32::MAX) < first(0));
    }
}
