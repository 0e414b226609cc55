//! Answers to STUN binding requests (RFC 8489) that leave by the peer's own sockets.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};

use stun_proto::types::attribute::{AttributeType, ErrorCode, XorMappedAddress};
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
    let xored = message.attribute::<XorMappedAddress>().ok().map(|a| a.addr(message.transaction_id()));
    xored.or_else(|| mapped_address(message)).ok_or_else(|| StunError {
        code: UNREACHABLE,
        text: "the server's answer holds no address".to_owned(),
    })
}

/// MAPPED-ADDRESS, the only address that a server of RFC 3489 knows (RFC 8489, section 14.1).
fn mapped_address(message: &Message<'_>) -> Option<SocketAddr> {
    let attribute = message.raw_attribute(AttributeType::new(0x0001))?;
    let &[_, family, high, low, ref ip @ ..] = &*attribute.value else { return None };
    let ip = match family {
        1 => <[u8; 4]>::try_from(ip).ok().map(IpAddr::from),
        2 => <[u8; 16]>::try_from(ip).ok().map(IpAddr::from),
        _ => None,
    };
    ip.map(|ip| SocketAddr::new(ip, u16::from_be_bytes([high, low])))
}

#[cfg(test)]
mod tests {
    use stun_proto::types::attribute::RawAttribute;
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

    /// A success response with attributes as they are.
    fn raw(attributes: &[(u16, &[u8])]) -> Reply {
        let kind = stun_proto::types::message::MessageType::from_bytes(&[0x01, 0x01]).unwrap();
        let id = TransactionId::generate();
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        for (kind, value) in attributes {
            message.add_attribute(&RawAttribute::new(AttributeType::new(*kind), value)).unwrap();
        }
        reply(&Message::from_bytes(&message.finish()).unwrap())
    }

    #[test]
    fn an_old_server_tells_the_address_as_it_is() {
        let v4 = raw(&[(1, &[0, 1, 0x0f, 0xa0, 198, 51, 100, 7])]).unwrap();
        assert_eq!(v4.to_string(), "198.51.100.7:4000");
        let v6 = [&[0, 2, 0x0f, 0xa0][..], &[0x20, 1, 0xd, 0xb8], &[0; 11], &[9]].concat();
        assert_eq!(raw(&[(1, &v6)]).unwrap().to_string(), "[2001:db8::9]:4000");
        // SOURCE-ADDRESS and CHANGED-ADDRESS, which such servers add, are somebody else's.
        let others = [(4, &[0, 1, 0, 1, 192, 0, 2, 1][..]), (5, &[0, 1, 0, 1, 192, 0, 2, 2])];
        assert_eq!(raw(&others).unwrap_err().code, UNREACHABLE);
    }

    #[test]
    fn the_address_that_no_router_can_rewrite_is_preferred() {
        let id = TransactionId::generate();
        let kind = stun_proto::types::message::MessageType::from_bytes(&[0x01, 0x01]).unwrap();
        let mut message = Message::builder(kind, id, MessageWriteVec::new());
        let plain = RawAttribute::new(AttributeType::new(1), &[0, 1, 0, 9, 192, 0, 2, 1]);
        message.add_attribute(&plain).unwrap();
        let mapped = "198.51.100.7:4000".parse().unwrap();
        message.add_attribute(&XorMappedAddress::new(mapped, id)).unwrap();
        assert_eq!(reply(&Message::from_bytes(&message.finish()).unwrap()).unwrap(), mapped);
    }

    #[test]
    fn an_address_that_is_none_is_an_error() {
        for value in [
            &[][..],
            &[0, 1, 0],
            &[0, 1, 0, 1, 10, 0, 0],
            &[0, 2, 0, 1, 10, 0, 0, 1],
            &[0, 3, 0, 1, 1, 1, 1, 1],
        ] {
            assert_eq!(raw(&[(1, value)]).unwrap_err().code, UNREACHABLE, "{value:?}");
        }
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
