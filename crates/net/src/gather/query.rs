//! STUN binding requests from the peer's own sockets (RFC 8489): which address does a server see?

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stun_proto::types::message::{BINDING, Message, MessageWriteVec, TransactionId};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

use crate::error::UNREACHABLE;
use crate::link::Host;
use crate::shared::Shared;
use crate::stun::{Reply, StunError};

/// Waiting times after each transmission. RFC 8489 starts at 500 ms unless the round trip is known to be shorter, and
/// goes on for 39.5 s; a server that hasn't answered after 6 s only holds up the end of gathering.
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(4)];

/// Asks `server` which address it sees `host` at.
pub(super) async fn query(shared: &Arc<Shared>, host: &Host, server: SocketAddr) -> Reply {
    let request = Message::builder_request(BINDING, MessageWriteVec::new());
    let id = request.transaction_id();
    let request = request.finish();
    let mut receiver = shared.run(|core, _| core.stun.expect(id, server));
    if let Host::Shared(port, owner) = host {
        port.ask(id, *owner);
    }
    let _registration = Registration { shared, host, id };
    for wait in WAITS {
        // A full socket is a lost request: there are more.
        host.socket().try_send(server, &request, request.len());
        match tokio::time::timeout(wait, &mut receiver).await {
            Ok(Ok(reply)) => return reply,
            // The peer is closed: nobody asks any more.
            Ok(Err(_)) => break,
            Err(_) => {}
        }
    }
    let seconds = WAITS.iter().sum::<Duration>().as_secs_f32();
    Err(StunError {
        code: UNREACHABLE,
        text: format!("the STUN server {server} did not answer within {seconds} s"),
    })
}

/// Takes the request off the list, also when gathering is aborted.
struct Registration<'a> {
    shared: &'a Shared,
    host: &'a Host,
    id: TransactionId,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        if let Host::Shared(port, _) = self.host {
            port.forget_question(self.id);
        }
        self.shared.run(|core, _| core.stun.forget(self.id));
    }
}
