//! Entries for fuzzing. Not part of the API.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use ossa_signaling::{Secret, turn_password};
use turn_types::message::{ALLOCATE, CHANNEL_BIND, CREATE_PERMISSION, REFRESH};
use turn_types::stun::attribute::{
    AttributeStaticType, Fingerprint, MessageIntegrity, MessageIntegritySha256, Nonce, Realm, Username,
};
use turn_types::stun::message::{
    IntegrityAlgorithm, LongTermKeyCredentials, Message, MessageWrite, MessageWriteExt, MessageWriteVec,
    Method,
};

use crate::config::Limits;
use crate::turn::{Bound, Client, Framed, Now, Settings, Step, Turn, framed};

const USER: &str = "1700003600:fuzz";
const SECRET: &str = "of the fuzzer";

struct World {
    turn: Turn<()>,
    client: Client,
    now: Instant,
    ports: u16,
}

/// Reads `data` as steps of one client and one peer, some of them with good credentials, which only few inputs would find. Whatever comes,
/// the relay keeps to its bounds.
pub fn relay(now: Instant, data: &[u8]) {
    let settings = Settings {
        secret: Secret::from(SECRET.to_owned()),
        seed: [7; 32],
        limits: Limits { allocations: 4, ..Limits::default() },
        allow_peers: Vec::new(),
        deny_peers: Vec::new(),
        never_fragments: true,
    };
    let remote = SocketAddr::from(([192, 0, 2, 1], 1000));
    let client = Client { remote, local: [203, 0, 113, 1].into(), stream: None };
    let mut world = World { turn: Turn::new(settings, now), client, now, ports: 50_000 };
    let mut rest = data;
    while let [kind, length, tail @ ..] = rest {
        let (step, tail) = tail.split_at(tail.len().min(usize::from(*length)));
        rest = tail;
        world.step(*kind, step);
        assert!(world.turn.stats().allocations <= 4, "more allocations than allowed");
    }
}

impl World {
    fn step(&mut self, kind: u8, step: &[u8]) {
        let port = 1000 + u16::from(kind >> 4);
        self.client.remote.set_port(port);
        match kind & 7 {
            0 => self.tell(step),
            1 => self.signed(ALLOCATE, step),
            2 => self.signed(REFRESH, step),
            3 => self.signed(CREATE_PERMISSION, step),
            4 => self.signed(CHANNEL_BIND, step),
            5 => {
                let relayed = SocketAddr::from(([203, 0, 113, 1], 50_000 + u16::from(kind >> 4)));
                let peer = SocketAddr::from(([198, 51, 100, 1], 9));
                if let Some((_, via)) = self.turn.handle_peer(relayed, peer, step, self.now) {
                    via.wrap(step, kind & 8 != 0, &mut Vec::new());
                }
            }
            6 => {
                self.now += Duration::from_secs(step.len() as u64 * 10);
                self.turn.handle_timeout(self.now);
            }
            _ => self.stream(step),
        }
        while self.turn.poll_event().is_some() {}
    }

    fn stream(&mut self, mut stream: &[u8]) {
        while let Framed::Message { length, taken } = framed(stream) {
            assert!(length <= taken && taken > 0, "a message takes what it has");
            self.tell(&stream[..length]);
            stream = &stream[taken..];
        }
    }

    fn tell(&mut self, message: &[u8]) {
        let now = Now { instant: self.now, unix: 1_700_000_000 };
        if let Step::Allocate(wanted) = self.turn.handle_client(self.client, message, now) {
            let address = SocketAddr::from(([203, 0, 113, 1], self.ports));
            self.ports = self.ports.wrapping_add(1).max(50_000);
            let bound = Ok(Bound { socket: (), address });
            let ports = wanted.families.first().map(|family| (*family, bound)).into_iter().collect();
            self.turn.allocated(*wanted, ports, None, self.now);
        }
    }

    /// A request with the attributes that `step` has, and good credentials.
    fn signed(&mut self, method: Method, step: &[u8]) {
        let plain = Message::builder_request(ALLOCATE, MessageWriteVec::new()).finish();
        let now = Now { instant: self.now, unix: 1_700_000_000 };
        let Step::Answer(answer) = self.turn.handle_client(self.client, &plain, now) else { return };
        let Ok(answer) = Message::from_bytes(&answer) else { return };
        let Ok(nonce) = answer.attribute::<Nonce>() else { return };
        let mut request = Message::builder_request(method, MessageWriteVec::new());
        let mut bytes = request.data().to_vec();
        bytes.extend_from_slice(&step[..step.len() & !3]);
        let body = u16::try_from(bytes.len() - 20).unwrap_or(0);
        bytes[2..4].copy_from_slice(&body.to_be_bytes());
        if let Ok(given) = Message::from_bytes(&bytes) {
            for (_, attribute) in given.iter_attributes() {
                // The writer makes these itself, and refuses to copy them.
                let made = [MessageIntegrity::TYPE, MessageIntegritySha256::TYPE, Fingerprint::TYPE];
                if !made.contains(&attribute.header.get_type()) {
                    let _ = request.add_attribute(&attribute);
                }
            }
        }
        let password = turn_password(&Secret::from(SECRET.to_owned()), USER);
        let credentials =
            LongTermKeyCredentials::new(USER.to_owned(), password.reveal().to_owned(), "ossa".to_owned());
        if let (Ok(user), Ok(realm)) = (Username::new(USER), Realm::new("ossa")) {
            let _ = request.add_attribute(&user);
            let _ = request.add_attribute(&realm);
        }
        let _ = request.add_attribute(&nonce);
        let _ = request.add_message_integrity(&credentials.into(), IntegrityAlgorithm::Sha1);
        self.tell(&request.finish());
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_clients_and_peers_send_the_relay_keeps_to_its_bounds(
            steps in prop::collection::vec((any::<u8>(), prop::collection::vec(any::<u8>(), 0..60)), 1..60)
        ) {
            // What an allocation, a channel and a permission are made of, which chance alone does not find.
            let good: [&[u8]; 3] = [
                &[0, 0x19, 0, 4, 17, 0, 0, 0],
                &[0, 0x0c, 0, 4, 0x40, 1, 0, 0, 0, 0x12, 0, 8, 0, 1, 0x21, 0x1b, 0xe7, 0x21, 0xc0, 0x43],
                &[0, 0x12, 0, 8, 0, 1, 0x21, 0x1b, 0xe7, 0x21, 0xc0, 0x43],
            ];
            let mut data = Vec::new();
            for (kind, bytes) in steps {
                let mut step = good.get(usize::from(kind & 7).wrapping_sub(1) % 5).map_or(Vec::new(), |good| good.to_vec());
                step.extend_from_slice(&bytes);
                data.extend_from_slice(&[kind, step.len() as u8]);
                data.extend_from_slice(&step);
            }
            relay(Instant::now(), &data);
        }
    }
}
