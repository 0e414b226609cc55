//! What a relay counts.

/// Counters of a relay since its start, and its present size.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct RelayStats {
    /// Allocations at this moment.
    pub allocations: u64,
    /// Allocations so far.
    pub total_allocations: u64,
    /// Datagrams passed on, of both directions.
    pub relayed: u64,
    /// Bytes of those, without what TURN adds.
    pub relayed_bytes: u64,
    /// Datagrams dropped because an agent, an address or all together had used up their bandwidth.
    pub over_bandwidth: u64,
    /// Datagrams dropped because whoever they were for did not take them: a full socket or connection.
    pub congested: u64,
    /// Datagrams dropped because there was no permission for the peer.
    pub not_permitted: u64,
    /// Requests for a peer that may not be reached.
    pub forbidden_peers: u64,
    /// Allocations refused: too many of an agent, an address or in total, or no port left.
    pub refused: u64,
    /// Requests with a wrong user name or password, or with credentials that have expired.
    pub denied: u64,
    /// Requests of strangers that were not answered because there were too many of them.
    pub rate_limited: u64,
    /// What came and was neither STUN nor of a client.
    pub malformed: u64,
}

impl RelayStats {
    /// Sizes at this moment: name, explanation and value.
    pub fn gauges(&self) -> [(&'static str, &'static str, u64); 1] {
        [("relay_allocations", "Allocations on the TURN relay.", self.allocations)]
    }

    /// Counts since the start: name, explanation and value.
    pub fn totals(&self) -> [(&'static str, &'static str, u64); 11] {
        [
            ("relay_allocations_total", "Allocations so far.", self.total_allocations),
            ("relay_datagrams_total", "Datagrams relayed, both directions.", self.relayed),
            ("relay_bytes_total", "Bytes of those datagrams.", self.relayed_bytes),
            (
                "relay_over_bandwidth_total",
                "Datagrams dropped for a limit of bandwidth.",
                self.over_bandwidth,
            ),
            ("relay_congested_total", "Datagrams dropped for a full socket or connection.", self.congested),
            ("relay_not_permitted_total", "Datagrams dropped for lack of a permission.", self.not_permitted),
            ("relay_forbidden_peers_total", "Requests for peers that are not allowed.", self.forbidden_peers),
            ("relay_refused_allocations_total", "Allocations refused for a limit.", self.refused),
            ("relay_denied_total", "Requests with wrong or expired credentials.", self.denied),
            ("relay_rate_limited_total", "Requests of strangers left unanswered.", self.rate_limited),
            ("relay_malformed_total", "Datagrams that are neither STUN nor of a client.", self.malformed),
        ]
    }
}
