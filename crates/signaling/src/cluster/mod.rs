//! Several servers as one: who is registered where, rooms and messages are shared through Redis.
//!
//! A [`Site`] is a server with its own agents. While it is connected it has a [`Bus`] on which everything goes that others
//! must know, in order; what others do reaches it as [`Event`]s, in order. Redis decides: its scripts are atomic, so that of
//! two claims for a name one wins, and everybody sees the changes of a room in the same order.

mod bus;
mod config;
mod connect;
mod link;
mod status;
mod trouble;
mod wire;

pub(crate) use bus::{Bus, Busy, Holder, Record, RoomBounds, RoomsOf};
pub use config::{ClusterConfig, ClusterConfigError, Place};
pub(crate) use link::{Site, run};
pub(crate) use status::Status;
pub use status::{ClusterState, ClusterStats};
pub(crate) use wire::{Event, Reply, known_names};
