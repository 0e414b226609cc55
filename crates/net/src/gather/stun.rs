//! STUN binding requests from the peer's own sockets (RFC 8489): which address does a server see?

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use stun_proto::types::attribute::{ErrorCode, XorMappedAddress};
use stun_proto::types::message::{BINDING, Message, MessageWriteVec, TransactionId};
use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};
use tokio::sync::oneshot;

use super::UNREACHABLE;
use crate::shared::Shared;
use crate::socket::UdpSocket;

/// Waiting times after each transmission. RFC 8489 starts at 500 ms unless the round trip is known to be shorter, and
/// goes on for 39.5 s; a server that hasn't answered after 6 s only holds up the end of gathering.
const WAITS: [Duration; 4] =
    [Duration::from_millis(250), Duration::from_millis(500), Duration::from_secs(1), Duration::from_secs(4)];

#[derive(Debug)]
pub(super) struct StunError {
    pub(super) code: u16,
    pub(super) text: String,
}

type Reply = Result<SocketAddr, StunError>;

/// Requests that wait for their answers. Answers arrive at the sockets that ICE uses, so they are picked out before ICE sees them.
#[derive(Debug, Default)]
pub(crate) struct StunWaiters(HashMap<TransactionId, (SocketAddr, oneshot::Sender<Reply>)>);

impl StunWaiters {
    /// True if the datagram was the answer to one of our requests.
    pub(crate) fn intercept(&mut self, remote: SocketAddr, datagram: &[u8]) -> bool {
        // Success and error responses of the method Binding start with 0x0101 and 0x0111.
        if self.0.is_empty() || !matches!(datagram, [0x01, 0x01 | 0x11, ..]) {
            return false;
        }
        let Ok(message) = Message::from_bytes(datagram) else {
            return false;
        };
        match self.0.get(&message.transaction_id()) {
            Some((server, _)) if *server == remote => {}
            _ => return false,
        }
        if let Some((_, waiter)) = self.0.remove(&message.transaction_id()) {
            // Nobody waits any more if gathering was ended meanwhile.
            let _ = waiter.send(reply(&message));
        }
        true
    }
}

fn reply(message: &Message<'_>) -> Reply {
    if let Ok(error) = message.attribute::<ErrorCode>() {
        return Err(StunError { code: error.code(), text: error.reason().to_owned() });
    }
    match message.attribute::<XorMappedAddress>() {
        Ok(address) => Ok(address.addr(message.transaction_id())),
        Err(_) => {
            Err(StunError { code: UNREACHABLE, text: "the server's answer holds no address".to_owned() })
        }
    }
}

/// Asks `server` which address it sees `socket` at.
pub(super) async fn query(shared: &Arc<Shared>, socket: &UdpSocket, server: SocketAddr) -> Reply {
    let request = Message::builder_request(BINDING, MessageWriteVec::new());
    let id = request.transaction_id();
    let request = request.finish();
    let (sender, mut receiver) = oneshot::channel();
    shared.run(|core, _| core.stun.0.insert(id, (server, sender)));
    let _registration = Registration { shared, id };
    for wait in WAITS {
        // A full socket is a lost request: there are more.
        socket.try_send(server, &request, request.len());
        if let Ok(Ok(reply)) = tokio::time::timeout(wait, &mut receiver).await {
            return reply;
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
    id: TransactionId,
}

impl Drop for Registration<'_> {
    fn drop(&mut self) {
        self.shared.run(|core, _| core.stun.0.remove(&self.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn waiting() -> (StunWaiters, TransactionId, oneshot::Receiver<Reply>, SocketAddr) {
        let server: SocketAddr = "192.0.2.1:3478".parse().unwrap();
        let (id, (sender, receiver)) = (TransactionId::generate(), oneshot::channel());
        (StunWaiters(HashMap::from([(id, (server, sender))])), id, receiver, server)
    }

    fn success(id: TransactionId, mapped: SocketAddr) -> Vec<u8> {
        let kind = stun_proto::types::message::MessageType::from_bytes(&[0x01, 0x01]).unwrap();
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        message.add_attribute(&XorMappedAddress::new(mapped, id)).unwrap();
        message.finish()
    }

    #[test]
    fn the_answer_of_the_asked_server_is_taken_once() {
        let (mut waiters, id, mut receiver, server) = waiting();
        let mapped = "198.51.100.7:4000".parse().unwrap();
        let answer = success(id, mapped);
        let stranger = "192.0.2.9:3478".parse().unwrap();
        assert!(!waiters.intercept(stranger, &answer), "an answer from elsewhere is not ours");
        assert!(waiters.intercept(server, &answer));
        assert!(!waiters.intercept(server, &answer), "the second copy goes to ICE, which ignores it");
        assert_eq!(receiver.try_recv().unwrap().unwrap(), mapped);
    }

    #[test]
    fn answers_to_ice_checks_and_garbage_are_left_to_the_connection() {
        let (mut waiters, id, _receiver, server) = waiting();
        let mut other = id;
        while other == id {
            other = TransactionId::generate();
        }
        assert!(!waiters.intercept(server, &success(other, server)));
        assert!(!waiters.intercept(server, &[0x01, 0x01]));
        assert!(!waiters.intercept(server, &[]));
    }
}
