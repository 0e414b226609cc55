//! What one client has on the relay.

use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use turn_types::stun::message::TransactionId;

use super::account::Number;

/// How long a permission lives without being renewed (RFC 8656, 9).
const PERMISSION_LIFETIME: Duration = Duration::from_secs(300);

/// How long a channel is bound without being bound again (RFC 8656, 12).
const CHANNEL_LIFETIME: Duration = Duration::from_secs(600);

/// Peers of one allocation, and channels: a connection has a permission for each address of the other side and a channel for each
/// candidate that answers. 64 bytes each.
const MOST: usize = 128;

/// A port of the relay.
#[derive(Debug, Clone)]
pub struct Bound<S> {
    /// The socket. The port is free again when it is dropped.
    pub socket: S,
    /// As others see it.
    pub address: SocketAddr,
}

#[derive(Debug)]
pub(super) struct Permission {
    pub(super) peer: IpAddr,
    /// It is this server: only ports of other allocations are meant.
    pub(super) own: bool,
    expires: Instant,
}

#[derive(Debug)]
struct Channel {
    number: u16,
    peer: SocketAddr,
    expires: Instant,
}

/// There is no room for another peer or channel.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NoRoom;

#[derive(Debug)]
pub(super) struct Allocation<S> {
    /// What all user names of the agent have in common.
    pub(super) agent: String,
    /// The accounts of agent and address.
    pub(super) accounts: [Number; 2],
    /// One, or one of each family.
    pub(super) ports: Vec<Bound<S>>,
    /// The request that has made it, which may come again.
    pub(super) transaction: TransactionId,
    pub(super) expires: Instant,
    permissions: Vec<Permission>,
    channels: Vec<Channel>,
}

impl<S> Allocation<S> {
    pub(super) fn new(
        agent: String,
        accounts: [Number; 2],
        ports: Vec<Bound<S>>,
        transaction: TransactionId,
        expires: Instant,
    ) -> Self {
        Self { agent, accounts, ports, transaction, expires, permissions: Vec::new(), channels: Vec::new() }
    }

    /// The port that packets to `peer` leave from.
    pub(super) fn port_towards(&self, peer: IpAddr) -> Option<&Bound<S>> {
        self.ports.iter().find(|port| port.address.is_ipv4() == peer.is_ipv4())
    }

    pub(super) fn permission(&self, peer: IpAddr, now: Instant) -> Option<&Permission> {
        self.permissions.iter().find(|permission| permission.peer == peer && permission.expires > now)
    }

    /// Allows packets to and from `peers`, all or none of them.
    pub(super) fn permit(&mut self, peers: &[(IpAddr, bool)], now: Instant) -> Result<(), NoRoom> {
        self.permissions.retain(|permission| permission.expires > now);
        let is_new = |&&(peer, _): &&(IpAddr, bool)| !self.permissions.iter().any(|known| known.peer == peer);
        if self.permissions.len() + peers.iter().filter(is_new).count() > MOST {
            return Err(NoRoom);
        }
        let expires = now + PERMISSION_LIFETIME;
        for &(peer, own) in peers {
            match self.permissions.iter_mut().find(|known| known.peer == peer) {
                Some(known) => *known = Permission { peer, own, expires },
                None => self.permissions.push(Permission { peer, own, expires }),
            }
        }
        Ok(())
    }

    /// Where a channel leads.
    pub(super) fn peer_of(&self, number: u16, now: Instant) -> Option<SocketAddr> {
        let channel = self.channels.iter().find(|channel| channel.number == number)?;
        (channel.expires > now).then_some(channel.peer)
    }

    /// The channel that leads to `peer`.
    pub(super) fn channel_to(&self, peer: SocketAddr, now: Instant) -> Option<u16> {
        let channel = self.channels.iter().find(|channel| channel.peer == peer)?;
        (channel.expires > now).then_some(channel.number)
    }

    /// Whether the channel leads to somebody else, or the peer has another one (RFC 8656, 12.2).
    pub(super) fn is_taken(&self, number: u16, peer: SocketAddr, now: Instant) -> bool {
        let current = |channel: &&Channel| channel.expires > now;
        self.channels
            .iter()
            .filter(current)
            .any(|channel| (channel.number == number) != (channel.peer == peer))
    }

    /// Binds a channel that is not taken.
    pub(super) fn bind(&mut self, number: u16, peer: SocketAddr, now: Instant) -> Result<(), NoRoom> {
        self.channels.retain(|channel| channel.expires > now);
        let expires = now + CHANNEL_LIFETIME;
        if let Some(known) = self.channels.iter_mut().find(|channel| channel.number == number) {
            known.expires = expires;
        } else if self.channels.len() < MOST {
            self.channels.push(Channel { number, peer, expires });
        } else {
            return Err(NoRoom);
        }
        Ok(())
    }
}
