//! The Rust `rustrtc` crate as a process that answers the calls of the driver.

mod channel;
mod peer;

use ossa_interop_driver::{Events, Failure, Stack, serve, version_of};

use crate::channel::Channel;
use crate::peer::Peer;

struct Rustrtc;

impl Stack for Rustrtc {
    type Peer = Peer;

    fn about(&self) -> (&'static str, &'static str) {
        ("rustrtc", version_of("rustrtc"))
    }

    async fn open(&self, events: Events<Channel>) -> Result<Peer, Failure> {
        Peer::open(events)
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    serve(Rustrtc).await
}
