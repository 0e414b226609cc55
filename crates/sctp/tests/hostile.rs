//! Peers and paths that mean harm: nothing panics, nothing grows without bound.

mod monkey;
mod support;

use proptest::prelude::*;
use support::start_of_time;

proptest! {
    #[test]
    fn no_packets_do_harm(data in prop::collection::vec(any::<u8>(), 0..1500)) {
        monkey::packets(start_of_time(), &data);
    }

    #[test]
    fn no_sequence_of_operations_does_harm(data in prop::collection::vec(any::<u8>(), 0..600)) {
        monkey::operations(start_of_time(), &data);
    }
}
