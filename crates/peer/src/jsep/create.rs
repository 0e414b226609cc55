//! createOffer and createAnswer (RFC 9429, sections 5.2 and 5.3).

use std::collections::HashMap;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossa_sctp::InitChunk;

use super::layout::{Slot, unused_mid};
use super::local::{Draft, Generation, fill_candidates};
use super::media::{Numbers, TransceiverId};
use super::remote::{RemoteData, RemoteDescription, RemoteTransport};
use super::session::Session;
use super::types::{DtlsRole, IceParameters, SdpType, SignalingState};
use crate::error::{Error, ErrorKind};
use crate::sdp::{DataAttributes, Outline, OutlineContent, OutlineSection, OutlineTransport, RtpAttributes};

/// Streams that the old `a=sctpmap` announces; today SCTP negotiates them itself.
const LEGACY_STREAMS: u16 = 65_535;

/// A description in the making.
struct Plan {
    outline: Outline,
    /// Credentials of the transport, if there is one.
    ice: Option<IceParameters>,
    /// Of an offer: which transceiver has which section.
    places: Vec<(usize, TransceiverId)>,
    /// Of an offer: the numbers that are used in it.
    numbers: Numbers,
}

impl Session {
    /// `createOffer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` when closed, and while an offer of the peer is pending.
    pub fn create_offer(&mut self, ice_restart: bool, fresh: IceParameters) -> Result<String, Error> {
        if !matches!(self.state, SignalingState::Stable | SignalingState::HaveLocalOffer) {
            return Err(self.wrong_state("createOffer"));
        }
        let plan = self.plan_offer(ice_restart, &fresh);
        let draft = self.draft(plan, ice_restart);
        let text = draft.text.clone();
        self.last_offer = Some(Box::new(draft));
        Ok(text)
    }

    /// `createAnswer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` without a pending remote offer.
    pub fn create_answer(&mut self, fresh: IceParameters) -> Result<String, Error> {
        let Some(plan) = self.plan_answer(&fresh) else {
            return Err(self.wrong_state("createAnswer"));
        };
        let draft = self.draft(plan, false);
        let text = draft.text.clone();
        self.last_answer = Some(Box::new(draft));
        Ok(text)
    }

    /// Makes sure that the last created offer (or answer, or pranswer) fits the present state, and creates one
    /// if not. It is the first half of `setLocalDescription()` without a text; `set_local(kind, "")` is the other.
    ///
    /// # Errors
    /// As [`create_offer`](Self::create_offer) and [`create_answer`](Self::create_answer).
    pub fn ensure_created(&mut self, kind: SdpType, fresh: IceParameters) -> Result<(), Error> {
        match kind {
            SdpType::Offer => {
                let restart = self.last_offer.as_ref().is_some_and(|draft| draft.restart);
                let plan = self.plan_offer(restart, &fresh).outline;
                if self.last_offer.as_ref().is_none_or(|draft| !draft.says(&plan)) {
                    self.create_offer(restart, fresh)?;
                }
            }
            SdpType::Answer | SdpType::Pranswer => {
                let plan = self.plan_answer(&fresh).map(|plan| plan.outline);
                let fits = self.last_answer.as_ref().zip(plan).is_some_and(|(draft, plan)| draft.says(&plan));
                if !fits {
                    self.create_answer(fresh)?;
                }
            }
            SdpType::Rollback => {}
        }
        Ok(())
    }

    /// Kind of description that `setLocalDescription()` without an argument sets in the present state.
    pub fn implicit_kind(&self) -> SdpType {
        match self.state {
            SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer => SdpType::Answer,
            _ => SdpType::Offer,
        }
    }

    /// Gives an outline its version and its candidates.
    fn draft(&mut self, plan: Plan, restart: bool) -> Draft {
        let Plan { mut outline, ice, places, numbers } = plan;
        fill_candidates(&mut outline, self.current_ice.iter().chain(self.pending_ice.iter()));
        // The version counts the differences (RFC 9429, section 5.2.2), so that an unchanged offer stays the same.
        outline.version = match &self.last_outline {
            Some(last) => {
                outline.version = last.version;
                if *last == outline { last.version } else { last.version + 1 }
            }
            None => 1,
        };
        self.last_outline = Some(outline.clone());
        self.spare = ice.clone().filter(|ice| !self.is_in_use(ice));
        Draft { text: outline.text(), outline, ice, restart, places, numbers }
    }

    fn is_in_use(&self, ice: &IceParameters) -> bool {
        self.generations().any(|generation| generation.ice == *ice)
    }

    /// New credentials: those of the last created description if it was never set, else `fresh`.
    fn new_ice(&self, fresh: &IceParameters) -> IceParameters {
        self.spare.clone().unwrap_or_else(|| fresh.clone())
    }

    fn plan_offer(&self, ice_restart: bool, fresh: &IceParameters) -> Plan {
        let mut slots = self.slots.clone();
        let mut numbers = self.media.as_ref().map(|media| media.numbers.clone()).unwrap_or_default();
        let places = self.media.as_ref().map(|media| media.place(&mut slots, self.next_mid));
        let places = places.unwrap_or_default();
        let needed = self.channel_created || self.config.always_negotiate;
        if needed && !slots.iter().any(|slot| slot.data) {
            self.place_data(&mut slots);
        }
        let by_index: HashMap<usize, TransceiverId> = places.iter().copied().collect();
        let mut sections: Vec<OutlineSection> = Vec::with_capacity(slots.len());
        for (index, slot) in slots.iter().enumerate() {
            let media = self.media.as_ref().zip(by_index.get(&index));
            let rtp = media.and_then(|(media, id)| media.offered(*id, &mut numbers));
            sections.push(self.offered_section(slot, rtp));
        }
        let anchored = |section: &OutlineSection| section.data().is_some() || section.rtp().is_some();
        if !sections.iter().any(anchored) {
            // Nothing that a transport would be for.
            sections.iter_mut().for_each(|section| section.content = None);
        }
        for section in sections.iter_mut().filter(|section| section.content.is_some()) {
            section.setup = Some("actpass");
        }
        let base = self.pending_ice.as_ref().or(self.current_ice.as_ref()).map(|generation| &generation.ice);
        let in_use = sections.iter().any(|section| section.content.is_some());
        let ice = in_use.then(|| match base {
            Some(base) if !ice_restart && !self.is_to_be_replaced(base) => base.clone(),
            _ => self.new_ice(fresh),
        });
        let used = sections.iter().filter(|section| section.content.is_some());
        let outline = Outline {
            session_id: self.config.session_id,
            version: 0,
            trickle: true,
            ice_lite: fresh.ice_lite,
            bundle: used.filter_map(|section| section.mid.clone()).collect(),
            transport: ice.as_ref().map(|ice| self.transport_attributes(ice)),
            sections,
        };
        Plan { outline, ice, places, numbers }
    }

    /// What is offered for a slot, with what was found for its transceiver, if it has one.
    fn offered_section(&self, slot: &Slot, rtp: Option<(Vec<String>, RtpAttributes)>) -> OutlineSection {
        let (formats, content) = match rtp {
            Some((formats, rtp)) => (formats, Some(OutlineContent::Rtp(Box::new(rtp)))),
            None if slot.data => {
                let formats = match slot.legacy {
                    true => vec![self.config.sctp_port.to_string()],
                    false => slot.formats.clone(),
                };
                let data = self.data_attributes(slot.legacy, !slot.legacy);
                (formats, Some(OutlineContent::Data(data)))
            }
            None => (slot.formats.clone(), slot.inactive.clone().map(OutlineContent::Inactive)),
        };
        OutlineSection {
            kind: slot.kind.clone(),
            proto: slot.proto.clone(),
            formats,
            mid: slot.mid.clone(),
            setup: None,
            content,
        }
    }

    fn is_to_be_replaced(&self, ice: &IceParameters) -> bool {
        self.to_replace.iter().any(|(ufrag, pwd)| *ufrag == ice.ufrag && *pwd == ice.pwd)
    }

    /// Finds a place for a data section: a rejected data section is recycled under a new mid, else a section is
    /// added at the end. Rejected sections of other kinds stay as they are, which all stacks understand.
    fn place_data(&self, slots: &mut Vec<Slot>) {
        let mid = unused_mid(slots, self.next_mid);
        let slot = Slot {
            kind: "application".to_owned(),
            proto: "UDP/DTLS/SCTP".to_owned(),
            formats: vec!["webrtc-datachannel".to_owned()],
            mid: Some(mid),
            data: true,
            rtp: false,
            inactive: None,
            data_like: true,
            legacy: false,
        };
        match slots.iter_mut().find(|slot| slot.data_like) {
            Some(recycled) => *recycled = slot,
            None => slots.push(slot),
        }
    }

    fn transport_attributes(&self, ice: &IceParameters) -> OutlineTransport {
        OutlineTransport {
            ufrag: ice.ufrag.clone(),
            pwd: ice.pwd.clone(),
            fingerprints: self.config.fingerprints.clone(),
            candidates: Vec::new(),
            end_of_candidates: false,
        }
    }

    /// `init`: the peer may know the INIT that stands in a description.
    fn data_attributes(&self, legacy: bool, init: bool) -> DataAttributes {
        let init = self.config.sctp_init.filter(|_| init && self.init_agreed != Some(false));
        DataAttributes {
            sctp_port: self.config.sctp_port,
            max_message_size: self.config.max_message_size,
            sctp_init: init.map(|init| STANDARD.encode(init.to_bytes())),
            legacy_streams: legacy.then_some(LEGACY_STREAMS),
        }
    }

    /// The peer's INIT. Some stacks put what they do not know into their own descriptions: ours, as it comes back, is none of
    /// theirs.
    pub(super) fn trusted_init(&self, data: &RemoteData) -> Option<InitChunk> {
        let ours = self.config.sctp_init?;
        data.sctp_init.filter(|theirs| theirs.tag() != ours.tag())
    }

    fn plan_answer(&self, fresh: &IceParameters) -> Option<Plan> {
        if !matches!(self.state, SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer) {
            return None;
        }
        let offer = self.pending_remote.as_ref()?;
        let mut sections: Vec<OutlineSection> = (0..offer.description.media.len())
            .map(|index| self.answered_section(offer, index).unwrap_or_else(|| rejected(offer, index)))
            .collect();
        if sections.iter().all(|section| section.data().is_none() && section.rtp().is_none()) {
            // Nothing that a transport would be for.
            sections = (0..sections.len()).map(|index| rejected(offer, index)).collect();
        }
        let in_use = sections.iter().any(|section| section.content.is_some());
        let transport = offer.transport.as_ref().filter(|_| in_use);
        let ice = transport.map(|transport| self.answer_ice(transport, fresh));
        let outline = Outline {
            session_id: self.config.session_id,
            version: 0,
            trickle: true,
            ice_lite: fresh.ice_lite,
            bundle: offer.answer_bundle(&sections),
            transport: ice.as_ref().map(|ice| self.transport_attributes(ice)),
            sections,
        };
        Some(Plan { outline, ice, places: Vec::new(), numbers: Numbers::default() })
    }

    /// The present credentials, unless the peer restarts ICE (RFC 8839, section 4.4.1.1.1).
    fn answer_ice(&self, remote: &RemoteTransport, fresh: &IceParameters) -> IceParameters {
        // A pranswer to this very offer has settled it.
        if let Some(pending) = &self.pending_ice {
            return pending.ice.clone();
        }
        let goes_on = self.applied.as_ref().is_none_or(|applied| applied.remote_ice == remote.ice);
        match &self.current_ice {
            Some(Generation { ice, .. }) if goes_on => ice.clone(),
            _ => self.new_ice(fresh),
        }
    }

    /// Our side of a section that is accepted, or kept in the group without use.
    fn answered_section(&self, offer: &RemoteDescription, index: usize) -> Option<OutlineSection> {
        let section = offer.description.media.get(index)?;
        let transport = offer.transport.as_ref()?;
        let (formats, content) = if let Some(data) = offer.data.as_ref().filter(|data| data.index == index) {
            let formats = match data.legacy {
                true => vec![self.config.sctp_port.to_string()],
                false => section.formats.clone(),
            };
            let data = self.data_attributes(data.legacy, self.trusted_init(data).is_some());
            (formats, OutlineContent::Data(data))
        } else if let Some(offered) = offer.rtp(index) {
            let (formats, rtp) = self.media.as_ref()?.answered(index, section, offered)?;
            (formats, OutlineContent::Rtp(Box::new(rtp)))
        } else {
            let (format, media) = offer.kept(index)?;
            (vec![format.clone()], OutlineContent::Inactive(media.clone()))
        };
        Some(OutlineSection {
            kind: section.kind.clone(),
            proto: section.proto.clone(),
            formats,
            mid: section.mid.clone(),
            setup: Some(self.setup(transport)),
            content: Some(content),
        })
    }

    fn setup(&self, remote: &RemoteTransport) -> &'static str {
        match remote.setup.our_role().unwrap_or_else(|| self.preferred_role(remote)) {
            DtlsRole::Client => "active",
            DtlsRole::Server => "passive",
        }
    }

    /// RFC 8842, section 5.3: a DTLS association that goes on keeps its roles; otherwise the answerer is active.
    fn preferred_role(&self, remote: &RemoteTransport) -> DtlsRole {
        let same_peer =
            self.applied.as_ref().filter(|applied| applied.remote_fingerprints == remote.fingerprints);
        same_peer.map_or(DtlsRole::Client, |applied| applied.dtls_role)
    }

    /// The error of setting an empty description when none was created.
    pub(super) fn nothing_created(kind: SdpType) -> Error {
        let message = format!("no {} was created that could be set", kind.as_str());
        Error::new(ErrorKind::InvalidModification, message)
    }
}

/// A section that we do not want: port 0, the rest of the line as offered (RFC 9429, section 5.3.1). `a=setup`
/// is answered all the same, as browsers do.
fn rejected(offer: &RemoteDescription, index: usize) -> OutlineSection {
    let section = &offer.description.media[index];
    let offered = section.transport.setup.as_ref().map(|setup| setup.value.to_ascii_lowercase());
    OutlineSection {
        kind: section.kind.clone(),
        proto: section.proto.clone(),
        formats: section.formats.clone(),
        mid: section.mid.clone(),
        setup: match offered.as_deref() {
            Some("active") => Some("passive"),
            Some("passive" | "actpass") => Some("active"),
            _ => None,
        },
        content: None,
    }
}
