//! Which local addresses exist, and which of them a peer may use.

use std::io;
use std::net::{IpAddr, SocketAddr, SocketAddrV6};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Enumerating interfaces takes a few hundred microseconds; a burst of new peers should pay that once. Two seconds is short
/// enough that a network that just came up is seen by the next connection attempt.
const CACHE_TIME: Duration = Duration::from_secs(2);

/// More addresses than this are not used: ICE checks every pair of local and remote addresses, so the work grows with the
/// product. Hosts with more are container hosts with dozens of bridges, where an [`InterfaceFilter`] is the answer.
pub(crate) const MAX_ADDRESSES: usize = 16;

/// One local address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalAddress {
    pub(crate) interface: String,
    pub(crate) ip: IpAddr,
    /// Interface index; needed to bind and to reach IPv6 link-local addresses.
    pub(crate) index: u32,
}

impl LocalAddress {
    /// The address to bind to, with the scope that a link-local address needs.
    pub(crate) fn with_port(&self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => SocketAddrV6::new(ip, port, 0, self.index).into(),
            ip => SocketAddr::new(ip, port),
        }
    }

    fn is_link_local(&self) -> bool {
        match self.ip {
            IpAddr::V4(ip) => ip.is_link_local(),
            IpAddr::V6(ip) => ip.is_unicast_link_local(),
        }
    }
}

/// Chooses interfaces by name. A pattern is a name, or the start of one followed by `*` (`docker*`, `*`).
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct InterfaceFilter {
    /// If not empty, only interfaces that match one of these are used.
    pub allow: Vec<String>,
    /// Interfaces that match one of these are never used; wins over `allow`.
    pub deny: Vec<String>,
}

impl InterfaceFilter {
    /// Whether an interface of this name may be used.
    pub fn accepts(&self, name: &str) -> bool {
        let matches = |pattern: &String| match pattern.strip_suffix('*') {
            Some(start) => name.starts_with(start),
            None => name == pattern,
        };
        (self.allow.is_empty() || self.allow.iter().any(matches)) && !self.deny.iter().any(matches)
    }
}

/// What a peer wants from [`select`].
#[derive(Debug, Clone, Default)]
pub(crate) struct Selection {
    pub(crate) filter: InterfaceFilter,
    pub(crate) include_loopback: bool,
    pub(crate) include_link_local: bool,
    pub(crate) bind_address: Option<IpAddr>,
}

/// The addresses a peer gathers host candidates from: those asked for, and loopback alone if there is nothing else.
pub(crate) fn select(all: &[LocalAddress], want: &Selection) -> Vec<LocalAddress> {
    if let Some(ip) = want.bind_address {
        let known = all.iter().find(|a| a.ip == ip).cloned();
        // An address that is not on an interface (127.0.0.2) can be bound all the same.
        return vec![known.unwrap_or(LocalAddress { interface: String::new(), ip, index: 0 })];
    }
    let usable = |a: &&LocalAddress| {
        want.filter.accepts(&a.interface)
            && !a.ip.is_unspecified()
            && (want.include_link_local || !a.is_link_local())
    };
    let mut chosen: Vec<LocalAddress> =
        all.iter().filter(usable).filter(|a| want.include_loopback || !a.ip.is_loopback()).cloned().collect();
    if chosen.is_empty() {
        chosen = all.iter().filter(usable).cloned().collect();
    }
    let mut seen = std::collections::HashSet::new();
    chosen.retain(|a| seen.insert(a.ip));
    chosen.truncate(MAX_ADDRESSES);
    chosen
}

/// The machine's addresses, asked for at most every [`CACHE_TIME`].
#[derive(Debug, Default)]
pub(crate) struct InterfaceCache(Mutex<Cached>);

/// When they were asked for, and the answer.
type Cached = Option<(Instant, Arc<[LocalAddress]>)>;

impl InterfaceCache {
    pub(crate) fn get(&self) -> io::Result<Arc<[LocalAddress]>> {
        let mut cached = self.0.lock();
        if let Some((at, list)) = &*cached
            && at.elapsed() < CACHE_TIME
        {
            return Ok(list.clone());
        }
        Self::look(&mut cached)
    }

    /// The addresses as they are now: whoever gathers again often does so because they have changed.
    pub(crate) fn refresh(&self) -> io::Result<Arc<[LocalAddress]>> {
        Self::look(&mut self.0.lock())
    }

    fn look(cached: &mut Cached) -> io::Result<Arc<[LocalAddress]>> {
        let list: Arc<[LocalAddress]> = enumerate()?.into();
        *cached = Some((Instant::now(), list.clone()));
        Ok(list)
    }
}

fn enumerate() -> io::Result<Vec<LocalAddress>> {
    let interfaces = if_addrs::get_if_addrs()?;
    let address =
        |i: if_addrs::Interface| LocalAddress { ip: i.ip(), index: i.index.unwrap_or(0), interface: i.name };
    Ok(interfaces.into_iter().map(address).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine() -> Vec<LocalAddress> {
        [
            ("lo", "127.0.0.1"),
            ("lo", "::1"),
            ("eth0", "192.0.2.2"),
            ("eth0", "fe80::1"),
            ("docker0", "172.17.0.1"),
            ("eth0", "192.0.2.2"),
        ]
        .iter()
        .map(|(name, ip)| LocalAddress { interface: (*name).into(), ip: ip.parse().unwrap(), index: 2 })
        .collect()
    }

    fn ips(want: &Selection) -> Vec<String> {
        select(&machine(), want).iter().map(|a| a.ip.to_string()).collect()
    }

    #[test]
    fn loopback_and_link_local_are_left_out_unless_wanted() {
        assert_eq!(ips(&Selection::default()), ["192.0.2.2", "172.17.0.1"]);
        let all = Selection { include_loopback: true, include_link_local: true, ..Selection::default() };
        assert_eq!(ips(&all), ["127.0.0.1", "::1", "192.0.2.2", "fe80::1", "172.17.0.1"]);
    }

    #[test]
    fn a_filter_chooses_interfaces_by_name() {
        let deny = InterfaceFilter { allow: vec![], deny: vec!["dock*".into()] };
        assert_eq!(ips(&Selection { filter: deny, ..Selection::default() }), ["192.0.2.2"]);
        let allow = InterfaceFilter { allow: vec!["docker0".into()], deny: vec![] };
        assert_eq!(ips(&Selection { filter: allow, ..Selection::default() }), ["172.17.0.1"]);
        let both = InterfaceFilter { allow: vec!["*".into()], deny: vec!["*".into()] };
        assert!(ips(&Selection { filter: both, ..Selection::default() }).is_empty());
    }

    #[test]
    fn a_machine_with_loopback_only_uses_it() {
        let lonely: Vec<_> = machine().into_iter().filter(|a| a.interface == "lo").collect();
        assert_eq!(select(&lonely, &Selection::default()).len(), 2);
    }

    #[test]
    fn a_bind_address_is_used_alone() {
        let want = Selection { bind_address: Some("127.0.0.2".parse().unwrap()), ..Selection::default() };
        assert_eq!(ips(&want), ["127.0.0.2"]);
    }

    #[test]
    fn link_local_addresses_are_bound_with_their_scope() {
        let address = LocalAddress { interface: "eth0".into(), ip: "fe80::1".parse().unwrap(), index: 7 };
        assert_eq!(address.with_port(1).to_string(), "[fe80::1%7]:1");
    }
}
