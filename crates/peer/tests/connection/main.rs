//! Two connections in memory, in virtual time.
#![allow(unreachable_pub, dead_code)]

mod net;
mod setup;
