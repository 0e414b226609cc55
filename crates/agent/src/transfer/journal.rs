//! What a receiver writes beside a part of a file, so that it can go on with it later.

use serde::{Deserialize, Serialize};

use super::wire::FileOffer;

/// Longest journal that is read, in bytes: ours are a few hundred.
const MAX_JOURNAL: usize = 16 * 1024;

/// Which file a part belongs to. What the part contains is verified by its checksum in any case: the journal only
/// saves reading parts of other files.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Journal {
    version: u32,
    /// The agent that sends it.
    from: String,
    name: String,
    size: u64,
    modified: Option<u64>,
    head: String,
}

impl Journal {
    /// The journal of this file; `None` if it could not be resumed anyhow.
    pub fn of(offer: &FileOffer, from: &str) -> Option<Self> {
        let (true, Some(size), Some(head)) = (offer.resumable, offer.size, &offer.head) else { return None };
        Some(Self {
            version: 1,
            from: from.to_owned(),
            name: offer.name.clone(),
            size,
            modified: offer.modified,
            head: head.clone(),
        })
    }

    /// Reads one back. `None` for anything else: it may be damaged, or not ours.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_JOURNAL {
            return None;
        }
        serde_json::from_str(text).ok()
    }

    /// As text.
    pub fn to_text(&self) -> String {
        serde_json::to_string(self).expect("strings and numbers always serialize")
    }
}
