//! What a relay is told at its start.

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::time::Duration;

use ossa_signaling::{Network, Secret, TurnUser};

/// What a relay lets through. Every limit protects the server, its other users or the network behind it.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Allocations in total. Default 4,000: each has a socket, a port of the 16,384 of the default range and about 2 KiB.
    pub allocations: usize,
    /// Allocations of one agent. Default 200: a connection makes one for each way to the server (UDP, TCP and TLS, IPv4 and IPv6)
    /// and each interface, so that a mesh of thirty links fits.
    pub allocations_per_agent: usize,
    /// Allocations of one address, of IPv6 of one /64. Default 1,000: an office behind one address, but a quarter of all at most.
    pub allocations_per_address: usize,
    /// Bytes in a second for one agent, both directions together. Default 12,500,000, which is 100 Mbit/s: what access lines carry.
    pub bandwidth_per_agent: u64,
    /// Bytes in a second for one address. Default 62,500,000, which is half of the default total.
    pub bandwidth_per_address: u64,
    /// Bytes in a second for all. Default 125,000,000, which is 1 Gbit/s: what the line of a server carries.
    pub bandwidth: u64,
    /// The longest that an allocation lives without a refresh. Default an hour, which RFC 8656, 7.2 recommends.
    pub lifetime: Duration,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            allocations: 4000,
            allocations_per_agent: 200,
            allocations_per_address: 1000,
            bandwidth_per_agent: 12_500_000,
            bandwidth_per_address: 62_500_000,
            bandwidth: 125_000_000,
            lifetime: Duration::from_secs(3600),
        }
    }
}

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Where UDP is listened on: the address and port that the signaling server has for TCP.
    pub listen: SocketAddr,
    /// What credentials are made with and checked by.
    pub secret: Secret,
    /// How long credentials are good for new allocations; running ones can be refreshed beyond that. Default an hour.
    pub ttl: Duration,
    /// What user names say about the agent.
    pub user: TurnUser,
    /// Credentials also for agents of a server that is open. Default: no.
    pub allow_open: bool,
    /// The name or address in the URLs that agents are told. Default: what each has dialled for signaling.
    pub host: Option<String>,
    /// The addresses to relay from, at most one of each family. Default: the one that the client has reached, and for the other
    /// family the one that packets to the internet leave from.
    pub addresses: Vec<IpAddr>,
    /// What the addresses to relay from are called outside, behind a 1:1 NAT; at most one of each family.
    pub announce: Vec<IpAddr>,
    /// The ports to relay from. Default 49152 to 65535 (RFC 8656, 7.2).
    pub ports: RangeInclusive<u16>,
    /// Peers that may be reached although they are in private networks, on this host or the like.
    pub allow_peers: Vec<Network>,
    /// Peers that may not be reached although they are in public networks. Wins over `allow_peers`.
    pub deny_peers: Vec<Network>,
    /// What it lets through.
    pub limits: Limits,
    /// The server speaks TLS as well, so that there is a `turns:` URL.
    pub tls: bool,
}

impl RelayConfig {
    /// A relay at this address, with defaults for everything else.
    pub fn new(listen: SocketAddr, secret: impl Into<Secret>) -> Self {
        Self {
            listen,
            secret: secret.into(),
            ttl: Duration::from_secs(3600),
            user: TurnUser::Hash,
            allow_open: false,
            host: None,
            addresses: Vec::new(),
            announce: Vec::new(),
            ports: 49_152..=65_535,
            allow_peers: Vec::new(),
            deny_peers: Vec::new(),
            limits: Limits::default(),
            tls: false,
        }
    }
}
