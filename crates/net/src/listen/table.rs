//! Whose the datagrams at a port are: first by the name in a check, then by where they come from.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stun_proto::types::message::TransactionId;

use super::first::addressee;
use super::owner::Owner;

/// Another peer gets an address when the one that has it has heard nothing from there for so long: it is gone, and the other side has
/// begun anew. Whoever is there sends a check twice as often.
const SILENCE: Duration = Duration::from_secs(5);

/// Addresses that one peer may talk to. It checks 512 pairs at most, and hears from 128 addresses more.
const MAX_PATHS: usize = 1_024;

/// Names a peer at a port.
pub(crate) type OwnerId = u64;

/// What is known at a port. Its size follows from that of the peers; nothing that a stranger sends is kept.
#[derive(Default)]
pub(super) struct Table {
    last_id: OwnerId,
    owners: HashMap<OwnerId, Entry>,
    /// Username fragments.
    names: HashMap<String, OwnerId>,
    paths: HashMap<SocketAddr, Path>,
    /// Questions to STUN servers, which several peers may ask at once.
    questions: HashMap<TransactionId, OwnerId>,
}

struct Entry {
    owner: Arc<dyn Owner>,
    paths: usize,
}

struct Path {
    owner: OwnerId,
    heard: Instant,
}

/// Where a datagram goes.
pub(super) enum Destination {
    Owner(OwnerId, Arc<dyn Owner>),
    /// To the peer that it names, which says whether it is genuine. If so, the address is this peer's.
    Introduced(OwnerId, Arc<dyn Owner>),
    Nobody,
}

impl Table {
    pub(super) fn add(&mut self, owner: Arc<dyn Owner>) -> OwnerId {
        self.last_id += 1;
        self.owners.insert(self.last_id, Entry { owner, paths: 0 });
        self.last_id
    }

    /// Forgets a peer with all that it has.
    pub(super) fn remove(&mut self, id: OwnerId) {
        self.owners.remove(&id);
        self.names.retain(|_, owner| *owner != id);
        self.paths.retain(|_, path| path.owner != id);
        self.questions.retain(|_, owner| *owner != id);
    }

    pub(super) fn name(&mut self, ufrag: &str, id: OwnerId) {
        self.names.insert(ufrag.to_owned(), id);
    }

    pub(super) fn forget_name(&mut self, ufrag: &str) {
        self.names.remove(ufrag);
    }

    pub(super) fn ask(&mut self, question: TransactionId, id: OwnerId) {
        self.questions.insert(question, id);
    }

    pub(super) fn forget_question(&mut self, question: TransactionId) {
        self.questions.remove(&question);
    }

    /// Whether the peer may send there. With a check (`opens`) it takes an address that is nobody's. Two peers cannot have the same
    /// one: nothing in what comes from there would tell them apart.
    pub(super) fn may_send(&mut self, now: Instant, remote: SocketAddr, id: OwnerId, opens: bool) -> bool {
        match self.paths.get(&remote) {
            Some(path) if path.owner == id => true,
            Some(path) if now.saturating_duration_since(path.heard) < SILENCE => false,
            _ => opens && self.claim(now, remote, id),
        }
    }

    /// From now on what comes from there is this peer's.
    pub(super) fn claim(&mut self, now: Instant, remote: SocketAddr, id: OwnerId) -> bool {
        if let Some(path) = self.paths.get_mut(&remote)
            && path.owner == id
        {
            path.heard = now;
            return true;
        }
        let Some(entry) = self.owners.get_mut(&id).filter(|entry| entry.paths < MAX_PATHS) else {
            return false;
        };
        entry.paths += 1;
        if let Some(before) = self.paths.insert(remote, Path { owner: id, heard: now })
            && let Some(entry) = self.owners.get_mut(&before.owner)
        {
            entry.paths -= 1;
        }
        true
    }

    /// Addresses that are somebody's.
    pub(super) fn paths(&self) -> usize {
        self.paths.len()
    }

    /// Whose a datagram is.
    pub(super) fn destination(&mut self, now: Instant, remote: SocketAddr, datagram: &[u8]) -> Destination {
        let path = self.paths.get_mut(&remote);
        if let [0, 1, ..] = datagram {
            return self.of_request(now, remote, datagram);
        }
        // Success and error responses of the method Binding start with 0x0101 and 0x0111.
        if let [1, 1 | 0x11, ..] = datagram
            && let Some(question) = transaction(datagram)
            && let Some(id) = self.questions.get(&question)
        {
            return self.to(*id);
        }
        match path {
            Some(path) => {
                path.heard = now;
                let id = path.owner;
                self.to(id)
            }
            None => Destination::Nobody,
        }
    }

    fn of_request(&self, now: Instant, remote: SocketAddr, datagram: &[u8]) -> Destination {
        let named = addressee(datagram).and_then(|ufrag| self.names.get(&ufrag).copied());
        let Some(id) = named else { return Destination::Nobody };
        let taken = self
            .paths
            .get(&remote)
            .is_some_and(|path| path.owner != id && now.saturating_duration_since(path.heard) < SILENCE);
        match self.owners.get(&id) {
            Some(entry) if !taken => Destination::Introduced(id, entry.owner.clone()),
            _ => Destination::Nobody,
        }
    }

    fn to(&self, id: OwnerId) -> Destination {
        self.owners.get(&id).map_or(Destination::Nobody, |entry| Destination::Owner(id, entry.owner.clone()))
    }
}

/// The transaction of a STUN message (RFC 8489, section 5): after the type, the length and the magic cookie.
fn transaction(datagram: &[u8]) -> Option<TransactionId> {
    let bytes: [u8; 12] = datagram.get(8..20)?.try_into().ok()?;
    let bits = bytes.iter().fold(0_u128, |bits, byte| bits << 8 | u128::from(*byte));
    Some(TransactionId::from(bits))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use stun_proto::types::attribute::Username;
    use stun_proto::types::message::{BINDING, Message, MessageWriteVec};
    use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

    use super::*;
    use crate::datagrams::Received;

    struct Nobody;

    impl Owner for Nobody {
        fn take_stream(&self, _: SocketAddr, _: SocketAddr, _: TcpStream, _: Vec<u8>) {}

        fn take_datagrams(&self, _: SocketAddr, _: &[Received<'_>]) -> bool {
            false
        }
    }

    const DTLS: [u8; 3] = [22, 254, 253];

    fn check(ufrag: &str) -> Vec<u8> {
        let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
        message.add_attribute(&Username::new(&format!("{ufrag}:theirs")).unwrap()).unwrap();
        message.finish()
    }

    fn table() -> (Table, OwnerId, OwnerId) {
        let mut table = Table::default();
        let (a, b) = (table.add(Arc::new(Nobody)), table.add(Arc::new(Nobody)));
        table.name("aaaa", a);
        table.name("bbbb", b);
        (table, a, b)
    }

    fn owner(destination: &Destination) -> Option<OwnerId> {
        match destination {
            Destination::Owner(id, _) | Destination::Introduced(id, _) => Some(*id),
            Destination::Nobody => None,
        }
    }

    fn address(port: u16) -> SocketAddr {
        SocketAddr::from(([192, 0, 2, 1], port))
    }

    #[test]
    fn a_stranger_reaches_nobody_and_is_not_remembered() {
        let (mut table, ..) = table();
        let now = Instant::now();
        for port in 1..2_000 {
            for datagram in [&DTLS[..], &check("cccc"), &[], &[0, 1], &[1, 1, 0, 0], &check("aaaa")[..25]] {
                assert!(owner(&table.destination(now, address(port), datagram)).is_none());
            }
            // One who knows a name, which goes over the wire in plain text, reaches its peer, but gets nothing until that says so.
            assert!(owner(&table.destination(now, address(port), &check("aaaa"))).is_some());
            assert!(owner(&table.destination(now, address(port), &DTLS)).is_none());
        }
        assert!(table.paths.is_empty() && table.questions.is_empty());
    }

    #[test]
    fn after_a_genuine_check_all_from_there_is_that_peers() {
        let (mut table, a, b) = table();
        let now = Instant::now();
        assert!(table.claim(now, address(1), a) && table.claim(now, address(2), b));
        assert_eq!(owner(&table.destination(now, address(1), &DTLS)), Some(a));
        assert_eq!(owner(&table.destination(now, address(2), &DTLS)), Some(b));
        table.remove(a);
        assert!(owner(&table.destination(now, address(1), &DTLS)).is_none());
        assert!(owner(&table.destination(now, address(1), &check("aaaa"))).is_none());
    }

    #[test]
    fn two_peers_cannot_have_the_same_address_while_the_first_is_there() {
        let (mut table, a, b) = table();
        let now = Instant::now();
        assert!(table.may_send(now, address(1), a, true));
        assert!(!table.may_send(now, address(1), b, true));
        assert!(
            owner(&table.destination(now, address(1), &check("bbbb"))).is_none(),
            "nor be asked for there"
        );
        assert_eq!(owner(&table.destination(now, address(1), &check("aaaa"))), Some(a));
        let later = now + SILENCE;
        assert_eq!(
            owner(&table.destination(later, address(1), &check("bbbb"))),
            Some(b),
            "the first is silent"
        );
        assert!(table.claim(later, address(1), b));
        assert!(!table.may_send(later, address(1), a, true), "it has moved");
    }

    #[test]
    fn only_a_check_opens_an_address_and_no_peer_has_more_than_it_can_need() {
        let (mut table, a, _) = table();
        let now = Instant::now();
        assert!(!table.may_send(now, address(1), a, false));
        let opened = (1..=u16::MAX).filter(|port| table.may_send(now, address(*port), a, true)).count();
        assert_eq!((opened, table.paths.len()), (MAX_PATHS, MAX_PATHS));
    }

    #[test]
    fn the_answer_to_a_question_goes_to_who_has_asked() {
        let (mut table, a, b) = table();
        let now = Instant::now();
        let request = Message::builder_request(BINDING, MessageWriteVec::new());
        let question = request.transaction_id();
        let mut answer = request.finish();
        answer[0] = 1;
        assert!(owner(&table.destination(now, address(1), &answer)).is_none());
        // The server may be one that another peer talks to.
        assert!(table.claim(now, address(1), a));
        table.ask(question, b);
        assert_eq!(owner(&table.destination(now, address(1), &answer)), Some(b));
        table.forget_question(question);
        assert_eq!(owner(&table.destination(now, address(1), &answer)), Some(a));
    }
}
