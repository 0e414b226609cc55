//! Sections for audio and video in answers (RFC 9429, section 5.3).

use ossa_media::Extension;

use super::capabilities::CodecCapability;
use super::codec::{Identity, answered_parameters};
use super::negotiated::Side;
use super::numbers::usable_id;
use super::offer::{Section, kind_of};
use super::state::{MAX_ENCODINGS, Media};
use super::transceiver::State;
use super::wanted::wanted;
use crate::sdp::{Direction, ExtMap, MediaSection, RidDirection, RtpAttributes};

impl Media {
    /// Whether a section has a codec that we have as well.
    pub(in crate::jsep) fn has_common(&self, section: &MediaSection, rtp: &RtpAttributes) -> bool {
        let Some(kind) = kind_of(&section.kind) else { return false };
        let side = Side { rtp, formats: &section.formats };
        let matches = side.matches(self.config.capabilities.codecs(kind));
        matches.iter().any(|(_, codec)| !codec.identity().is_helper())
    }

    /// The answer for a section; `None` if it has no transceiver. One that was stopped has no part in it, and the next offer rejects its section
    /// (W3C 5.4, stop).
    pub(in crate::jsep) fn answered(
        &self,
        index: usize,
        section: &MediaSection,
        offered: &RtpAttributes,
    ) -> Option<Section> {
        let state = self.at(index)?;
        let side = Side { rtp: offered, formats: &section.formats };
        let wanted = if state.stopping { Direction::Inactive } else { state.direction };
        let mut direction = wanted.intersection(offered.direction.reversed());
        let mut codecs = side.matches(self.codecs(state));
        if codecs.iter().all(|(_, codec)| codec.identity().is_helper()) {
            // Nothing of what is preferred. The section may be the one that carries the transport, so it stays, without use.
            codecs = side.matches(self.config.capabilities.codecs(state.kind));
            direction = Direction::Inactive;
        }
        if !state.preferences.is_empty() {
            let rank = |codec: &CodecCapability| {
                let identity = codec.identity();
                state.preferences.iter().position(|preferred| preferred.identity() == identity)
            };
            codecs.sort_by_key(|(_, codec)| rank(codec));
        }
        let mut rtp = RtpAttributes {
            direction,
            rtcp_mux: true,
            rtcp_rsize: offered.rtcp_rsize,
            extmap_allow_mixed: offered.extmap_allow_mixed,
            ..RtpAttributes::default()
        };
        let mut formats = Vec::new();
        for (payload, codec) in codecs {
            let parameters = answered_parameters(codec, offered.fmtp(payload));
            let has = |value: &&String| {
                offered.feedback(payload).any(|offered| offered.eq_ignore_ascii_case(value))
            };
            let feedback: Vec<String> = codec.feedback.iter().filter(has).cloned().collect();
            rtp.add_codec(payload, codec, parameters, &feedback, &mut formats);
            if let Some(rtx) = side.rtx_of(payload).filter(|_| codec.rtx) {
                rtp.add_rtx(rtx, payload, codec.clock_rate, &mut formats);
            }
        }
        rtp.extensions = self.common_extensions(state, offered);
        state.answer_simulcast(offered, &mut rtp);
        state.describe_sources(&self.config.cname, &mut rtp);
        Some((formats, rtp))
    }

    /// The transceiver of a section.
    pub(super) fn at(&self, index: usize) -> Option<&State> {
        self.transceivers.iter().find(|state| state.round.index == Some(index))
    }

    /// Under the ids that were offered (RFC 8285, section 6).
    fn common_extensions(&self, state: &State, offered: &RtpAttributes) -> Vec<ExtMap> {
        let ours: Vec<Extension> = self.config.capabilities.extensions(state.kind).collect();
        let mut common: Vec<ExtMap> = Vec::new();
        for extension in &offered.extensions {
            let known =
                ours.iter().any(|ours| ours.uri() == extension.uri) && usable_id(extension.id).is_some();
            let taken = common.iter().any(|other| other.id == extension.id || other.uri == extension.uri);
            if known && !taken {
                common.push(ExtMap {
                    direction: extension.direction.map(Direction::reversed),
                    attributes: String::new(),
                    ..extension.clone()
                });
            }
        }
        common
    }
}

impl State {
    /// Takes the encodings that are offered, and sends of its own those that the peer takes (RFC 8853, section 5.3.2).
    fn answer_simulcast(&self, offered: &RtpAttributes, rtp: &mut RtpAttributes) {
        let has_rid = rtp.extensions.iter().any(|extension| extension.uri == Extension::Rid.uri());
        let Some(simulcast) = offered.simulcast.as_ref().filter(|_| has_rid) else { return };
        let described = |id: &str, direction: RidDirection| {
            offered.rids.iter().any(|rid| rid.id == id && rid.direction == direction)
        };
        let theirs: Vec<&str> = simulcast
            .streams(RidDirection::Send)
            .map(|choice| choice.id.as_str())
            .filter(|id| described(id, RidDirection::Send))
            .take(MAX_ENCODINGS)
            .collect();
        if theirs.len() > 1 && rtp.direction.receives() {
            rtp.add_simulcast(RidDirection::Recv, &theirs);
        }
        let wanted = wanted(offered);
        let ours: Vec<&str> = self.rids().filter(|rid| wanted.iter().any(|wanted| wanted == rid)).collect();
        if !ours.is_empty() && rtp.direction.sends() {
            rtp.add_simulcast(RidDirection::Send, &ours);
        }
    }
}

impl Side<'_> {
    /// The payload types that there is a codec for, in the order in which they were offered.
    fn matches<'a>(&self, codecs: &'a [CodecCapability]) -> Vec<(u8, &'a CodecCapability)> {
        let identities: Vec<(Identity, &CodecCapability)> =
            codecs.iter().map(|codec| (codec.identity(), codec)).collect();
        let mut found: Vec<(u8, &CodecCapability)> = Vec::new();
        for payload in self.formats.iter().filter_map(|format| format.parse().ok()) {
            let Some(map) = self.rtp.codec(payload) else { continue };
            let identity = Identity::of(&map, self.rtp.fmtp(payload));
            let codec = identities.iter().find(|(ours, _)| *ours == identity);
            if let Some((_, codec)) = codec.filter(|_| found.iter().all(|(other, _)| *other != payload)) {
                found.push((payload, codec));
            }
        }
        found
    }
}
