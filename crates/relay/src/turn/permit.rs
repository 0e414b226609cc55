//! CreatePermission and ChannelBind (RFC 8656, 9 to 12): to whom a client may send, and from whom it hears.

use std::net::{IpAddr, SocketAddr};
use std::time::Instant;

use turn_types::attribute::{ChannelNumber, XorPeerAddress};
use turn_types::stun::attribute::{
    Attribute, AttributeFromRaw, AttributeStaticType, AttributeType, ErrorCode, Fingerprint,
    MessageIntegrity, MessageIntegritySha256, Nonce, Realm, Username,
};
use turn_types::stun::message::Message;

use super::answer::Answer;
use super::peers::Peer;
use super::{Client, Turn};

/// What every request may have in it.
pub(super) const KNOWN: &[AttributeType] = &[
    Username::TYPE,
    Realm::TYPE,
    Nonce::TYPE,
    MessageIntegrity::TYPE,
    MessageIntegritySha256::TYPE,
    Fingerprint::TYPE,
];

/// Channel numbers. RFC 8656, 12 has fewer, up to 0x4fff, so that RFC 7983 can tell more protocols apart; nothing else comes here, and
/// clients of the time of RFC 5766 use all of these.
const CHANNELS: std::ops::RangeInclusive<u16> = 0x4000..=0x7fff;

/// Addresses in one request; more than there may be permissions make no sense.
const MOST_ADDRESSES: usize = 128;

impl<S: Clone> Turn<S> {
    pub(super) fn create_permission<'m>(
        &mut self,
        client: Client,
        request: &'m Message<'m>,
        now: Instant,
    ) -> Answer<'m> {
        let error = |code| Answer::error(request, code);
        let known = [&[XorPeerAddress::TYPE], KNOWN].concat();
        if let Some(answer) = Answer::unknown(request, &known) {
            return answer;
        }
        let mut peers = Vec::new();
        for (_, attribute) in request.iter_attributes() {
            if attribute.get_type() != XorPeerAddress::TYPE {
                continue;
            }
            let Ok(peer) = XorPeerAddress::from_raw(attribute) else {
                return error(ErrorCode::BAD_REQUEST);
            };
            peers.push(peer.addr(request.transaction_id()).ip());
        }
        if peers.is_empty() || peers.len() > MOST_ADDRESSES {
            return error(ErrorCode::BAD_REQUEST);
        }
        match self.permit(client, &peers, now) {
            Ok(()) => Answer::success(request),
            Err(code) => error(code),
        }
    }

    pub(super) fn channel_bind<'m>(
        &mut self,
        client: Client,
        request: &'m Message<'m>,
        now: Instant,
    ) -> Answer<'m> {
        let error = |code| Answer::error(request, code);
        let known = [&[XorPeerAddress::TYPE, ChannelNumber::TYPE], KNOWN].concat();
        if let Some(answer) = Answer::unknown(request, &known) {
            return answer;
        }
        let (Ok(number), Ok(peer)) =
            (request.attribute::<ChannelNumber>(), request.attribute::<XorPeerAddress>())
        else {
            return error(ErrorCode::BAD_REQUEST);
        };
        let (number, peer) = (number.channel(), peer.addr(request.transaction_id()));
        let taken = |turn: &Self| {
            turn.clients.get(&client).is_none_or(|allocation| allocation.is_taken(number, peer, now))
        };
        if !CHANNELS.contains(&number) || taken(self) {
            return error(ErrorCode::BAD_REQUEST);
        }
        // A channel comes with a permission (RFC 8656, 12.2).
        match self.permit(client, &[peer.ip()], now).and_then(|()| self.bind(client, number, peer, now)) {
            Ok(()) => Answer::success(request),
            Err(code) => error(code),
        }
    }

    fn bind(&mut self, client: Client, number: u16, peer: SocketAddr, now: Instant) -> Result<(), u16> {
        let bound = self.clients.get_mut(&client).map(|allocation| allocation.bind(number, peer, now));
        if bound == Some(Ok(())) { Ok(()) } else { Err(ErrorCode::INSUFFICIENT_CAPACITY) }
    }

    fn permit(&mut self, client: Client, peers: &[IpAddr], now: Instant) -> Result<(), u16> {
        let Some(allocation) = self.clients.get_mut(&client) else {
            return Err(ErrorCode::ALLOCATION_MISMATCH);
        };
        let mut judged = Vec::with_capacity(peers.len());
        for &peer in peers {
            if allocation.port_towards(peer).is_none() {
                return Err(ErrorCode::PEER_ADDRESS_FAMILY_MISMATCH);
            }
            match self.peers.judge(peer) {
                Peer::Denied => {
                    self.stats.forbidden_peers += 1;
                    return Err(ErrorCode::FORBIDDEN);
                }
                kind => judged.push((peer, kind == Peer::Own)),
            }
        }
        allocation.permit(&judged, now).map_err(|_| ErrorCode::INSUFFICIENT_CAPACITY)
    }
}
