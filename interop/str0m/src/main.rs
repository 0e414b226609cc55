//! The Rust `str0m` crate as a process that answers the calls of the driver. It is a state machine without sockets: `engine.rs` drives it,
//! as the crate's documentation says, with a task and a socket for each connection.

mod channel;
mod drive;
mod engine;
mod peer;

use ossa_interop_driver::{Events, Failure, Stack, serve, version_of};

use crate::channel::Channel;
use crate::peer::Peer;

struct Str0m;

impl Stack for Str0m {
    type Peer = Peer;

    fn about(&self) -> (&'static str, &'static str) {
        ("str0m", version_of("str0m"))
    }

    async fn open(&self, events: Events<Channel>) -> Result<Peer, Failure> {
        Peer::open(events)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    serve(Str0m).await
}
