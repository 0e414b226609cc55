//! Statistics (W3C "Identifiers for WebRTC's Statistics API"), as typed structs. Times are relative to the caller's
//! clock: durations, not timestamps. Counters start at zero with the connection and never go back.

mod types;

pub use types::{
    CandidatePairState, CandidatePairStats, CandidateStats, CertificateStats, DataChannelStats,
    PeerConnectionStats, Stats, StatsReport, TransportStats,
};
