//! Whole associations over simulated bottlenecks in virtual time: `network` runs a scenario, `outcome` has the figures, `tables` the
//! scenarios of `docs/congestion-control.md`. How one association behaves in detail is what `support` is for.
#![allow(unreachable_pub, reason = "shared by a test and an example")]

pub mod network;
pub mod outcome;
pub mod tables;
