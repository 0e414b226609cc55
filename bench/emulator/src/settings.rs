//! How the path is, the same in both directions.

use std::time::Duration;

use serde::Deserialize;
use serde_json::Value;

use crate::link::Link;

#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub(crate) struct Settings {
    /// One way, in milliseconds, 0 to 10,000.
    pub(crate) delay_ms: f64,
    /// Rate in Mbit/s of what the carrier reads (payload of UDP, or IP packets); 0 = no limit.
    pub(crate) mbit: f64,
    /// Bytes that wait for the line, the packet on it included.
    pub(crate) queue_bytes: u64,
    /// Share of packets that vanish, 0 to 1.
    pub(crate) loss: f64,
    /// Largest packet, in bytes with the headers of IPv4 and UDP.
    pub(crate) mtu: usize,
    pub(crate) seed: u64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { delay_ms: 0.0, mbit: 0.0, queue_bytes: 512_000, loss: 0.0, mtu: 1500, seed: 1 }
    }
}

/// The headers of IPv4 and UDP.
pub(crate) const HEADERS: usize = 28;

impl Settings {
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let value = serde_json::from_str(text).map_err(|error| format!("settings {text}: {error}"))?;
        Self::from_value(value)
    }

    pub(crate) fn from_value(value: Value) -> Result<Self, String> {
        let text = value.to_string();
        let wrong = |error: String| format!("settings {text}: {error}");
        let settings: Self = serde_json::from_value(value).map_err(|error| wrong(error.to_string()))?;
        let Self { delay_ms, mbit, loss, mtu, .. } = settings;
        for (name, value, range) in [
            ("delayMs", delay_ms, 0.0..=10_000.0),
            ("mbit", mbit, 0.0..=100_000.0),
            ("loss", loss, 0.0..=1.0),
        ] {
            if !range.contains(&value) {
                return Err(wrong(format!("{name} is {value}; it must be in {range:?}")));
            }
        }
        if mtu < 576 {
            return Err(wrong(format!("mtu is {mtu}; IPv4 needs 576")));
        }
        Ok(settings)
    }

    /// The model of one direction for packets that are without so many bytes of headers.
    pub(crate) fn link(&self, without: usize) -> Link {
        Link {
            delay: Duration::from_secs_f64(self.delay_ms / 1000.0),
            rate: (self.mbit * 125_000.0) as u64,
            queue: self.queue_bytes,
            loss: self.loss,
            mtu: self.mtu - without,
            overhead: 0,
            ..Link::default()
        }
    }
}
