//! Two connections in memory, in virtual time.
// Indices name the two nodes, which own more than the array at hand.
#![allow(unreachable_pub, clippy::needless_range_loop)]

mod alerts;
mod broken;
mod channels;
mod diagnosis;
mod garbage;
mod hostile;
mod liveness;
mod many_addresses;
mod media;
mod narrow;
mod net;
mod reuse;
mod roaming;
mod round_trips;
mod setup;
mod tcp;
mod transfer;
