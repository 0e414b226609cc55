//! Counters and gauges for statistics.

use std::time::Duration;

/// A snapshot of what an association did and how its path looks. Counters never decrease.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Metrics {
    /// Smoothed round trip time; `None` until measured.
    pub srtt: Option<Duration>,
    /// Smallest round trip time seen on this path.
    pub min_rtt: Option<Duration>,
    /// Current retransmission timeout, without back-off.
    pub rto: Duration,
    /// Congestion window in bytes.
    pub cwnd: usize,
    /// Slow start threshold in bytes.
    pub ssthresh: usize,
    /// Receive window that the peer advertised last, in bytes.
    pub peer_rwnd: usize,
    /// Receive window that we advertised last, in bytes.
    pub local_rwnd: usize,
    /// Largest packet that the path is known to carry, in bytes.
    pub mtu: usize,
    /// Bytes in flight (sent, neither acknowledged nor given up as lost).
    pub in_flight: usize,
    /// Payload bytes that wait to be sent a first time, all streams.
    pub buffered: usize,
    /// Payload bytes complete and not yet taken with `recv`.
    pub unread: usize,
    /// Packets sent.
    pub packets_sent: u64,
    /// Packets received with a good checksum and verification tag.
    pub packets_received: u64,
    /// Packets that were dropped: bad checksum, bad tag or malformed.
    pub packets_dropped: u64,
    /// Bytes of SCTP packets sent.
    pub bytes_sent: u64,
    /// Bytes of SCTP packets received.
    pub bytes_received: u64,
    /// User messages sent completely a first time.
    pub messages_sent: u64,
    /// User messages delivered through `recv`.
    pub messages_received: u64,
    /// User messages given up under partial reliability.
    pub messages_abandoned: u64,
    /// DATA or I-DATA chunks sent again.
    pub retransmits: u64,
    /// Retransmissions that the peer reported as unnecessary.
    pub spurious_retransmits: u64,
    /// Expiries of the retransmission timer T3.
    pub timeouts: u64,
    /// Whether both sides agreed on message interleaving (RFC 8260).
    pub interleaving: bool,
    /// Whether we may send packets with a zero checksum (RFC 9653).
    pub zero_checksum: bool,
}
