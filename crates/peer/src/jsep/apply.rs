//! setLocalDescription and setRemoteDescription (W3C 4.4.1.5; RFC 9429, sections 5.5 to 5.11).

use super::check::{accept, answered_role, check_answers, check_extensions, check_matches};
use super::layout::{self, Slot};
use super::local::{Draft, Generation, LocalDescription};
use super::media::TrackChange;
use super::remote::{RemoteData, RemoteDescription, RemoteTransport};
use super::session::{Applied, Session, setter};
use super::types::{Change, DataParameters, DtlsRole, SdpType, SignalingState, TransportParameters};
use crate::error::Error;
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
                Ok(Change { rolled_back: true, tracks: self.roll_back_media(), ..Change::default() })
            }
        }
    }

    fn set_local_offer(&mut self, sdp: &str) -> Result<Change, Error> {
        let (outline, draft) = accept(self.last_offer.as_deref(), SdpType::Offer, sdp)?;
        let mut change = Change::default();
        self.take_local_ice(&draft, &mut change);
        if let Some(media) = &mut self.media {
            media.numbers = draft.numbers;
            media.offer_set(&draft.places, &outline);
        }
        self.pending_local = Some(LocalDescription { kind: SdpType::Offer, outline });
        self.state = SignalingState::HaveLocalOffer;
        Ok(change)
    }

    fn set_local_answer(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let (outline, draft) = accept(self.last_answer.as_deref(), kind, sdp)?;
        let Some(offer) = &self.pending_remote else { return Err(self.wrong_state(&setter("Local", kind))) };
        check_answers(&outline, offer)?;
        let used = outline.sections.iter().find(|section| section.content.is_some());
        let remote = offer.transport.clone().zip(used.and_then(|section| section.setup));
        let slots = layout::from_remote_offer(offer, &outline);

        let mut change = Change::default();
        self.take_local_ice(&draft, &mut change);
        self.pending_local = Some(LocalDescription { kind, outline });
        if let Some((remote, setup)) = remote {
            let role = if setup == "passive" { DtlsRole::Server } else { DtlsRole::Client };
            self.connect(&remote, role, false, &mut change);
        }
        self.agree_on_media(true, kind == SdpType::Answer, &mut change);
        if kind == SdpType::Pranswer {
            self.state = SignalingState::HaveLocalPranswer;
            return Ok(change);
        }
        self.complete(slots, &mut change);
        Ok(change)
    }

    fn set_remote_offer(&mut self, sdp: &str) -> Result<Change, Error> {
        let data = self.slots.iter().position(|slot| slot.data);
        let offer = RemoteDescription::parse(SdpType::Offer, sdp, data, self.media.as_deref())?;
        self.check_offer(&offer)?;
        let mut change = match self.state {
            SignalingState::HaveLocalOffer => self.roll_back_local(),
            _ => {
                let media = self.media.as_mut();
                let tracks = media.map(|media| media.offered_anew(&offer)).unwrap_or_default();
                Change { tracks, ..Change::default() }
            }
        };
        if let Some(media) = &mut self.media {
            change.tracks.extend(media.peer_offers(&offer, &self.slots, self.next_mid));
        }
        self.pending_remote = Some(Box::new(offer));
        self.state = SignalingState::HaveRemoteOffer;
        Ok(change)
    }

    fn set_remote_answer(&mut self, kind: SdpType, sdp: &str) -> Result<Change, Error> {
        let Some(offer) = &self.pending_local else { return Err(self.wrong_state(&setter("Remote", kind))) };
        let offered = offer.data().map(|(index, _)| index);
        // `usize::MAX` is no section: an answer cannot add data to an offer without.
        let offered = Some(offered.unwrap_or(usize::MAX));
        let answer = RemoteDescription::parse(kind, sdp, offered, self.media.as_deref())?;
        check_matches(&answer, &offer.outline)?;
        self.current_remote.as_ref().map_or(Ok(()), |before| check_extensions(&answer, before))?;
        let role =
            answer.transport.as_ref().map(|transport| answered_role(transport, &answer)).transpose()?;
        let accepted = answer.transport.clone();
        let slots = layout::from_local_offer(&offer.outline, &answer);

        let mut change = Change::default();
        self.pending_remote = Some(Box::new(answer));
        if let (Some(transport), Some(role)) = (&accepted, role) {
            self.connect(transport, role, true, &mut change);
        }
        self.agree_on_media(false, kind == SdpType::Answer, &mut change);
        if kind == SdpType::Pranswer {
            self.state = SignalingState::HaveRemotePranswer;
            return Ok(change);
        }
        self.complete(slots, &mut change);
        Ok(change)
    }

    /// Both sides of the sections for audio and video are known.
    fn agree_on_media(&mut self, we_answer: bool, is_final: bool, change: &mut Change) {
        let (Some(media), Some(local), Some(remote)) =
            (&mut self.media, &self.pending_local, &self.pending_remote)
        else {
            return;
        };
        change.media = true;
        change.tracks.extend(media.agree(&local.outline, remote, we_answer, is_final));
    }

    fn roll_back_media(&mut self) -> Vec<TrackChange> {
        self.media.as_mut().map(|media| media.roll_back()).unwrap_or_default()
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

    /// Both sides of a section that is in use are known: tell the transport what is new to it.
    fn connect(&mut self, remote: &RemoteTransport, dtls_role: DtlsRole, offerer: bool, change: &mut Change) {
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
            data: self.pending_remote.as_ref().and_then(|remote| remote.data.as_ref()).map(|data| {
                DataParameters {
                    remote_sctp_port: data.sctp_port,
                    remote_max_message_size: data.max_message_size,
                    remote_max_packet: data.max_packet,
                    remote_sctp_init: self.agreed_init(data),
                    legacy: data.legacy,
                }
            }),
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
    fn complete(&mut self, slots: Vec<Slot>, change: &mut Change) {
        let offered = self.pending_local.as_ref().is_some_and(|local| local.data().is_some());
        let had_data = offered || self.slots.iter().any(|slot| slot.data);
        self.slots = slots;
        let has_data = self.slots.iter().any(|slot| slot.data);
        let data = self.pending_remote.as_ref().and_then(|remote| remote.data.as_ref());
        let init = data.map(|data| self.agreed_init(data).is_some());
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
        if !has_data && had_data {
            // The channels die with their section; only a new one asks for another section.
            self.channel_created = false;
            self.init_agreed = None;
            change.data_section_removed = true;
        }
        if !self.slots.iter().any(Slot::is_used) && self.gathering.is_some() {
            self.drop_transport(change);
        }
        if let Some(media) = &mut self.media {
            change.tracks.extend(media.complete(&self.slots));
        }
        // W3C 4.4.1.5: the wish for a restart is fulfilled when the old credentials are gone.
        let still_there = |(ufrag, pwd): &(String, String)| {
            let transport = self.current_local.as_ref().and_then(|local| local.outline.transport.as_ref());
            transport.is_some_and(|transport| transport.ufrag == *ufrag && transport.pwd == *pwd)
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
        *change = Change {
            rolled_back: change.rolled_back,
            data_section_removed: true,
            transport_removed: true,
            media: change.media,
            tracks: std::mem::take(&mut change.tracks),
            ..Change::default()
        };
    }

    /// The pending local offer is withdrawn. What was created from it stays valid, to be set again.
    fn roll_back_local(&mut self) -> Change {
        let mut change = Change { rolled_back: true, tracks: self.roll_back_media(), ..Change::default() };
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
}
