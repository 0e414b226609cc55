//! The Rust `webrtc` crate as a process that answers the calls of the driver.

mod channel;
mod peer;

use ossa_interop_driver::{Events, Failure, Stack, serve, version_of};

use crate::channel::Channel;
use crate::peer::Peer;

struct WebrtcRs;

impl Stack for WebrtcRs {
    type Peer = Peer;

    fn about(&self) -> (&'static str, &'static str) {
        ("webrtc (Rust crate)", version_of("webrtc"))
    }

    async fn open(&self, events: Events<Channel>) -> Result<Peer, Failure> {
        Peer::open(events).await
    }
}

#[tokio::main]
async fn main() -> Result<(), Failure> {
    serve(WebrtcRs).await
}
