//! Which encodings a sender has, by what both sides say of them (RFC 8853, section 5.3; W3C WebRTC, section 4.4.1.5).

use std::collections::HashSet;

use ossa_media::{Extension, Kind};

use super::numbers::usable_id;
use super::state::{MAX_ENCODINGS, Media};
use super::transceiver::{EncodingInit, SentEncoding, TransceiverId};
use crate::sdp::{RidDirection, RtpAttributes};

/// Names of the encodings that the peer's offer asks for, of each stream the first alternative that can be sent. A section is of
/// one codec, so one that is restricted to certain payload types is sent if all of the section's are among them.
pub(super) fn wanted(offered: &RtpAttributes) -> Vec<String> {
    let rid = |extension: &crate::sdp::ExtMap| {
        extension.uri == Extension::Rid.uri() && usable_id(extension.id).is_some()
    };
    let Some(simulcast) = offered.simulcast.as_ref().filter(|_| offered.extensions.iter().any(rid)) else {
        return Vec::new();
    };
    let can_send = |id: &str| is_described(offered, id) && !is_refused(offered, id);
    let mut seen = HashSet::new();
    let streams =
        simulcast.recv.iter().filter_map(|stream| stream.iter().find(|choice| can_send(&choice.id)));
    let streams = streams.filter(|choice| seen.insert(choice.id.as_str()));
    streams.take(MAX_ENCODINGS).map(|choice| choice.id.clone()).collect()
}

fn is_described(rtp: &RtpAttributes, id: &str) -> bool {
    rtp.rids.iter().any(|rid| rid.id == id && rid.direction == RidDirection::Recv)
}

/// Sizes, rates and codecs are the application's, which does not hear of restrictions: one that is asked for can't be promised
/// (RFC 8851, section 6.3).
pub(super) fn is_refused(rtp: &RtpAttributes, id: &str) -> bool {
    let received = rtp.rids.iter().filter(|rid| rid.direction == RidDirection::Recv);
    received.filter(|rid| rid.id == id).any(|rid| !allows_all(rtp, &rid.restrictions))
}

/// The restrictions say nothing but `pt=`, with all codecs of the section.
fn allows_all(rtp: &RtpAttributes, restrictions: &str) -> bool {
    let Some(formats) = restrictions.strip_prefix("pt=") else { return restrictions.is_empty() };
    let allowed: Option<Vec<u8>> = formats.split(',').map(|format| format.trim().parse().ok()).collect();
    let Some(allowed) = allowed else { return false };
    let media = rtp.codecs.iter().filter(|codec| !codec.name.eq_ignore_ascii_case("rtx"));
    media.map(|codec| codec.payload).all(|payload| allowed.contains(&payload))
}

impl Media {
    /// The peer's offer asks for encodings. A sender that has one without a name gets them in its place, until the offer is withdrawn;
    /// one that has names keeps them ("the simulcast envelope").
    pub(super) fn propose(&mut self, id: TransceiverId, offered: &RtpAttributes) {
        let names = match offered.direction.receives() {
            true => wanted(offered),
            false => Vec::new(),
        };
        let Ok(state) = self.get_mut(id) else { return };
        // Another offer takes the place of the one that was set before.
        if let Some(before) = state.replaced.take() {
            state.encodings = before;
        }
        let unnamed = matches!(&state.encodings[..], [only] if only.init.rid.is_none());
        if names.is_empty() || !unnamed || state.kind == Kind::Audio || state.stopping {
            return;
        }
        let before = state.encodings.clone();
        let mut sources = before.first().map(|only| (only.ssrc, only.rtx_ssrc));
        let encodings = names
            .into_iter()
            .map(|name| {
                // A stream that flows already goes on as the first one.
                let (ssrc, rtx_ssrc) = sources.take().unwrap_or_else(|| (self.ssrc(), self.ssrc()));
                let init = EncodingInit { rid: Some(name), ..EncodingInit::default() };
                SentEncoding { init, ssrc, rtx_ssrc }
            })
            .collect();
        if let Ok(state) = self.get_mut(id) {
            state.encodings = encodings;
            state.replaced = Some(before);
        }
    }
}

/// An answer has settled which encodings there are: those of these names, or the first one if there is none of them.
pub(super) fn narrow(encodings: &mut Vec<SentEncoding>, names: &[String]) {
    let taken = |encoding: &SentEncoding| encoding.init.rid.as_ref().is_some_and(|rid| names.contains(rid));
    match encodings.iter().any(taken) {
        true => encodings.retain(taken),
        false => encodings.truncate(1),
    }
}
