//! What descriptions do to transceivers (RFC 9429, sections 5.9 to 5.11; W3C WebRTC, section 4.4.1.5).

use std::collections::HashSet;

use super::super::layout::{Slot, unused_mid};
use super::super::remote::RemoteDescription;
use super::negotiated::{Negotiated, Side};
use super::offer::{FOR_THE_PEER, kind_of};
use super::simulcast::narrow;
use super::state::Media;
use super::transceiver::{Round, State, TrackChange, TransceiverId, TransceiverInit};
use crate::error::Error;
use crate::sdp::{MAX_SECTIONS, Outline, RtpAttributes};

impl Media {
    /// A round begins, unless one is under way.
    fn begin(&mut self) {
        if self.saved.is_none() {
            let round = |state: &State| (state.id, state.round.clone());
            self.saved = Some(self.transceivers.iter().map(round).collect());
        }
    }

    /// Our offer is set: its sections belong to these transceivers.
    pub(in crate::jsep) fn offer_set(&mut self, places: &[(usize, TransceiverId)], outline: &Outline) {
        self.begin();
        for (index, id) in places {
            // It may have been stopped since the offer was created.
            if let (Ok(state), Some(section)) = (self.get_mut(*id), outline.sections.get(*index)) {
                state.round.index = Some(*index);
                state.round.mid.clone_from(&section.mid);
            }
        }
    }

    /// Whether there is room for what an offer asks for.
    pub(in crate::jsep) fn check_room(&self, offer: &RemoteDescription) -> Result<(), Error> {
        let new = (0..offer.description.media.len())
            .filter(|index| offer.rtp(*index).is_some() && self.at(*index).is_none())
            .count();
        match self.transceivers.len() + new <= MAX_SECTIONS {
            true => Ok(()),
            false => {
                let message = format!("the offer asks for more than {MAX_SECTIONS} transceivers");
                Err(Error::new(crate::error::ErrorKind::Operation, message))
            }
        }
    }

    /// The peer's offer is set: each of its sections that we can use has a transceiver, one that `addTrack()` has made if
    /// possible, else a new one.
    pub(in crate::jsep) fn peer_offers(
        &mut self,
        offer: &RemoteDescription,
        slots: &[Slot],
        next_mid: u32,
    ) -> Vec<TrackChange> {
        self.begin();
        for (index, section) in offer.description.media.iter().enumerate() {
            let (Some(rtp), Some(kind)) = (offer.rtp(index), kind_of(&section.kind)) else { continue };
            if let Some(id) = self.at(index).map(|state| state.id) {
                self.propose(id, rtp);
                continue;
            }
            let wanted = rtp.direction.receives();
            let fits = |state: &&mut State| {
                let free = state.round.index.is_none() && !state.stopping;
                free && state.by_track && wanted && state.kind == kind
            };
            let mid = section.mid.clone().or_else(|| Some(unused_mid(slots, next_mid.max(index as u32))));
            if let Some(state) = self.transceivers.iter_mut().find(fits) {
                state.round.index = Some(index);
                state.round.mid = mid;
                let id = state.id;
                self.propose(id, rtp);
                continue;
            }
            let init = TransceiverInit { direction: FOR_THE_PEER, ..TransceiverInit::default() };
            let made = self.add(kind, init);
            let id = made.expect("there is room, and a codec that both sides have");
            let state = self.get_mut(id).expect("it was made just now");
            state.round = Round { index: Some(index), mid, by_peer: true, ..Round::default() };
            self.propose(id, rtp);
        }
        self.announce(offer)
    }

    /// What the peer says that it sends.
    fn announce(&mut self, remote: &RemoteDescription) -> Vec<TrackChange> {
        let mut changes = Vec::new();
        for state in &mut self.transceivers {
            let Some(index) = state.round.index else { continue };
            let sent = remote.rtp(index).filter(|rtp| rtp.direction.sends());
            state.receive(sent.map(|rtp| streams(rtp, &self.default_stream)), &mut changes);
        }
        changes
    }

    /// An answer or pranswer is set: both sides of each section are known.
    pub(in crate::jsep) fn agree(
        &mut self,
        local: &Outline,
        remote: &RemoteDescription,
        we_answer: bool,
        is_final: bool,
    ) -> Vec<TrackChange> {
        let mut changes = if we_answer { Vec::new() } else { self.announce(remote) };
        for state in &mut self.transceivers {
            let Some(index) = state.round.index else { continue };
            let ours = local.sections.get(index).and_then(|section| Some((section, section.rtp()?)));
            let theirs = remote.description.media.get(index).zip(remote.rtp(index));
            let (Some((section, ours)), Some((their_section, theirs))) = (ours, theirs) else {
                state.round.negotiated = None;
                continue;
            };
            let direction = if we_answer { ours.direction } else { theirs.direction.reversed() };
            if we_answer && !direction.receives() {
                state.receive(None, &mut changes);
            }
            if is_final {
                state.round.current = Some(direction);
                state.round.has_sent |= direction.sends();
            }
            let local = Side { rtp: ours, formats: &section.formats };
            let remote = Side { rtp: theirs, formats: &their_section.formats };
            let mut negotiated = Negotiated::new(section.mid.as_deref(), direction, local, remote);
            if !direction.sends() {
                // On hold nothing is said of encodings, and nothing is settled.
                let before = state.round.negotiated.take();
                negotiated.send_rids = before.map(|before| before.send_rids).unwrap_or_default();
            } else if is_final {
                narrow(&mut state.encodings, &negotiated.send_rids);
            }
            state.round.negotiated = Some(negotiated);
            self.numbers.learn(theirs, &their_section.formats);
        }
        changes
    }

    /// The round is over. Transceivers whose section was rejected are gone.
    pub(in crate::jsep) fn complete(&mut self, slots: &[Slot]) -> Vec<TrackChange> {
        self.saved = None;
        self.transceivers.iter_mut().for_each(|state| state.replaced = None);
        let gone = |state: &State| {
            if state.is_over() {
                return true;
            }
            let slot = state.round.index.map(|index| slots.get(index));
            slot.is_some_and(|slot| slot.is_none_or(|slot| !slot.rtp))
        };
        let stopped = self.transceivers.iter().filter(|state| gone(state)).map(|state| state.id).collect();
        self.remove(&stopped)
    }

    /// The round is withdrawn (RFC 9429, section 5.7): what the peer's offer has made is gone, unless the application has
    /// added a track to it.
    pub(in crate::jsep) fn roll_back(&mut self) -> Vec<TrackChange> {
        let changes = self.withdraw(|_| true);
        self.saved = None;
        changes
    }

    /// Another offer takes the place of the peer's: transceivers stay with the sections that are still there (RFC 9429, section 5.10:
    /// they are found by their mid).
    pub(in crate::jsep) fn offered_anew(&mut self, offer: &RemoteDescription) -> Vec<TrackChange> {
        let goes_on = |state: &State| {
            let index = state.round.index?;
            let section = offer.description.media.get(index).filter(|_| offer.rtp(index).is_some())?;
            let same = section.mid.is_none() || section.mid == state.round.mid;
            Some(same && kind_of(&section.kind) == Some(state.kind))
        };
        self.withdraw(|state| goes_on(state) != Some(true))
    }

    /// Withdraws of the round what it has made of some transceivers.
    fn withdraw(&mut self, withdrawn: impl Fn(&State) -> bool) -> Vec<TrackChange> {
        let Some(saved) = &self.saved else { return Vec::new() };
        let mut changes = Vec::new();
        let mut gone = HashSet::new();
        for state in self.transceivers.iter_mut().filter(|state| withdrawn(state)) {
            let before = saved.iter().find(|(id, _)| *id == state.id).map(|(_, round)| round.clone());
            let new = before.is_none();
            let before = before.unwrap_or_default();
            if new && state.round.by_peer {
                // What `addTrack()` was called for is from now on as if that had made it.
                state.by_track |= state.track_added;
                if !state.by_track {
                    gone.insert(state.id);
                }
            }
            if (before.receives, &before.receiver_streams)
                != (state.round.receives, &state.round.receiver_streams)
            {
                state.receive(before.receives.then(|| before.receiver_streams.clone()), &mut changes);
            }
            state.round = before;
            if let Some(encodings) = state.replaced.take() {
                state.encodings = encodings;
            }
        }
        changes.retain(|change| !matches!(change, TrackChange::ReceivesNothing { transceiver } if gone.contains(transceiver)));
        changes.extend(self.remove(&gone));
        changes
    }

    fn remove(&mut self, gone: &HashSet<TransceiverId>) -> Vec<TrackChange> {
        let stopped = |state: &State| TrackChange::Stopped { transceiver: state.id };
        let (removed, kept) = std::mem::take(&mut self.transceivers)
            .into_iter()
            .partition::<Vec<_>, _>(|state| gone.contains(&state.id));
        self.transceivers = kept;
        removed.iter().map(stopped).collect()
    }
}

impl State {
    /// What the peer sends is in these streams; `None` if it sends nothing.
    fn receive(&mut self, streams: Option<Vec<String>>, changes: &mut Vec<TrackChange>) {
        let transceiver = self.id;
        let receives = streams.is_some();
        let new = receives && !self.round.receives;
        let ended = !receives && self.round.receives;
        let streams = streams.unwrap_or_default();
        if ended {
            changes.push(TrackChange::ReceivesNothing { transceiver });
        } else if new || streams != self.round.receiver_streams {
            changes.push(TrackChange::Receives { transceiver, new, streams: streams.clone() });
        }
        self.round.receives = receives;
        self.round.receiver_streams = streams;
    }
}

/// Ids of the streams that a section belongs to, each once. Older stacks say so of their sources only, and others not at all.
fn streams(rtp: &RtpAttributes, default: &str) -> Vec<String> {
    if rtp.msids.is_empty() && rtp.ssrcs.iter().all(|source| source.name != "msid") {
        return vec![default.to_owned()];
    }
    let of_source = rtp.ssrcs.iter().filter(|source| rtp.msids.is_empty() && source.name == "msid");
    let of_source = of_source.filter_map(|source| source.value.split_ascii_whitespace().next());
    let of_section = rtp.msids.iter().map(|msid| msid.stream.as_str());
    let mut seen = HashSet::new();
    of_section.chain(of_source).filter(|id| *id != "-" && seen.insert(*id)).map(str::to_owned).collect()
}
