//! Whether transceivers ask for a negotiation (W3C WebRTC, section 4.7.3).

use super::super::layout::Slot;
use super::super::local::LocalDescription;
use super::super::remote::RemoteDescription;
use super::super::types::SdpType;
use super::state::Media;
use super::transceiver::State;
use crate::sdp::RtpAttributes;

impl Media {
    /// Whether what was agreed is not what the transceivers want.
    pub(in crate::jsep) fn negotiation_needed(
        &self,
        slots: &[Slot],
        local: Option<&LocalDescription>,
        remote: Option<&RemoteDescription>,
    ) -> bool {
        self.transceivers.iter().filter(|state| !state.is_over()).any(|state| {
            let Some(index) =
                state.round.index.filter(|index| slots.get(*index).is_some_and(|slot| slot.rtp))
            else {
                return true;
            };
            let ours = local.and_then(|local| Some((local.kind, local.outline.sections.get(index)?.rtp()?)));
            let theirs = remote.and_then(|remote| remote.rtp(index));
            let (Some((kind, ours)), Some(theirs)) = (ours, theirs) else { return true };
            state.stopping || state.says_otherwise(ours) || state.goes_otherwise(kind, ours, theirs)
        })
    }
}

impl State {
    /// It sends in other streams than our description says.
    fn says_otherwise(&self, ours: &RtpAttributes) -> bool {
        if !self.direction.sends() || !ours.direction.sends() {
            return false;
        }
        let mut said: Vec<&str> =
            ours.msids.iter().map(|msid| msid.stream.as_str()).filter(|id| *id != "-").collect();
        let mut wanted: Vec<&str> = self.sender_streams.iter().map(String::as_str).collect();
        said.sort_unstable();
        wanted.sort_unstable();
        wanted.dedup();
        said.dedup();
        said != wanted
    }

    /// It has another direction than both sides have agreed on.
    fn goes_otherwise(&self, kind: SdpType, ours: &RtpAttributes, theirs: &RtpAttributes) -> bool {
        let peer = theirs.direction.reversed();
        match kind {
            SdpType::Offer => ours.direction != self.direction && peer != self.direction,
            _ => ours.direction != self.direction.intersection(peer),
        }
    }
}
