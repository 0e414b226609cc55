//! Peers and paths that mean harm: nothing panics, nothing grows without bound.

mod support;

use proptest::prelude::*;
use support::start_of_time;

proptest! {
    #[test]
    fn no_packets_do_harm(data in prop::collection::vec(any::<u8>(), 0..1500)) {
        ossa_sctp::fuzzing::packets(start_of_time(), &data);
    }

    #[test]
    fn no_sequence_of_operations_does_harm(data in prop::collection::vec(any::<u8>(), 0..600)) {
        ossa_sctp::fuzzing::operations(start_of_time(), &data);
    }
}
