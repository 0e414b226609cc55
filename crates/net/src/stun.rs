//! Answers to STUN binding requests (RFC 8489) that leave by the peer's own sockets.

use std::collections::HashMap;
use std::net::SocketAddr;

use stun_proto::types::attribute::{ErrorCode, XorMappedAddress};
use stun_proto::types::message::{Message, TransactionId};
use tokio::sync::oneshot;

use crate::error::UNREACHABLE;

#[derive(Debug)]
pub(crate) struct StunError {
    pub(crate) code: u16,
    pub(crate) text: String,
}

pub(crate) type Reply = Result<SocketAddr, StunError>;

/// Requests that wait for their answers. Answers arrive at the sockets that ICE uses, so they are picked out before ICE sees them.
#[derive(Debug, Default)]
pub(crate) struct StunWaiters(HashMap<TransactionId, (SocketAddr, oneshot::Sender<Reply>)>);

impl StunWaiters {
    /// From now on the answer to this request goes to the receiver.
    pub(crate) fn expect(&mut self, id: TransactionId, server: SocketAddr) -> oneshot::Receiver<Reply> {
        let (sender, receiver) = oneshot::channel();
        self.0.insert(id, (server, sender));
        receiver
    }

    pub(crate) fn forget(&mut self, id: TransactionId) {
        self.0.remove(&id);
    }

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

#[cfg(test)]
mod tests {
    use stun_proto::types::message::MessageWriteVec;
    use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

    use super::*;

    fn waiting() -> (StunWaiters, TransactionId, oneshot::Receiver<Reply>, SocketAddr) {
        let server: SocketAddr = "192.0.2.1:3478".parse().unwrap();
        let (id, mut waiters) = (TransactionId::generate(), StunWaiters::default());
        let receiver = waiters.expect(id, server);
        (waiters, id, receiver, server)
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
