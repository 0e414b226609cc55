//! Two connections in memory, in virtual time.
#![allow(unreachable_pub)]

mod garbage;
mod liveness;
mod net;
mod setup;
