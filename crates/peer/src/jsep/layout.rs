//! The order of media sections that both sides have agreed on.

use super::remote::RemoteDescription;
use crate::sdp::{InactiveMedia, Outline, OutlineSection};

/// One media section of the session. Sections are never removed, only rejected (RFC 9429, section 5.2.2).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Slot {
    pub(super) kind: String,
    pub(super) proto: String,
    pub(super) formats: Vec<String>,
    /// Missing if the peer's description has none.
    pub(super) mid: Option<String>,
    /// This is the data section and it is in use.
    pub(super) data: bool,
    /// This is a section for audio or video and it is in use, in whichever direction.
    pub(super) rtp: bool,
    /// It is for RTP and stays, without use, in the group of the data section.
    pub(super) inactive: Option<InactiveMedia>,
    /// A data section by its `m=` line, in use or not: only such a one is recycled for data.
    pub(super) data_like: bool,
    /// The old form `DTLS/SCTP 5000`.
    pub(super) legacy: bool,
}

impl Slot {
    /// Rejected by both sides, so that another transceiver may have it (RFC 9429, section 5.2.2).
    pub(super) fn is_free_for_rtp(&self) -> bool {
        let rtp = ["audio", "video"].iter().any(|kind| self.kind.eq_ignore_ascii_case(kind));
        rtp && !self.data && !self.rtp && self.inactive.is_none()
    }

    /// Whether it is used for anything.
    pub(super) fn is_used(&self) -> bool {
        self.data || self.rtp || self.inactive.is_some()
    }
}

/// What was agreed when our answer to a remote offer came into force.
pub(super) fn from_remote_offer(offer: &RemoteDescription, answer: &Outline) -> Vec<Slot> {
    let ours = |index: usize| answer.sections.get(index);
    let slot = |(index, section): (usize, &crate::sdp::MediaSection)| {
        let (format, inactive) = offer.kept(index).cloned().unzip();
        let ours = ours(index);
        Slot {
            kind: section.kind.clone(),
            proto: section.proto.clone(),
            formats: format.map_or_else(|| section.formats.clone(), |format| vec![format]),
            mid: section.mid.clone(),
            data: ours.is_some_and(|ours| ours.data().is_some()),
            rtp: ours.is_some_and(|ours| ours.rtp().is_some()),
            inactive,
            data_like: section.is_data(),
            legacy: section.is_legacy_data(),
        }
    };
    offer.description.media.iter().enumerate().map(slot).collect()
}

/// What was agreed when the answer to our own offer came into force.
pub(super) fn from_local_offer(offer: &Outline, answer: &RemoteDescription) -> Vec<Slot> {
    let slot = |(index, section): (usize, &OutlineSection)| {
        let data_like =
            section.kind.eq_ignore_ascii_case("application") && section.proto.ends_with("DTLS/SCTP");
        Slot {
            kind: section.kind.clone(),
            proto: section.proto.clone(),
            formats: section.formats.clone(),
            mid: section.mid.clone(),
            data: answer.data.is_some() && section.data().is_some(),
            rtp: answer.rtp(index).is_some() && section.rtp().is_some(),
            inactive: section.inactive().cloned().filter(|_| answer.kept(index).is_some()),
            data_like,
            legacy: data_like && !section.formats.iter().any(|format| format == "webrtc-datachannel"),
        }
    };
    offer.sections.iter().enumerate().map(slot).collect()
}

/// The smallest number from `first` that no section has as its mid.
pub(super) fn unused_mid(slots: &[Slot], first: u32) -> String {
    (first..=u32::MAX)
        .map(|number| number.to_string())
        .find(|mid| slots.iter().all(|slot| slot.mid.as_deref() != Some(mid)))
        .unwrap_or_default()
}

/// The number from which on mids have never been used.
pub(super) fn next_mid(slots: &[Slot], before: u32) -> u32 {
    let numbers = slots.iter().filter_map(|slot| slot.mid.as_deref()?.parse::<u32>().ok());
    // A peer may use any number; ours only has to be new, so a huge one is not followed.
    numbers.filter(|number| *number < 1_000_000).map(|number| number + 1).fold(before, u32::max)
}
