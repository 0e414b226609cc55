//! Which local addresses exist, and which of them a peer may use.

use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6, UdpSocket};
use std::sync::Arc;
use std::time::{Duration, Instant};

use parking_lot::Mutex;

/// Enumerating interfaces takes a few hundred microseconds; a burst of new peers should pay that once. Two seconds is short
/// enough that a network that just came up is seen by the next connection attempt.
const CACHE_TIME: Duration = Duration::from_secs(2);

/// More addresses than this are not used: ICE checks every pair of local and remote addresses, so the work grows with the
/// product. Hosts with more are container hosts with dozens of bridges, which lead nowhere that the others don't.
pub(crate) const MAX_ADDRESSES: usize = 16;

/// How the interfaces are called that container and machine managers make for what runs on this host.
const BRIDGES: [&str; 14] = [
    "docker",
    "br-",
    "veth",
    "virbr",
    "vnet",
    "cni",
    "flannel",
    "cali",
    "podman",
    "lxc",
    "lxdbr",
    "vmnet",
    "vboxnet",
    "vEthernet",
];

/// One local address.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LocalAddress {
    pub(crate) interface: String,
    pub(crate) ip: IpAddr,
    /// Interface index; needed to bind and to reach IPv6 link-local addresses.
    pub(crate) index: u32,
    /// Datagrams to the internet leave from here.
    pub(crate) is_default: bool,
}

impl LocalAddress {
    /// The address to bind to, with the scope that a link-local address needs.
    pub(crate) fn with_port(&self, port: u16) -> SocketAddr {
        match self.ip {
            IpAddr::V6(ip) if ip.is_unicast_link_local() => SocketAddrV6::new(ip, port, 0, self.index).into(),
            ip => SocketAddr::new(ip, port),
        }
    }

    /// How likely it is that a peer is reached from here: the less the better.
    fn rank(&self) -> u8 {
        match self.is_default {
            true => 0,
            false if BRIDGES.iter().any(|start| self.interface.starts_with(start)) => 2,
            false => 1,
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

/// The addresses a peer gathers host candidates from, and those of use that are too many.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Selected {
    pub(crate) used: Vec<LocalAddress>,
    pub(crate) left_out: Vec<LocalAddress>,
}

/// Chooses the addresses asked for, and loopback alone if there is nothing else. Those that datagrams to the internet leave from come
/// first, then all but those of bridges, each in the system's order: the first is what the other side prefers, and the last are left
/// out if there are too many.
pub(crate) fn select(all: &[LocalAddress], want: &Selection) -> Selected {
    if let Some(ip) = want.bind_address.filter(|ip| !ip.is_unspecified()) {
        let known = all.iter().find(|a| a.ip == ip).cloned();
        // An address that is not on an interface (127.0.0.2) can be bound all the same.
        let bound =
            known.unwrap_or(LocalAddress { interface: String::new(), ip, index: 0, is_default: false });
        return Selected { used: vec![bound], left_out: Vec::new() };
    }
    let usable = |a: &&LocalAddress| {
        want.filter.accepts(&a.interface)
            && want.bind_address.is_none_or(|family| family.is_ipv4() == a.ip.is_ipv4())
            && !a.ip.is_unspecified()
            && (want.include_link_local || !a.is_link_local())
    };
    let mut used: Vec<LocalAddress> =
        all.iter().filter(usable).filter(|a| want.include_loopback || !a.ip.is_loopback()).cloned().collect();
    if used.is_empty() {
        used = all.iter().filter(usable).cloned().collect();
    }
    let mut seen = HashSet::new();
    used.retain(|a| seen.insert(a.ip));
    used.sort_by_key(LocalAddress::rank);
    let left_out = used.split_off(used.len().min(MAX_ADDRESSES));
    Selected { used, left_out }
}

/// The machine's addresses, asked for at most every [`CACHE_TIME`].
#[derive(Debug, Default)]
pub(crate) struct InterfaceCache(Mutex<Cached>);

/// When they were asked for, and the answer.
type Cached = Option<(Instant, Arc<[LocalAddress]>)>;

impl InterfaceCache {
    pub(crate) fn get(&self) -> io::Result<Arc<[LocalAddress]>> {
        self.get_within(CACHE_TIME)
    }

    /// The addresses as they were no longer than `age` ago.
    pub(crate) fn get_within(&self, age: Duration) -> io::Result<Arc<[LocalAddress]>> {
        let mut cached = self.0.lock();
        if let Some((at, list)) = &*cached
            && at.elapsed() < age
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
    let defaults = default_addresses();
    let address = |i: if_addrs::Interface| LocalAddress {
        ip: i.ip(),
        index: i.index.unwrap_or(0),
        is_default: defaults.contains(&Some(i.ip())),
        interface: i.name,
    };
    Ok(interfaces.into_iter().map(address).collect())
}

/// The addresses that datagrams to the internet leave from: the system chooses one when a socket is connected, without sending anything.
/// The goals are root name servers, which are certain to be neither here nor in a private network.
fn default_addresses() -> [Option<IpAddr>; 2] {
    let towards = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 53)).ok()?;
        socket.local_addr().ok().map(|a| a.ip())
    };
    [
        towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(198, 41, 0, 4).into()),
        towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30).into()),
    ]
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
        .map(|(name, ip)| LocalAddress {
            interface: (*name).into(),
            ip: ip.parse().unwrap(),
            index: 2,
            is_default: false,
        })
        .collect()
    }

    /// A host with bridges, the addresses of which the system tells first, and the one that leads out last.
    fn container_host(bridges: u8, name: &str) -> Vec<LocalAddress> {
        let bridge = |i: u8| LocalAddress {
            interface: format!("{name}{i}"),
            ip: IpAddr::from([172, 17, i, 1]),
            index: u32::from(i),
            is_default: false,
        };
        let own = |ip: &str, is_default| LocalAddress {
            interface: "wg0".into(),
            ip: ip.parse().unwrap(),
            index: 99,
            is_default,
        };
        let mut all: Vec<_> = (0..bridges).map(bridge).collect();
        all.extend([own("10.99.0.1", true), own("2001:db8::1", true), own("10.99.1.1", false)]);
        all
    }

    fn ips(want: &Selection) -> Vec<String> {
        select(&machine(), want).used.iter().map(|a| a.ip.to_string()).collect()
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
        assert_eq!(select(&lonely, &Selection::default()).used.len(), 2);
    }

    #[test]
    fn the_addresses_that_lead_out_come_first_and_are_never_left_out() {
        let want = Selection::default();
        for (bridges, name, left_out) in [(3, "br-", 0), (13, "br-", 0), (30, "docker", 17), (30, "eth", 17)]
        {
            let selected = select(&container_host(bridges, name), &want);
            let first: Vec<_> = selected.used.iter().take(2).map(|a| a.ip.to_string()).collect();
            assert_eq!(first, ["10.99.0.1", "2001:db8::1"], "{bridges} of {name}");
            assert_eq!(selected.left_out.len(), left_out, "{bridges} of {name}");
        }
    }

    #[test]
    fn of_the_others_those_of_bridges_are_left_out_first() {
        let selected = select(&container_host(40, "veth"), &Selection::default());
        assert_eq!(selected.used[2].ip.to_string(), "10.99.1.1");
        assert!(selected.left_out.iter().all(|a| a.interface.starts_with("veth")));
        let order: Vec<_> = selected.used[3..].iter().map(|a| a.index).collect();
        assert!(order.is_sorted(), "in the order of the system: {order:?}");
    }

    #[test]
    fn a_bind_address_is_used_alone() {
        let want = Selection { bind_address: Some("127.0.0.2".parse().unwrap()), ..Selection::default() };
        assert_eq!(ips(&want), ["127.0.0.2"]);
    }

    #[test]
    fn an_unspecified_bind_address_stands_for_its_family() {
        let bound =
            |ip: &str| ips(&Selection { bind_address: Some(ip.parse().unwrap()), ..Selection::default() });
        assert_eq!(bound("0.0.0.0"), ["192.0.2.2", "172.17.0.1"]);
        assert_eq!(bound("::"), ["::1"], "there is nothing else of IPv6");
    }

    #[test]
    fn link_local_addresses_are_bound_with_their_scope() {
        let address = LocalAddress { index: 7, ..machine()[3].clone() };
        assert_eq!(address.with_port(1).to_string(), "[fe80::1%7]:1");
    }
}
