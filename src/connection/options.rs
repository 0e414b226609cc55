//! The options of a peer, from JavaScript's form into the core's.

use std::net::IpAddr;

use napi_derive::napi;
use ossa_net::{IceServer, Listen, PeerConfig, TcpMode};
use ossa_peer::{Certificate, DtlsVersions, MediaCapabilities, MediaSettings};

use crate::base::error::{Result, failure, type_error};
use crate::base::system::since_epoch;
use crate::base::values::{choice, integer, milliseconds, short, size};

/// The longest message that can be announced: a longer text would not fit into a JavaScript string (2^29 - 24).
const MAX_MESSAGE_SIZE: u64 = (1 << 29) - 25;

/// Upper limit for windows and buffers, in bytes.
const MAX_BUFFER: u64 = 1 << 32;

/// More servers make no sense and would slow gathering down.
const MAX_ICE_SERVERS: usize = 64;

/// A STUN or TURN server.
#[napi(object)]
pub struct IceServerOptions {
    /// `stun:`, `stuns:`, `turn:` and `turns:` URLs (RFC 7064, RFC 7065).
    pub urls: Vec<String>,
    /// Long-term user name; needed for TURN.
    pub username: Option<String>,
    /// Its password.
    pub credential: Option<String>,
}

/// An inclusive range of ports.
#[napi(object)]
pub struct PortRange {
    /// First port, from 1.
    pub min: f64,
    /// Last port, up to 65535.
    pub max: f64,
}

/// A port that many connections share.
#[napi(object)]
pub struct ListenOptions {
    /// UDP port, and with `tcp: 'passive'` or `'both'` the TCP port of the same number. 1 to 65535.
    pub port: f64,
    /// Local IP address. Default: all that candidates are gathered from.
    pub address: Option<String>,
    /// IP addresses that are told in place of the local ones of the same family: those of a 1:1 NAT, or of the host of a container.
    pub announce: Option<Vec<String>>,
    /// Tell the local addresses beside those of `announce`. Default false.
    pub announce_local: Option<bool>,
}

/// ICE timing, in milliseconds.
#[napi(object)]
pub struct IceOptions {
    /// Pace of connectivity checks. Default 5.
    pub check_interval: Option<f64>,
    /// First retransmission time-out of a check. Default 100.
    pub initial_rto: Option<f64>,
    /// Longest time between two checks, which is also the pace of consent checks. Default 2500.
    pub max_rto: Option<f64>,
    /// Silence after which the state becomes `disconnected`. Default 5000.
    pub disconnected_timeout: Option<f64>,
    /// Silence after which it becomes `failed`; 0: never. Default 30000.
    pub failed_timeout: Option<f64>,
    /// How long a first working pair may take once all candidates are known. Default 15000.
    pub checking_timeout: Option<f64>,
    /// Be a lite implementation (RFC 8445 section 2.5), which only answers checks: for a server that everybody can reach at its host
    /// candidates. Default false.
    pub lite: Option<bool>,
}

/// DTLS settings.
#[napi(object)]
pub struct DtlsOptions {
    /// Versions to offer and accept. Default `auto`: 1.3 if the peer can, else 1.2.
    #[napi(ts_type = "'auto' | '1.2' | '1.3'")]
    pub versions: Option<String>,
    /// Milliseconds after which an unfinished handshake has failed. Default 30000.
    pub handshake_timeout: Option<f64>,
    /// First retransmission time-out of a flight, in milliseconds. Default 250.
    pub initial_rto: Option<f64>,
    /// Largest handshake datagram, in bytes; with `inChecks` at most 1050. Default 1200.
    pub mtu: Option<f64>,
    /// Whether the handshake travels in the connectivity checks, with a peer that knows it too (draft-hancke-webrtc-sped): a round
    /// trip less. Default true.
    pub in_checks: Option<bool>,
}

/// Tuning of the SCTP association, in bytes and milliseconds.
#[napi(object)]
pub struct SctpOptions {
    /// Our port, 1 to 65535. Default 5000.
    pub port: Option<f64>,
    /// Default `bbr`.
    #[napi(ts_type = "'bbr' | 'cubic' | 'newreno'")]
    pub congestion_control: Option<String>,
    /// Receive window at the start. Default 1 MiB.
    pub min_receive_window: Option<f64>,
    /// The receive window grows up to this. Default 32 MiB.
    pub max_receive_window: Option<f64>,
    /// How long a peer may take to complete the handshake; 0: for ever. Default 30000.
    pub handshake_timeout: Option<f64>,
    /// Retransmission timeout before the round trip time is known. Default 500.
    pub initial_rto: Option<f64>,
    /// Lower bound of the retransmission timeout. Default 100.
    pub min_rto: Option<f64>,
    /// Upper bound of the retransmission timeout. Default 4000.
    pub max_rto: Option<f64>,
    /// Longest wait before data is acknowledged, at most 500. Default 20.
    pub ack_delay: Option<f64>,
    /// How often an idle path is probed; 0: never. Default 30000.
    pub heartbeat_interval: Option<f64>,
    /// Largest packet before a larger one is known to pass. Default 1191.
    pub initial_mtu: Option<f64>,
    /// Largest packet to try. Default 16300.
    pub max_mtu: Option<f64>,
    /// Whether larger packets than `initialMtu` are searched for (RFC 8899). Default true.
    pub path_mtu_discovery: Option<bool>,
    /// Whether message interleaving (RFC 8260) is offered. Default true.
    pub interleaving: Option<bool>,
    /// Whether packets may go without a checksum because DTLS protects them (RFC 9653). Default true.
    pub zero_checksum: Option<bool>,
    /// Whether the handshake travels in the descriptions, with a peer that knows it too (draft-hancke-tsvwg-snap): two round trips
    /// less. Default true.
    pub init_in_descriptions: Option<bool>,
    /// Streams to ask for and allow in each direction, 1 to 65535. Default 65535.
    pub streams: Option<f64>,
}

/// Settings of a peer; everything may be left out.
#[napi(object)]
pub struct PeerOptions {
    /// STUN and TURN servers, at most 64.
    pub ice_servers: Option<Vec<IceServerOptions>>,
    /// `relay` uses relayed candidates only. Default `all`.
    #[napi(ts_type = "'all' | 'relay'")]
    pub ice_transport_policy: Option<String>,
    /// UDP ports of host candidates. Default: the system chooses.
    pub port_range: Option<PortRange>,
    /// A port that all connections of this process share which name the same one, instead of sockets of their own.
    pub listen: Option<ListenOptions>,
    /// Host candidates over TCP (RFC 6544): ones that open connections, ones that accept them, or both. UDP is preferred whenever it
    /// works. Default `off`.
    #[napi(ts_type = "'off' | 'active' | 'passive' | 'both'")]
    pub tcp: Option<String>,
    /// TCP ports at which passive candidates accept connections. Default: the system chooses.
    pub tcp_port_range: Option<PortRange>,
    /// Interfaces to gather from, by name; `*` at the end stands for anything. Default: all.
    pub include_interfaces: Option<Vec<String>>,
    /// Interfaces not to gather from; wins over `includeInterfaces`.
    pub exclude_interfaces: Option<Vec<String>>,
    /// Gather loopback addresses even if there are others. Default false.
    pub include_loopback: Option<bool>,
    /// Gather link-local addresses too. Default false.
    pub include_link_local: Option<bool>,
    /// Whether audio and video can be negotiated. Default false: sections for them in an offer are rejected.
    pub media: Option<bool>,
    /// Use this local IP address only; `0.0.0.0` and `::` stand for all of their family.
    pub bind_address: Option<String>,
    /// PEM of extra certificate authorities for `turns:` servers.
    pub tls_ca_pem: Option<String>,
    /// Largest message we are willing to receive, in bytes, 1 to 536,870,887. Default 256 MiB.
    pub max_message_size: Option<f64>,
    /// Offer a data section even without a channel (W3C `alwaysNegotiateDataChannels`). Default false.
    pub always_negotiate_data_channels: Option<bool>,
    /// ICE timing.
    pub ice: Option<IceOptions>,
    /// DTLS settings.
    pub dtls: Option<DtlsOptions>,
    /// SCTP tuning.
    pub sctp: Option<SctpOptions>,
}

/// Sets a field if the option is there.
macro_rules! set {
    ($target:expr, $option:expr, $convert:expr) => {
        if let Some(value) = $option {
            $target = $convert(value)?;
        }
    };
}

impl PeerOptions {
    /// The core's form.
    pub(crate) fn into_config(self, certificate: Certificate) -> Result<PeerConfig> {
        let mut connection = ossa_peer::Config::new(certificate);
        // The limit is kept in JavaScript, where `send` can throw at once; see `ts/native/peer.ts`.
        connection.send_buffer_limit = 0;
        connection.always_negotiate_data_channels = self.always_negotiate_data_channels.unwrap_or(false);
        set!(connection.max_message_size, self.max_message_size, |value| {
            integer("maxMessageSize", value, 1, MAX_MESSAGE_SIZE)
        });
        connection.media = self
            .media
            .unwrap_or(false)
            .then(|| MediaSettings { capabilities: MediaCapabilities::shared(), wall_clock: since_epoch() });
        if let Some(ice) = self.ice {
            ice.apply(&mut connection.ice)?;
        }
        if let Some(dtls) = self.dtls {
            dtls.apply(&mut connection.dtls)?;
        }
        if let Some(sctp) = self.sctp {
            set!(connection.sctp_port, sctp.port, |value| short("sctp.port", value, 1, u16::MAX));
            connection.init_in_descriptions = sctp.init_in_descriptions.unwrap_or(true);
            sctp.apply(&mut connection.sctp)?;
        }
        if let Some(policy) = &self.ice_transport_policy {
            connection.ice_transport_policy = transport_policy(policy)?;
        }
        let mut config = PeerConfig::new(connection);
        config.ice_servers = ice_servers(self.ice_servers.unwrap_or_default())?;
        config.interfaces.allow = self.include_interfaces.unwrap_or_default();
        config.interfaces.deny = self.exclude_interfaces.unwrap_or_default();
        config.include_loopback = self.include_loopback.unwrap_or(false);
        config.include_link_local = self.include_link_local.unwrap_or(false);
        config.tls_ca_pem = self.tls_ca_pem;
        config.port_range = self.port_range.map(|range| range.check("portRange")).transpose()?;
        config.tcp_port_range = self.tcp_port_range.map(|range| range.check("tcpPortRange")).transpose()?;
        set!(config.tcp, self.tcp, tcp_mode);
        config.bind_address = self.bind_address.map(|text| ip_address("bindAddress", &text)).transpose()?;
        if let Some(listen) = self.listen {
            listen.apply(&mut config)?;
        }
        Ok(config)
    }
}

impl ListenOptions {
    fn apply(self, config: &mut PeerConfig) -> Result<()> {
        let announce = self.announce.unwrap_or_default();
        config.listen = Some(Listen {
            port: short("listen.port", self.port, 1, u16::MAX)?,
            announce: announce
                .iter()
                .map(|text| ip_address("listen.announce", text))
                .collect::<Result<_>>()?,
            announce_local: self.announce_local.unwrap_or(false),
        });
        if let Some(address) = self.address {
            config.bind_address = Some(ip_address("listen.address", &address)?);
        }
        Ok(())
    }
}

fn ip_address(name: &str, text: &str) -> Result<IpAddr> {
    text.parse().map_err(|_| type_error(format!("{name} '{text}' is not an IP address")))
}

impl PortRange {
    fn check(self, name: &str) -> Result<(u16, u16)> {
        let port = |end: &str, value| short(&format!("{name}.{end}"), value, 1, u16::MAX);
        Ok((port("min", self.min)?, port("max", self.max)?))
    }
}

/// The option `tcp`.
#[allow(clippy::needless_pass_by_value, reason = "as the other conversions")]
fn tcp_mode(mode: String) -> Result<TcpMode> {
    let of = |active, passive| TcpMode { active, passive };
    let modes = [
        ("off", of(false, false)),
        ("active", of(true, false)),
        ("passive", of(false, true)),
        ("both", of(true, true)),
    ];
    choice("tcp", &mode, &modes)
}

/// `RTCIceTransportPolicy`.
pub(crate) fn transport_policy(policy: &str) -> Result<ossa_peer::IceTransportPolicy> {
    use ossa_peer::IceTransportPolicy::{All, Relay};
    choice("iceTransportPolicy", policy, &[("all", All), ("relay", Relay)])
}

/// W3C "set the configuration", the part about servers.
pub(crate) fn ice_servers(servers: Vec<IceServerOptions>) -> Result<Vec<IceServer>> {
    if servers.len() > MAX_ICE_SERVERS {
        let message =
            format!("{} ICE servers were given: at most {MAX_ICE_SERVERS} are supported", servers.len());
        return Err(failure("RangeError", &message));
    }
    servers.into_iter().map(ice_server).collect()
}

fn ice_server(server: IceServerOptions) -> Result<IceServer> {
    let parse = |url: &String| {
        ossa_net::parse_ice_server_url(url).map_err(|error| failure(error.name(), &error.to_string()))
    };
    let urls = server.urls.iter().map(parse).collect::<Result<Vec<_>>>()?;
    if urls.is_empty() {
        return Err(failure("SyntaxError", "an ICE server has no URL: give at least one in 'urls'"));
    }
    let complete = server.username.is_some() && server.credential.is_some();
    if let Some(url) = urls.iter().find(|url| url.scheme.is_turn() && !complete) {
        let message = format!("'{}' needs 'username' and 'credential'", url.url);
        return Err(failure("InvalidAccessError", &message));
    }
    Ok(IceServer { urls, username: server.username, credential: server.credential })
}

impl IceOptions {
    fn apply(self, ice: &mut ossa_peer::IceConfig) -> Result<()> {
        set!(ice.check_interval, self.check_interval, |v| milliseconds("ice.checkInterval", v));
        set!(ice.initial_rto, self.initial_rto, |v| milliseconds("ice.initialRto", v));
        set!(ice.max_rto, self.max_rto, |v| milliseconds("ice.maxRto", v));
        set!(ice.disconnected_timeout, self.disconnected_timeout, |v| milliseconds(
            "ice.disconnectedTimeout",
            v
        ));
        ice.lite = self.lite.unwrap_or(ice.lite);
        set!(ice.checking_timeout, self.checking_timeout, |v| milliseconds("ice.checkingTimeout", v));
        set!(ice.failed_timeout, self.failed_timeout, |v| {
            milliseconds("ice.failedTimeout", v).map(|time| (!time.is_zero()).then_some(time))
        });
        Ok(())
    }
}

impl DtlsOptions {
    fn apply(self, dtls: &mut ossa_peer::DtlsConfig) -> Result<()> {
        use DtlsVersions::{Auto, V1_2, V1_3};
        if let Some(versions) = self.versions {
            dtls.versions =
                choice("dtls.versions", &versions, &[("auto", Auto), ("1.2", V1_2), ("1.3", V1_3)])?;
        }
        set!(dtls.handshake_timeout, self.handshake_timeout, |v| milliseconds("dtls.handshakeTimeout", v));
        set!(dtls.initial_rto, self.initial_rto, |v| milliseconds("dtls.initialRto", v));
        set!(dtls.mtu, self.mtu, |v| size("dtls.mtu", v, 256, 16_384));
        dtls.in_checks = self.in_checks.unwrap_or(dtls.in_checks);
        Ok(())
    }
}

impl SctpOptions {
    fn apply(self, sctp: &mut ossa_sctp::Config) -> Result<()> {
        use ossa_sctp::CongestionControl::{Bbr, Cubic, NewReno};
        if let Some(name) = self.congestion_control {
            let known = [("bbr", Bbr), ("cubic", Cubic), ("newreno", NewReno)];
            sctp.congestion = choice("sctp.congestionControl", &name, &known)?;
        }
        set!(sctp.receive_window_min, self.min_receive_window, |v| size(
            "sctp.minReceiveWindow",
            v,
            4096,
            MAX_BUFFER
        ));
        set!(sctp.receive_window_max, self.max_receive_window, |v| size(
            "sctp.maxReceiveWindow",
            v,
            4096,
            MAX_BUFFER
        ));
        set!(sctp.handshake_timeout, self.handshake_timeout, |v| {
            milliseconds("sctp.handshakeTimeout", v).map(|time| (!time.is_zero()).then_some(time))
        });
        set!(sctp.rto_initial, self.initial_rto, |v| milliseconds("sctp.initialRto", v));
        set!(sctp.rto_min, self.min_rto, |v| milliseconds("sctp.minRto", v));
        set!(sctp.rto_max, self.max_rto, |v| milliseconds("sctp.maxRto", v));
        set!(sctp.ack_delay, self.ack_delay, |v| milliseconds("sctp.ackDelay", v));
        set!(sctp.heartbeat_interval, self.heartbeat_interval, |v| {
            milliseconds("sctp.heartbeatInterval", v).map(|time| (!time.is_zero()).then_some(time))
        });
        set!(sctp.initial_mtu, self.initial_mtu, |v| size("sctp.initialMtu", v, 256, 16_300));
        set!(sctp.max_mtu, self.max_mtu, |v| size("sctp.maxMtu", v, 256, 16_300));
        set!(sctp.streams, self.streams, |v| short("sctp.streams", v, 1, u16::MAX));
        sctp.mtu_discovery = self.path_mtu_discovery.unwrap_or(sctp.mtu_discovery);
        sctp.interleaving = self.interleaving.unwrap_or(sctp.interleaving);
        sctp.zero_checksum = self.zero_checksum.unwrap_or(sctp.zero_checksum);
        Ok(())
    }
}
