//! setLocalDescription and setRemoteDescription (W3C 4.4.1.5; RFC 9429, sections 5.5 to 5.11).

use super::layout;
use super::local::{Draft, Generation, LocalDescription};
use super::remote::{RemoteData, RemoteDescription, Setup, invalid};
use super::session::{Applied, Session, setter};
use super::types::{Change, DtlsRole, SdpType, SignalingState, TransportParameters};
use crate::error::{Error, ErrorKind};
use crate::sdp::{Outline, OutlineSection};
use ossa_sctp::InitChunk;
use std::collections::HashSet;

impl Session {
    /// `setLocalDescription()`. An empty `sdp` stands for the last created offer or answer.
    ///
    /// # Errors
    /// `InvalidStateError` if the state does not allow this kind; `InvalidModificationError` if the text is not
    /// the one that was created last.
    pub fn set_local(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        use SignalingState::{HaveLocalOffer, HaveLocalPranswer, HaveRemoteOffer, Stable};
        let allowed = match kind {
            SdpType::Offer => matches!(self.state, Stable | HaveLocalOffer),
            SdpType::Pranswer | SdpType::Answer => matches!(self.state, HaveRemoteOffer | HaveLocalPranswer),
            SdpType::Rollback => self.state == HaveLocalOffer,
        };
        if !allowed {
            return Err(self.wrong_state(&setter("Local", kind)));
        }
        match kind {
            SdpType::Offer => self.set_local_offer(sdp),
            SdpType::Pranswer | SdpType::Answer => self.set_local_answer(kind, sdp),
            SdpType::Rollback => Ok(self.roll_back_local()),
        }
    }

    /// `setRemoteDescription()`. An offer takes the place of a pending local offer (implicit rollback).
    ///
    /// W3C wants the rollback as a step of its own, with its own `signalingstatechange`, that stands even if the
    /// offer is invalid. A caller that needs this calls `set_local(Rollback, "")` first; here it is one step that
    /// happens as a whole or not at all.
    ///
    /// # Errors
    /// `InvalidStateError` if the state does not allow this kind; a syntax error with its line; `InvalidAccessError`
    /// if the content is invalid or does not fit the offer.
    pub fn set_remote(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        use SignalingState::{HaveLocalOffer, HaveRemoteOffer, HaveRemotePranswer, Stable};
        let allowed = match kind {
            SdpType::Offer => matches!(self.state, Stable | HaveRemoteOffer | HaveLocalOffer),
            SdpType::Pranswer | SdpType::Answer => matches!(self.state, HaveLocalOffer | HaveRemotePranswer),
            SdpType::Rollback => self.state == HaveRemoteOffer,
        };
        if !allowed {
            return Err(self.wrong_state(&setter("Remote", kind)));
        }
        match kind {
            SdpType::Offer => self.set_remote_offer(sdp),
            SdpType::Pranswer | SdpType::Answer => self.set_remote_answer(kind, sdp),
            SdpType::Rollback => {
                self.pending_remote = None;
                self.state = Stable;
                Ok(Change { rolled_back: true, ..Change::default() })
            }
        }
    }

    fn set_local_offer(&mut self, sdp: &str) -> Result<Change, Error> {
        let (outline, draft) = accept(self.last_offer.as_ref(), SdpType::Offer, sdp)?;
        let mut change = Change::default();
        self.take_local_ice(&draft, &mut change);
        self.pending_local = Some(LocalDescription { kind: SdpType::Offer, outline });
        self.state = SignalingState::HaveLocalOffer;
        Ok(change)
    }

    fn set_local_answer(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let (outline, draft) = accept(self.last_answer.as_ref(), kind, sdp)?;
        let Some(offer) = &self.pending_remote else { return Err(self.wrong_state(&setter("Local", kind))) };
        check_answers(&outline, offer)?;
        let remote = offer.data.clone();

        let mut change = Change::default();
        self.take_local_ice(&draft, &mut change);
        let setup =
            outline.sections.iter().find(|section| section.data.is_some()).and_then(|section| section.setup);
        let role = if setup == Some("passive") { DtlsRole::Server } else { DtlsRole::Client };
        self.pending_local = Some(LocalDescription { kind, outline });
        if let Some(remote) = remote {
            self.connect(&remote, role, false, &mut change);
        }
        if kind == SdpType::Pranswer {
            self.state = SignalingState::HaveLocalPranswer;
            return Ok(change);
        }
        let has_data = self.pending_remote.as_ref().is_some_and(|offer| offer.data.is_some());
        if let Some(offer) = &self.pending_remote {
            self.slots = layout::from_remote_offer(offer);
        }
        self.complete(has_data, &mut change);
        Ok(change)
    }

    fn set_remote_offer(&mut self, sdp: &str) -> Result<Change, Error> {
        let data = self.slots.iter().position(|slot| slot.data);
        let offer = RemoteDescription::parse(SdpType::Offer, sdp, data)?;
        self.check_offer(&offer)?;
        let change = match self.state {
            SignalingState::HaveLocalOffer => self.roll_back_local(),
            _ => Change::default(),
        };
        self.pending_remote = Some(offer);
        self.state = SignalingState::HaveRemoteOffer;
        Ok(change)
    }

    fn set_remote_answer(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let Some(offer) = &self.pending_local else { return Err(self.wrong_state(&setter("Remote", kind))) };
        let offered = offer.data().map(|(index, _)| index);
        // `usize::MAX` is no section: an answer cannot add data to an offer without.
        let answer = RemoteDescription::parse(kind, sdp, Some(offered.unwrap_or(usize::MAX)))?;
        check_matches(&answer, &offer.outline)?;
        let role = match &answer.data {
            Some(data) => Some(answered_role(data, &answer)?),
            None => None,
        };
        let accepted = answer.data.clone();
        let slots = layout::from_local_offer(&offer.outline, &answer);

        let mut change = Change::default();
        self.pending_remote = Some(answer);
        if let (Some(data), Some(role)) = (&accepted, role) {
            self.connect(data, role, true, &mut change);
        }
        if kind == SdpType::Pranswer {
            self.state = SignalingState::HaveRemotePranswer;
            return Ok(change);
        }
        self.slots = slots;
        self.complete(accepted.is_some(), &mut change);
        Ok(change)
    }

    /// A local description with these credentials comes into force: gather if they are new.
    fn take_local_ice(&mut self, draft: &Draft, change: &mut Change) {
        let Some(ice) = &draft.ice else { return };
        let current = self.current_ice.as_ref().is_some_and(|generation| generation.ice == *ice);
        let pending = self.pending_ice.as_ref().is_some_and(|generation| generation.ice == *ice);
        if current {
            self.pending_ice = None;
        } else if !pending {
            self.pending_ice = Some(Generation::new(ice.clone()));
        }
        self.spare = self.spare.take().filter(|spare| spare != ice);
        if self.gathering.as_ref() != Some(&ice.ufrag) {
            self.gathering = Some(ice.ufrag.clone());
            change.gather = Some(ice.clone());
        }
    }

    /// Both sides of the data section are known: tell the transport what is new to it.
    fn connect(&mut self, remote: &RemoteData, dtls_role: DtlsRole, offerer: bool, change: &mut Change) {
        let before = self.applied.take();
        // The first offerer controls, for good (RFC 8445, section 6.1.1); a side that is lite, and the other is not, never does.
        let lite = self.local_ice().is_some_and(|ice| ice.ice_lite);
        let ice_controlling = match (lite, remote.ice.ice_lite) {
            (true, false) => false,
            (false, true) => true,
            _ => before.as_ref().map_or(offerer, |applied| applied.ice_controlling),
        };
        let restarted = before.as_ref().is_some_and(|applied| applied.remote_ice != remote.ice);
        let (mut delivered, mut end_delivered) = match before {
            Some(applied) if !restarted => (applied.delivered, applied.end_delivered),
            _ => {
                change.remote_ice = Some(remote.ice.clone());
                change.remote_ice_restarted = restarted;
                (HashSet::new(), false)
            }
        };
        let new = remote.candidates.iter().filter(|candidate| delivered.insert((*candidate).clone()));
        change.remote_candidates = new.cloned().collect();
        change.remote_end_of_candidates = remote.end_of_candidates && !end_delivered;
        end_delivered |= remote.end_of_candidates;
        change.transport = Some(TransportParameters {
            dtls_role,
            ice_controlling,
            remote_fingerprints: remote.fingerprints.clone(),
            remote_sctp_port: remote.sctp_port,
            remote_max_message_size: remote.max_message_size,
            remote_max_packet: remote.max_packet,
            remote_sctp_init: self.agreed_init(remote),
            legacy: remote.legacy,
        });
        self.applied = Some(Applied {
            remote_ice: remote.ice.clone(),
            remote_fingerprints: remote.fingerprints.clone(),
            dtls_role,
            ice_controlling,
            delivered,
            end_delivered,
        });
    }

    /// The peer's INIT, if ours stands in our description of this round as well.
    fn agreed_init(&self, remote: &RemoteData) -> Option<InitChunk> {
        let (_, ours) = self.pending_local.as_ref()?.data()?;
        self.trusted_init(remote).filter(|_| ours.sctp_init.is_some())
    }

    /// The round is over: what was pending becomes current.
    fn complete(&mut self, has_data: bool, change: &mut Change) {
        let remote = self.pending_remote.as_ref().and_then(|remote| remote.data.as_ref());
        let init = remote.map(|remote| self.agreed_init(remote).is_some());
        self.init_agreed = self.init_agreed.or(init);
        self.current_local = self.pending_local.take();
        self.current_remote = self.pending_remote.take();
        self.state = SignalingState::Stable;
        self.next_mid = layout::next_mid(&self.slots, self.next_mid);
        self.last_offer = None;
        self.last_answer = None;
        self.spare = None;
        if let Some(generation) = self.pending_ice.take() {
            self.current_ice = Some(generation);
        }
        if !has_data && self.gathering.is_some() {
            // The channels die with their section; only a new one asks for another section.
            self.channel_created = false;
            self.drop_transport(change);
        }
        // W3C 4.4.1.5: the wish for a restart is fulfilled when the old credentials are gone.
        let still_there = |(ufrag, pwd): &(String, String)| {
            let data = self.current_local.as_ref().and_then(|local| local.data());
            data.is_some_and(|(_, data)| data.ufrag == *ufrag && data.pwd == *pwd)
        };
        if !self.to_replace.iter().any(still_there) {
            self.to_replace.clear();
        }
    }

    fn drop_transport(&mut self, change: &mut Change) {
        self.applied = None;
        self.init_agreed = None;
        self.gathering = None;
        self.current_ice = None;
        self.pending_ice = None;
        *change = Change { rolled_back: change.rolled_back, data_section_removed: true, ..Change::default() };
    }

    /// The pending local offer is withdrawn. What was created from it stays valid, to be set again.
    fn roll_back_local(&mut self) -> Change {
        let mut change = Change { rolled_back: true, ..Change::default() };
        self.pending_local = None;
        self.state = SignalingState::Stable;
        if self.pending_ice.take().is_some() {
            match &self.current_ice {
                Some(current) => {
                    self.gathering = Some(current.ice.ufrag.clone());
                    change.restored_ice = Some(current.ice.clone());
                }
                None => self.drop_transport(&mut change),
            }
        }
        change
    }

    /// Sections are never removed or exchanged, unless they were rejected before (RFC 9429, section 5.2.2).
    fn check_offer(&self, offer: &RemoteDescription) -> Result<(), Error> {
        let sections = &offer.description.media;
        if sections.len() < self.slots.len() {
            return Err(wrong_count(sections.len(), "at least ", self.slots.len()));
        }
        for (slot, section) in self.slots.iter().zip(sections).filter(|(slot, _)| slot.data) {
            if !slot.kind.eq_ignore_ascii_case(&section.kind) {
                let message = format!("the data section has become a section of the kind {:?}", section.kind);
                return Err(invalid(section.line, &message));
            }
            if section.is_active() && slot.mid.is_some() && slot.mid != section.mid {
                return Err(invalid(section.line, "the mid of the data section has changed"));
            }
        }
        Ok(())
    }
}

/// Checks the text against the last created description.
fn accept(draft: Option<&Draft>, kind: SdpType, sdp: &str) -> Result<(Outline, Draft), Error> {
    let draft = draft.ok_or_else(|| Session::nothing_created(kind))?;
    match draft.accept(sdp) {
        Some(outline) => Ok((outline, draft.clone())),
        None => {
            let message =
                format!("this is not the {} that was created last; set it unchanged", kind.as_str());
            Err(Error::new(ErrorKind::InvalidModification, message))
        }
    }
}

/// Whether our answer was created for this offer, and not for an earlier one that looked different.
fn check_answers(answer: &Outline, offer: &RemoteDescription) -> Result<(), Error> {
    let same = |(ours, theirs): (&OutlineSection, &crate::sdp::MediaSection)| {
        ours.kind == theirs.kind && ours.mid == theirs.mid
    };
    let data = answer.sections.iter().position(|section| section.data.is_some());
    let sections = &offer.description.media;
    let setup = data.and_then(|index| answer.sections[index].setup);
    let roles_fit = match offer.data.as_ref().map(|data| data.setup) {
        Some(Setup::Active) => setup == Some("passive"),
        Some(Setup::Passive) => setup == Some("active"),
        Some(Setup::ActPass) | None => true,
    };
    let has_init =
        |section: &OutlineSection| section.data.as_ref().is_some_and(|data| data.sctp_init.is_some());
    let init_fits = data.is_none_or(|index| !has_init(&answer.sections[index]))
        || offer.data.as_ref().is_some_and(|data| data.sctp_init.is_some());
    let stays = |(index, ours): (usize, &OutlineSection)| {
        let kept = offer.kept(index);
        ours.inactive.as_ref() == kept.map(|(_, media)| media)
            && kept.is_none_or(|(format, _)| ours.formats == std::slice::from_ref(format))
    };
    let fits = answer.sections.len() == sections.len()
        && answer.sections.iter().zip(sections).all(same)
        && answer.sections.iter().enumerate().all(stays)
        && data == offer.data.as_ref().map(|data| data.index)
        && roles_fit
        && init_fits;
    if fits {
        return Ok(());
    }
    Err(Error::new(
        ErrorKind::InvalidModification,
        "the answer was created for another offer; create a new one",
    ))
}

/// An answer has the sections of its offer (RFC 3264, section 6).
fn check_matches(answer: &RemoteDescription, offer: &Outline) -> Result<(), Error> {
    let sections = &answer.description.media;
    if sections.len() != offer.sections.len() {
        return Err(wrong_count(sections.len(), "", offer.sections.len()));
    }
    for (section, offered) in sections.iter().zip(&offer.sections) {
        if !section.kind.eq_ignore_ascii_case(&offered.kind) {
            let message =
                format!("this section is {:?} in the offer and {:?} here", offered.kind, section.kind);
            return Err(invalid(section.line, &message));
        }
        if section.mid.is_some() && section.mid != offered.mid {
            return Err(invalid(section.line, "this section has another mid in the offer"));
        }
    }
    Ok(())
}

fn wrong_count(found: usize, at_least: &str, expected: usize) -> Error {
    let message = format!("the description has {found} media sections where {at_least}{expected} are due");
    Error::new(ErrorKind::InvalidAccess, message)
}

/// Our role according to the answer to our `actpass` (RFC 8842, section 5.3).
fn answered_role(data: &RemoteData, answer: &RemoteDescription) -> Result<DtlsRole, Error> {
    let line = answer.description.media[data.index].line;
    match data.setup {
        Setup::ActPass => Err(invalid(line, "an answer decides between a=setup:active and passive")),
        Setup::Active => Ok(DtlsRole::Server),
        Setup::Passive => Ok(DtlsRole::Client),
    }
}
