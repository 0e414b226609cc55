use std::net::{IpAddr, Ipv4Addr};

use crate::error::Error;
use crate::interfaces::{InterfaceFilter, Selection};
use crate::url::IceServerUrl;

/// A STUN or TURN server, like W3C's `RTCIceServer`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IceServer {
    /// Where it is; several URLs of one server share its credentials.
    pub urls: Vec<IceServerUrl>,
    /// Long-term user name (RFC 8489, section 9.2); needed for TURN.
    pub username: Option<String>,
    /// Its password.
    pub credential: Option<String>,
}

/// Long-term credentials (RFC 8489, section 9.2).
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct Credentials {
    pub(crate) username: String,
    pub(crate) credential: String,
}

impl Credentials {
    /// `None` if the server has no username or no credential.
    pub(crate) fn new(server: &IceServer) -> Option<Self> {
        Some(Self { username: server.username.clone()?, credential: server.credential.clone()? })
    }
}

impl std::fmt::Debug for Credentials {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never in a log.
        f.write_str("Credentials")
    }
}

/// Which host candidates over TCP there are (RFC 6544). UDP is preferred whenever it works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct TcpMode {
    /// Open connections to the peer's passive candidates.
    pub active: bool,
    /// Accept connections, at a port for each local address.
    pub passive: bool,
}

/// A port that all connections of this process share which name the same one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Listen {
    /// UDP port, and with [`TcpMode::passive`] the TCP port of the same number, at each local address. Not 0: others could not name it.
    pub port: u16,
    /// Addresses to be told in place of the local ones of the same family: those by which a 1:1 NAT or a published container port is
    /// reached, under the same port number.
    pub announce: Vec<IpAddr>,
    /// Tell the local addresses as well.
    pub announce_local: bool,
}

/// Everything a [`crate::Peer`] needs besides its sink.
#[derive(Debug, Clone)]
pub struct PeerConfig {
    /// The connection itself: certificate, timers, limits, and which candidates may be used. With
    /// [`ossa_peer::IceTransportPolicy::Relay`] no sockets are opened but those to TURN servers.
    pub connection: ossa_peer::Config,
    /// STUN and TURN servers for gathering. The first 32 URLs are asked, all at once.
    pub ice_servers: Vec<IceServer>,
    /// Which interfaces host candidates come from, by name.
    pub interfaces: InterfaceFilter,
    /// First and last UDP port to bind; `None` lets the system choose. One port per local address is needed.
    pub port_range: Option<(u16, u16)>,
    /// Use a shared port instead of sockets of its own. `port_range` and `tcp_port_range` are without effect then.
    pub listen: Option<Listen>,
    /// Host candidates over TCP; none by default.
    pub tcp: TcpMode,
    /// First and last TCP port to accept connections at; `None` lets the system choose. One port per local address is needed.
    pub tcp_port_range: Option<(u16, u16)>,
    /// Gather loopback addresses too. Without it they are used only when there is nothing else.
    pub include_loopback: bool,
    /// Gather link-local addresses (169.254/16, fe80::/10) too.
    pub include_link_local: bool,
    /// Use this local address only. `0.0.0.0` and `::` stand for all addresses of their family.
    pub bind_address: Option<IpAddr>,
    /// PEM of extra certificate authorities for `turns:` servers, besides the system's and Mozilla's.
    pub tls_ca_pem: Option<String>,
}

impl PeerConfig {
    /// The defaults for a connection: all interfaces, any port, no servers.
    pub fn new(connection: ossa_peer::Config) -> Self {
        Self {
            connection,
            ice_servers: Vec::new(),
            interfaces: InterfaceFilter::default(),
            port_range: None,
            listen: None,
            tcp: TcpMode::default(),
            tcp_port_range: None,
            include_loopback: false,
            include_link_local: false,
            bind_address: None,
            tls_ca_pem: None,
        }
    }

    pub(crate) fn check(&self) -> Result<(), Error> {
        for (setting, range) in [("port_range", self.port_range), ("tcp_port_range", self.tcp_port_range)] {
            match range {
                Some((first, last)) if first == 0 || first > last => Err(Error::Config {
                    setting,
                    reason: format!(
                        "{first}-{last}: both must be from 1 to 65535, the first not above the last"
                    ),
                }),
                _ => Ok(()),
            }?;
        }
        if let Some(listen) = &self.listen {
            check_listen(listen, self.bind_ip())?;
        }
        match self.bind_ip() {
            Some(ip) if ip.is_multicast() || ip == Ipv4Addr::BROADCAST => Err(Error::Config {
                setting: "bind_address",
                reason: format!(
                    "{ip} is the address of many: give one of this machine, or 0.0.0.0 or :: for all"
                ),
            }),
            _ => Ok(()),
        }
    }

    /// The addresses that candidates tell in place of a local one of the same family.
    pub(crate) fn announced(&self, local: IpAddr) -> Vec<IpAddr> {
        let all = self.listen.iter().flat_map(|listen| &listen.announce);
        all.map(IpAddr::to_canonical).filter(|ip| ip.is_ipv4() == local.is_ipv4()).collect()
    }

    /// The address to bind to, an IPv4 address in the form of IPv6 as what it is.
    pub(crate) fn bind_ip(&self) -> Option<IpAddr> {
        self.bind_address.map(|ip| ip.to_canonical())
    }

    pub(crate) fn selection(&self) -> Selection {
        Selection {
            filter: self.interfaces.clone(),
            include_loopback: self.include_loopback,
            include_link_local: self.include_link_local,
            bind_address: self.bind_ip(),
        }
    }
}

fn check_listen(listen: &Listen, bound: Option<IpAddr>) -> Result<(), Error> {
    if listen.port == 0 {
        return Err(Error::Config {
            setting: "listen.port",
            reason: "0: name the port, from 1 to 65535, as others have to name the same one".to_owned(),
        });
    }
    let useless = |ip: &&IpAddr| ip.is_unspecified() || ip.is_multicast() || **ip == Ipv4Addr::BROADCAST;
    let reason = if let Some(ip) = listen.announce.iter().find(useless) {
        format!("nobody can send to {ip}: give the address by which this machine is reached")
    } else if let Some(bound) = bound
        && let Some(ip) = listen.announce.iter().find(|ip| ip.to_canonical().is_ipv4() != bound.is_ipv4())
    {
        // It would stand for a socket that there is not.
        format!(
            "{ip} is {} and the address that is listened at, {bound}, is {}: announce one of that family, or name no address",
            family(ip.to_canonical()),
            family(bound)
        )
    } else {
        return Ok(());
    };
    Err(Error::Config { setting: "listen.announce", reason })
}

fn family(ip: IpAddr) -> &'static str {
    if ip.is_ipv4() { "IPv4" } else { "IPv6" }
}
