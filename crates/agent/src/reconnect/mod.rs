//! What a link does about a connection that is disturbed, and when. Nothing in here knows what a connection is made of.
//!
//! [`LinkMonitor`] puts the keep-alive and the reconnection behind one timer; [`ClockWatch`] notices that the machine has slept.

mod clock;
mod config;
mod machine;
mod monitor;

pub use clock::ClockWatch;
pub use config::ReconnectConfig;
pub use machine::{Action, Reconnect};
pub use monitor::{LinkMonitor, Step};
