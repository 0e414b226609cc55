//! Where clients come from, also behind proxies, and how many connections each place has.

use std::collections::HashMap;
use std::fmt;
use std::net::{IpAddr, Ipv6Addr};
use std::str::FromStr;
use std::sync::{Arc, Mutex, PoisonError};

use hyper::HeaderMap;

/// An IP address, or a range of them: `10.0.0.0/8`, `::1`.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl fmt::Debug for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

impl FromStr for Network {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || format!("{text:?} is neither an IP address nor a range such as 10.0.0.0/8");
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let longest = if address.is_ipv4() { 32 } else { 128 };
        let prefix = prefix.map_or(Ok(longest), str::parse).map_err(|_| wrong())?;
        if prefix > longest { Err(wrong()) } else { Ok(Self { address, prefix }) }
    }
}

impl Network {
    /// Whether an address is in it.
    pub fn contains(&self, other: IpAddr) -> bool {
        let same = |difference: u128, bits: u32| {
            let ignored = bits - u32::from(self.prefix);
            difference.checked_shr(ignored).unwrap_or(0) == 0
        };
        match (self.address, other) {
            (IpAddr::V4(a), IpAddr::V4(b)) => same(u128::from(a.to_bits() ^ b.to_bits()), 32),
            (IpAddr::V6(a), IpAddr::V6(b)) => same(a.to_bits() ^ b.to_bits(), 128),
            _ => false,
        }
    }
}

/// Who the client is: the peer itself, or what trusted proxies say. Of the addresses that were passed on, the last one that
/// is no proxy of ours counts: whatever stands before it was written by somebody unknown.
pub(super) fn client_address(peer: IpAddr, headers: &HeaderMap, trusted: &[Network]) -> IpAddr {
    let trusts = |address: IpAddr| trusted.iter().any(|network| network.contains(address));
    let mut client = peer.to_canonical();
    if !trusts(client) {
        return client;
    }
    for hop in passed_on(headers).into_iter().rev() {
        let Some(address) = hop else { break };
        client = address;
        if !trusts(client) {
            break;
        }
    }
    client
}

/// Whether some proxy has passed this request on, trusted or not.
pub(super) fn came_through_a_proxy(headers: &HeaderMap) -> bool {
    headers.keys().any(|name| {
        matches!(name.as_str(), "forwarded" | "via" | "x-real-ip")
            || name.as_str().starts_with("x-forwarded-")
    })
}

/// The addresses in `X-Forwarded-For`, or else in `Forwarded` (RFC 7239), nearest proxy last. `None` is one that cannot be
/// read: those before it are not to be believed either.
fn passed_on(headers: &HeaderMap) -> Vec<Option<IpAddr>> {
    let values = |name| headers.get_all(name).iter().filter_map(|value| value.to_str().ok());
    let hops: Vec<_> = values("x-forwarded-for").flat_map(|value| value.split(',')).map(address_in).collect();
    if !hops.is_empty() {
        return hops;
    }
    values("forwarded")
        .flat_map(|value| value.split(','))
        .map(|element| {
            element.split(';').find_map(|pair| {
                let (name, value) = pair.split_once('=')?;
                name.trim().eq_ignore_ascii_case("for").then(|| address_in(value))?
            })
        })
        .collect()
}

/// `192.0.2.1`, `192.0.2.1:80`, `2001:db8::1`, `"[2001:db8::1]:80"`.
fn address_in(text: &str) -> Option<IpAddr> {
    let text = text.trim().trim_matches('"');
    let host = match text.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?.0,
        None if text.matches(':').count() == 1 => text.split_once(':')?.0,
        None => text,
    };
    host.parse::<IpAddr>().ok().map(|address| address.to_canonical())
}

/// The place that `address` belongs to: itself, of IPv6 the /64, which is what one customer has at least. Whatever is counted
/// by address is counted by this: whoever has a /64 can come from 2^64 addresses.
pub fn place_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        address => address,
    }
}

/// Connections by [place](place_of). As many entries as there are connections, which are limited.
#[derive(Debug, Default)]
pub(super) struct Places(Mutex<HashMap<IpAddr, usize>>);

/// One connection of a place, counted until this is dropped.
#[derive(Debug)]
pub(super) struct Place {
    places: Arc<Places>,
    key: IpAddr,
}

impl Places {
    /// Counts one more connection of `address` unless it has `limit` already.
    pub(super) fn enter(self: &Arc<Self>, address: IpAddr, limit: usize) -> Option<Place> {
        let key = place_of(address);
        let mut counts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let count = counts.entry(key).or_insert(0);
        if *count >= limit {
            // It exists because of those others; a limit of 0 is not possible.
            return None;
        }
        *count += 1;
        Some(Place { places: self.clone(), key })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.places.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(&self.key) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    fn headers(name: &'static str, values: &[&'static str]) -> HeaderMap {
        values.iter().map(|value| (name.parse().unwrap(), value.parse().unwrap())).collect()
    }

    fn networks(texts: &[&str]) -> Vec<Network> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn nobody_is_believed_who_is_not_a_trusted_proxy() {
        let spoofed = headers("x-forwarded-for", &["203.0.113.9"]);
        assert_eq!(
            client_address(ip("198.51.100.1"), &spoofed, &networks(&["10.0.0.0/8"])),
            ip("198.51.100.1")
        );
        assert_eq!(client_address(ip("10.1.2.3"), &spoofed, &networks(&["10.0.0.0/8"])), ip("203.0.113.9"));
    }

    #[test]
    fn the_last_address_that_is_no_proxy_of_ours_is_the_client() {
        let trusted = networks(&["10.0.0.0/8", "::1"]);
        let chain = headers("x-forwarded-for", &["1.1.1.1, 203.0.113.9", "10.0.0.7"]);
        assert_eq!(client_address(ip("::1"), &chain, &trusted), ip("203.0.113.9"));
        let unreadable = headers("x-forwarded-for", &["203.0.113.9, unknown, 10.0.0.7"]);
        assert_eq!(client_address(ip("::1"), &unreadable, &trusted), ip("10.0.0.7"));
        let forwarded = headers("forwarded", &["for=\"[2001:db8::1]:4711\";proto=https, For=10.0.0.7:80"]);
        assert_eq!(client_address(ip("10.0.0.1"), &forwarded, &trusted), ip("2001:db8::1"));
    }

    #[test]
    fn ranges_are_checked_when_they_are_read() {
        for wrong in ["10.0.0.0/33", "::/129", "x", "10.0.0.0/", "10.0.0.0/-1", ""] {
            assert!(wrong.parse::<Network>().is_err(), "{wrong}");
        }
        assert!(networks(&["0.0.0.0/0"])[0].contains(ip("255.1.2.3")));
        assert!(networks(&["::/0"])[0].contains(ip("2001:db8::1")));
        assert!(!networks(&["192.0.2.0/25"])[0].contains(ip("192.0.2.128")));
    }

    #[test]
    fn a_place_is_an_ipv4_address_however_it_is_written_or_an_ipv6_network() {
        assert_eq!(place_of(ip("192.0.2.7")), ip("192.0.2.7"));
        assert_eq!(place_of(ip("::ffff:192.0.2.7")), ip("192.0.2.7"));
        assert_eq!(place_of(ip("2001:db8:1:2:3:4:5:6")), ip("2001:db8:1:2::"));
        assert_ne!(place_of(ip("2001:db8:1:2::1")), place_of(ip("2001:db8:1:3::1")));
    }

    #[test]
    fn a_place_has_so_many_connections_and_an_ipv6_customer_is_one_place() {
        let places = Arc::new(Places::default());
        let first = places.enter(ip("2001:db8::1"), 2);
        let second = places.enter(ip("2001:db8::2"), 2);
        assert!(first.is_some() && second.is_some());
        assert!(places.enter(ip("2001:db8::3"), 2).is_none());
        assert!(places.enter(ip("2001:db8:0:1::3"), 2).is_some());
        drop(first);
        assert!(places.enter(ip("2001:db8::3"), 2).is_some());
        drop(second);
        assert!(places.0.lock().unwrap().is_empty());
    }
}
