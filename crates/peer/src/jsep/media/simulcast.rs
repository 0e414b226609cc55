//! Which encodings a sender has, by what both sides say of them (RFC 8853, section 5.3; W3C WebRTC, section 4.4.1.5).

use ossa_media::Kind;

use super::state::{MAX_ENCODINGS, Media};
use super::transceiver::{EncodingInit, SentEncoding, TransceiverId};
use super::wanted::wanted;
use crate::sdp::RtpAttributes;

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
            .take(MAX_ENCODINGS)
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
