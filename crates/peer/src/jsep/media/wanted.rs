//! Which encodings the peer asks for, of those that could be sent to it (RFC 8851, RFC 8853).

use std::collections::{HashMap, HashSet};

use ossa_media::Extension;

use super::numbers::usable_id;
use crate::sdp::{ExtMap, RidDirection, RtpAttributes};

/// Names of the encodings that the peer's offer asks for, of each stream the first alternative that can be sent.
pub(super) fn wanted(offered: &RtpAttributes) -> Vec<String> {
    let rid = |extension: &ExtMap| extension.uri == Extension::Rid.uri() && usable_id(extension.id).is_some();
    let Some(simulcast) = offered.simulcast.as_ref().filter(|_| offered.extensions.iter().any(rid)) else {
        return Vec::new();
    };
    let mut described: HashMap<&str, bool> = HashMap::new();
    for rid in offered.rids.iter().filter(|rid| rid.direction == RidDirection::Recv) {
        *described.entry(&rid.id).or_insert(true) &= allows_all(offered, &rid.restrictions);
    }
    let can_send = |id: &str| described.get(id) == Some(&true);
    let mut seen = HashSet::new();
    let streams =
        simulcast.recv.iter().filter_map(|stream| stream.iter().find(|choice| can_send(&choice.id)));
    let streams = streams.filter(|choice| seen.insert(choice.id.as_str()));
    streams.map(|choice| choice.id.clone()).collect()
}

/// Sizes, rates and codecs are the application's, which does not hear of restrictions: one that is asked for can't be promised
/// (RFC 8851, section 6.3).
pub(super) fn is_refused(rtp: &RtpAttributes, id: &str) -> bool {
    let received = rtp.rids.iter().filter(|rid| rid.direction == RidDirection::Recv);
    received.filter(|rid| rid.id == id).any(|rid| !allows_all(rtp, &rid.restrictions))
}

/// The restrictions say nothing but `pt=`, with all codecs of the section: all encodings have one of them.
fn allows_all(rtp: &RtpAttributes, restrictions: &str) -> bool {
    let Some(formats) = restrictions.strip_prefix("pt=") else { return restrictions.is_empty() };
    let allowed: Option<Vec<u8>> = formats.split(',').map(|format| format.trim().parse().ok()).collect();
    let Some(allowed) = allowed else { return false };
    let media = rtp.codecs.iter().filter(|codec| !codec.name.eq_ignore_ascii_case("rtx"));
    media.map(|codec| codec.payload).all(|payload| allowed.contains(&payload))
}
