//! Test messages: made from a seed, reported as a digest. The same few lines are in `w3c-driver.cjs`.

use serde::{Deserialize, Serialize};

/// A message that the test wants sent: a given text, or `size` bytes or characters made from `seed`.
#[derive(Deserialize)]
pub(crate) struct Order {
    kind: Kind,
    text: Option<String>,
    #[serde(default)]
    size: usize,
    #[serde(default = "one")]
    seed: u32,
}

/// What a message is on the wire (RFC 8831, section 6.6).
#[derive(Deserialize, Serialize, Clone, Copy, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Text in UTF-8.
    String,
    /// Bytes.
    Binary,
}

/// What both ends report of a message.
#[derive(Serialize)]
pub(crate) struct Summary {
    kind: Kind,
    bytes: usize,
    digest: String,
}

fn one() -> u32 {
    1
}

impl Order {
    /// The message's bytes and whether they are text.
    pub(crate) fn compose(&self) -> (Kind, Vec<u8>) {
        if let Some(text) = &self.text {
            return (Kind::String, text.clone().into_bytes());
        }
        let mut state = self.seed;
        let bytes = (0..self.size).map(|_| {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (state >> 24) as u8
        });
        match self.kind {
            Kind::Binary => (Kind::Binary, bytes.collect()),
            Kind::String => (Kind::String, bytes.map(|byte| 32 + byte % 95).collect()),
        }
    }
}

impl Summary {
    /// Length and FNV-1a digest of a message.
    pub(crate) fn of(kind: Kind, data: &[u8]) -> Self {
        let hash = data
            .iter()
            .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193));
        Self { kind, bytes: data.len(), digest: format!("{hash:x}") }
    }
}
