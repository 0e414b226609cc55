//! What a caller can tune, with defaults for WebRTC.

use std::time::Duration;

/// Which algorithm grows and shrinks the congestion window.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum CongestionControl {
    /// RFC 9260 section 7.2 (the algorithm of TCP NewReno).
    NewReno,
    /// RFC 9438 with the slow start of RFC 9406 (HyStart++).
    Cubic,
    /// BBR version 3 (draft-ietf-ccwg-bbr). The default: at 1 % loss and 100 ms it uses 0.93 of 100 Mbit/s where CUBIC gets
    /// 0.02, its queue is a quarter of the path instead of all there is, and beside CUBIC it takes between half and twice
    /// its fair share (`docs/congestion-control.md`).
    #[default]
    Bbr,
}

/// Settings of one [`Association`](crate::Association). `Config::default()` suits WebRTC.
#[derive(Clone, Debug)]
pub struct Config {
    /// Our SCTP port (`a=sctp-port` of the local description). Default 5000.
    pub local_port: u16,
    /// The peer's SCTP port. Default 5000.
    pub remote_port: u16,
    /// Streams that we ask for and allow in each direction, at least 1. Default 65535.
    pub streams: u16,
    /// Largest message, in bytes, that the peer may send; a larger one aborts the association. Default 256 KiB.
    pub max_receive_message_size: usize,
    /// Largest message, in bytes, that [`send`](crate::Association::send) takes; 0 = no limit. Default 0.
    pub max_send_message_size: usize,
    /// `send` is refused while more than this many bytes wait to be sent a first time; 0 = no limit. Default 0.
    pub send_buffer_limit: usize,
    /// Receive window at the start, in bytes. Default 1 MiB.
    pub receive_window_min: usize,
    /// The receive window grows up to this many bytes with the rate of the path. Default 32 MiB: 200 ms of
    /// 1 Gbit/s and a little more.
    pub receive_window_max: usize,
    /// Largest SCTP packet, in bytes, before path MTU discovery has found more. Default 1191.
    pub initial_mtu: usize,
    /// Largest SCTP packet, in bytes, that path MTU discovery tries. Default 16,300.
    pub max_mtu: usize,
    /// Whether the path stays inside one host, where no router can begin to drop large packets: then one chunk may fill
    /// the largest packet. Elsewhere no chunk is larger than a packet of `initial_mtu` holds, since what has a number
    /// cannot be cut again, and larger packets carry several. Default false.
    pub path_inside_host: bool,
    /// Whether larger packets than `initial_mtu` are searched for (RFC 8899). Default true.
    pub mtu_discovery: bool,
    /// Retransmission timeout before the round trip time is known. Default 500 ms.
    pub rto_initial: Duration,
    /// Lower bound of the retransmission timeout. Tail loss probes are quicker; this is for when they fail, and
    /// has to outlast pauses of a busy peer. Default 100 ms.
    pub rto_min: Duration,
    /// Upper bound of the retransmission timeout and of its back-off. Default 4 s.
    pub rto_max: Duration,
    /// Longest wait before data is acknowledged, at most 500 ms (RFC 9260 section 6.2). Default 20 ms.
    pub ack_delay: Duration,
    /// Whether message interleaving (RFC 8260) is offered to the peer. Default true.
    pub interleaving: bool,
    /// Whether packets may carry a zero checksum because DTLS protects them (RFC 9653). Default true.
    pub zero_checksum: bool,
    /// Congestion control algorithm. Default BBR.
    pub congestion: CongestionControl,
    /// How often an idle path is probed with a HEARTBEAT; `None` = never. Default 30 s.
    pub heartbeat_interval: Option<Duration>,
    /// How long a state cookie is good for. Default 60 s.
    pub cookie_lifetime: Duration,
    /// How long INIT and COOKIE ECHO are repeated before the association is closed because the peer does not complete the
    /// handshake; `None` = for ever. Time in which the caller takes no packets, as without a path, does not count. Default
    /// 30 s.
    pub handshake_timeout: Option<Duration>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            local_port: 5000,
            remote_port: 5000,
            streams: u16::MAX,
            max_receive_message_size: 256 * 1024,
            max_send_message_size: 0,
            send_buffer_limit: 0,
            receive_window_min: 1024 * 1024,
            receive_window_max: 32 * 1024 * 1024,
            initial_mtu: 1191,
            max_mtu: 16_300,
            path_inside_host: false,
            mtu_discovery: true,
            rto_initial: Duration::from_millis(500),
            rto_min: Duration::from_millis(100),
            rto_max: Duration::from_secs(4),
            ack_delay: Duration::from_millis(20),
            interleaving: true,
            zero_checksum: true,
            congestion: CongestionControl::default(),
            heartbeat_interval: Some(Duration::from_secs(30)),
            cookie_lifetime: Duration::from_secs(60),
            handshake_timeout: Some(Duration::from_secs(30)),
        }
    }
}
