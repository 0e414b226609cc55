//! What clients and peers send each other: ChannelData, Send and Data indications (RFC 8656, 11 and 12).

use std::net::SocketAddr;
use std::time::Instant;

use turn_types::attribute::{Data, DontFragment, XorPeerAddress};
use turn_types::message::DATA;
use turn_types::stun::attribute::{Attribute, AttributeStaticType, Fingerprint};
use turn_types::stun::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};

use super::{Client, Step, Turn};

/// How data of a peer reaches its client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Via {
    /// In a ChannelData message with this number.
    Channel(u16),
    /// In a Data indication, with this transaction ID, of this peer.
    Indication(u128, SocketAddr),
}

/// The header of a ChannelData message.
const HEADER: usize = 4;

impl Via {
    /// Appends `data` to `out`, wrapped. In a stream each message is a multiple of four bytes (RFC 8656, 12.5).
    pub fn wrap(self, data: &[u8], in_stream: bool, out: &mut Vec<u8>) {
        match self {
            Self::Channel(number) => {
                // No datagram is longer than the 16 bits say.
                let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
                out.extend_from_slice(&number.to_be_bytes());
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(data);
                if in_stream {
                    out.resize(out.len() + data.len().wrapping_neg() % 4, 0);
                }
            }
            Self::Indication(transaction, peer) => {
                let writer = MessageWriteVec::with_capacity(data.len() + 64);
                let mut writer = Message::builder(
                    turn_types::stun::message::MessageType::from_class_method(
                        turn_types::stun::message::MessageClass::Indication,
                        DATA,
                    ),
                    transaction.into(),
                    writer,
                );
                let _ = writer.add_attribute(&XorPeerAddress::new(peer, transaction.into()));
                let _ = writer.add_attribute(&Data::new(data));
                out.extend_from_slice(&writer.finish());
            }
        }
    }
}

impl<S: Clone> Turn<S> {
    pub(super) fn channel_data<'a>(&mut self, client: Client, data: &'a [u8], now: Instant) -> Step<'a, S> {
        let [a, b, high, low, payload @ ..] = data else { return self.malformed() };
        let number = u16::from_be_bytes([*a, *b]);
        // What follows in a datagram is padding (RFC 8656, 12.5).
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let Some(payload) = payload.get(..length) else { return self.malformed() };
        let Some(allocation) = self.clients.get(&client) else { return self.malformed() };
        match allocation.peer_of(number, now) {
            Some(peer) => self.pass_on(client, peer, payload, now),
            None => self.not_permitted(),
        }
    }

    pub(super) fn send_indication<'a>(
        &mut self,
        client: Client,
        data: &'a [u8],
        now: Instant,
    ) -> Step<'a, S> {
        let Ok(message) = Message::from_bytes(data) else { return self.malformed() };
        let known = [XorPeerAddress::TYPE, Data::TYPE, Fingerprint::TYPE, DontFragment::TYPE];
        let (mut peer, mut payload) = (None, None);
        for (offset, attribute) in message.iter_attributes() {
            let kind = attribute.get_type();
            if kind == XorPeerAddress::TYPE {
                peer = peer.or_else(|| {
                    let address = XorPeerAddress::try_from(&attribute).ok()?;
                    Some(address.addr(message.transaction_id()))
                });
            } else if kind == Data::TYPE {
                let start = offset + HEADER;
                payload = payload.or_else(|| data.get(start..start + attribute.value.len()));
            } else if (kind.comprehension_required() && !known.contains(&kind))
                || (kind == DontFragment::TYPE && !self.never_fragments)
            {
                return self.malformed();
            }
        }
        match (peer, payload) {
            (Some(peer), Some(payload)) if self.clients.contains_key(&client) => {
                self.pass_on(client, peer, payload, now)
            }
            _ => self.malformed(),
        }
    }

    fn not_permitted<'a>(&mut self) -> Step<'a, S> {
        self.stats.not_permitted += 1;
        Step::Done
    }

    fn pass_on<'a>(&mut self, client: Client, peer: SocketAddr, data: &'a [u8], now: Instant) -> Step<'a, S> {
        let Some(allocation) = self.clients.get(&client) else { return Step::Done };
        let (Some(permission), Some(port)) =
            (allocation.permission(peer.ip(), now), allocation.port_towards(peer.ip()))
        else {
            return self.not_permitted();
        };
        let (own, from, socket) = (permission.own, port.address, port.socket.clone());
        if !self.accounts.spend(allocation.accounts, &mut self.total, data.len(), now) {
            self.stats.over_bandwidth += 1;
            return Step::Done;
        }
        // Two agents of this server meet without a detour through the kernel, which could not even carry what was announced for
        // a NAT. On this host nothing else may be reached.
        if self.ports.contains_key(&peer) {
            return match self.deliver(peer, from, data, now, true) {
                Some((client, via)) => Step::ToClient { client, via, data },
                None => Step::Done,
            };
        }
        if own {
            return self.not_permitted();
        }
        self.count(data);
        Step::ToPeer { socket, peer, data }
    }

    fn count(&mut self, data: &[u8]) {
        self.stats.relayed += 1;
        self.stats.relayed_bytes += data.len() as u64;
    }

    /// A datagram that has come from `peer` to the port with the address `relayed`: whom it is for, and how it gets there.
    pub fn handle_peer(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        now: Instant,
    ) -> Option<(Client, Via)> {
        self.deliver(relayed, peer, data, now, false)
    }

    fn deliver(
        &mut self,
        relayed: SocketAddr,
        peer: SocketAddr,
        data: &[u8],
        now: Instant,
        from_relay: bool,
    ) -> Option<(Client, Via)> {
        let client = *self.ports.get(&relayed)?;
        let allocation = self.clients.get(&client)?;
        // A permission for this server is one for its relay, not for whatever else sends from here.
        if allocation.permission(peer.ip(), now).is_none_or(|permission| permission.own && !from_relay) {
            self.stats.not_permitted += 1;
            return None;
        }
        let channel = allocation.channel_to(peer, now);
        if !self.accounts.spend(allocation.accounts, &mut self.total, data.len(), now) {
            self.stats.over_bandwidth += 1;
            return None;
        }
        self.count(data);
        let via = match channel {
            Some(number) => Via::Channel(number),
            None => Via::Indication(self.transaction(), peer),
        };
        Some((client, via))
    }

    /// Of an indication: nothing answers it, so it only has to differ from the last ones.
    fn transaction(&mut self) -> u128 {
        self.transactions = self.transactions.wrapping_add(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
        self.transactions
    }
}
