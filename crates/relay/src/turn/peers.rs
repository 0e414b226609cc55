//! Whom the relay may send to. It must not become a door into the network behind it.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ossa_signaling::Network;

/// What an address is to the relay.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Peer {
    /// It may be sent to.
    Allowed,
    /// It is this server: only the ports of other allocations may be reached, which is how two agents behind relays meet.
    Own,
    /// It may not be sent to.
    Denied,
}

/// Judges addresses.
#[derive(Debug)]
pub(super) struct Peers {
    allow: Vec<Network>,
    deny: Vec<Network>,
    /// Addresses of this host, and those that it announces.
    own: HashSet<IpAddr>,
}

impl Peers {
    pub(super) fn new(allow: Vec<Network>, deny: Vec<Network>) -> Self {
        Self { allow, deny, own: HashSet::new() }
    }

    /// The addresses of this host at this moment, with those that it announces.
    pub(super) fn set_own(&mut self, own: HashSet<IpAddr>) {
        self.own = own;
    }

    pub(super) fn judge(&self, address: IpAddr) -> Peer {
        // Whatever an address looks like, it is judged by where it leads.
        let address = leads_to(address);
        let within = |networks: &[Network]| networks.iter().any(|network| network.contains(address));
        if within(&self.deny) {
            Peer::Denied
        } else if within(&self.allow) {
            Peer::Allowed
        } else if self.own.contains(&address) {
            Peer::Own
        } else if is_special(address) {
            Peer::Denied
        } else {
            Peer::Allowed
        }
    }
}

/// The IPv4 address that an IPv6 address stands for: mapped (RFC 4291, 2.5.5.2), of NAT64 (RFC 6052) or of 6to4 (RFC 3056).
fn leads_to(address: IpAddr) -> IpAddr {
    let IpAddr::V6(v6) = address else { return address };
    let [a, b, c, d, e, f, g, h] = v6.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)).into();
    match (a, b) {
        (0, 0) if (c, d, e) == (0, 0, 0) && f == 0xffff => v4(g, h),
        (0x64, 0xff9b) if (c, d, e, f) == (0, 0, 0, 0) => v4(g, h),
        (0x2002, _) => v4(b, c),
        _ => address,
    }
}

/// Addresses that are nobody's on the internet (RFC 6890).
fn is_special(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => is_special_v6(address),
    }
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    a == 0
        || a >= 240
        || address.is_loopback()
        || address.is_private()
        || address.is_link_local()
        || address.is_multicast()
        // Carrier-grade NAT (RFC 6598), protocol assignments (RFC 6890, 2.2.2), benchmarks (RFC 2544).
        || (a == 100 && (64..128).contains(&b))
        || (a, b, c) == (192, 0, 0)
        || (a == 198 && (b & 0xfe) == 18)
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    let [a, b, c, ..] = address.segments();
    // All of ::/32: unspecified, loopback, and the deprecated IPv4-compatible addresses.
    (a, b) == (0, 0)
        || address.is_multicast()
        || address.is_unique_local()
        || address.is_unicast_link_local()
        // Site-local (RFC 3879), NAT64 of a network's own (RFC 8215), Teredo (RFC 4380), discard-only (RFC 6666).
        || (a & 0xffc0) == 0xfec0
        || (a, b, c) == (0x64, 0xff9b, 1)
        || (a, b) == (0x2001, 0)
        || (a, b) == (0x100, 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peers(allow: &[&str], deny: &[&str], own: &[&str]) -> Peers {
        let networks = |texts: &[&str]| texts.iter().map(|text| text.parse().unwrap()).collect();
        let mut peers = Peers::new(networks(allow), networks(deny));
        peers.set_own(own.iter().map(|text| text.parse().unwrap()).collect());
        peers
    }

    fn judge(peers: &Peers, address: &str) -> Peer {
        peers.judge(address.parse().unwrap())
    }

    #[test]
    fn nothing_behind_the_server_is_reached() {
        let peers = peers(&[], &[], &[]);
        for inside in [
            "0.0.0.0",
            "0.1.2.3",
            "10.1.2.3",
            "100.64.0.1",
            "100.127.255.255",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "172.31.255.255",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "198.19.255.255",
            "224.0.0.1",
            "239.1.1.1",
            "240.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::7f00:1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::10.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::1",
            "2002:7f00:1::",
            "2002:a00:1::1",
            "2001:0:1::1",
            "100::1",
            "fc00::1",
            "fd12::1",
            "fe80::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert_eq!(judge(&peers, inside), Peer::Denied, "{inside}");
        }
    }

    #[test]
    fn the_internet_is_reached() {
        let peers = peers(&[], &[], &[]);
        for outside in [
            "1.1.1.1",
            "100.63.255.255",
            "100.128.0.1",
            "172.15.0.1",
            "172.32.0.1",
            "198.17.0.1",
            "198.20.0.1",
            "203.0.113.7",
            "223.255.255.255",
            "2001:db8::1",
            "2a00::1",
            "64:ff9b::808:808",
            "2002:808:808::1",
            "::ffff:8.8.8.8",
        ] {
            assert_eq!(judge(&peers, outside), Peer::Allowed, "{outside}");
        }
    }

    #[test]
    fn the_server_itself_is_told_apart_also_where_it_has_a_private_address() {
        let peers = peers(&[], &[], &["203.0.113.1", "10.0.0.5", "127.0.0.1"]);
        for own in ["203.0.113.1", "10.0.0.5", "127.0.0.1", "::ffff:203.0.113.1", "64:ff9b::cb00:7101"] {
            assert_eq!(judge(&peers, own), Peer::Own, "{own}");
        }
        assert_eq!(judge(&peers, "10.0.0.6"), Peer::Denied);
    }

    #[test]
    fn what_is_allowed_by_hand_is_reached_and_what_is_denied_by_hand_is_not() {
        let peers = peers(&["10.0.0.0/8", "127.0.0.1"], &["10.0.0.9", "8.8.0.0/16"], &["10.0.0.9"]);
        assert_eq!(judge(&peers, "10.1.1.1"), Peer::Allowed);
        assert_eq!(judge(&peers, "127.0.0.1"), Peer::Allowed);
        assert_eq!(judge(&peers, "127.0.0.2"), Peer::Denied);
        for denied in ["10.0.0.9", "8.8.8.8", "64:ff9b::808:808"] {
            assert_eq!(judge(&peers, denied), Peer::Denied, "{denied}");
        }
    }
}
