//! createOffer and createAnswer (RFC 9429, sections 5.2 and 5.3).

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossa_sctp::InitChunk;

use super::layout::{Slot, unused_mid};
use super::local::{Draft, Generation, fill_candidates};
use super::remote::RemoteData;
use super::session::Session;
use super::types::{DtlsRole, IceParameters, SdpType, SignalingState};
use crate::error::{Error, ErrorKind};
use crate::sdp::{DataAttributes, InactiveMedia, MediaSection, Outline, OutlineSection};

/// Streams that the old `a=sctpmap` announces; today SCTP negotiates them itself.
const LEGACY_STREAMS: u16 = 65_535;

impl Session {
    /// `createOffer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` when closed, and while an offer of the peer is pending.
    pub fn create_offer(&mut self, ice_restart: bool, fresh: IceParameters) -> Result<String, Error> {
        if !matches!(self.state, SignalingState::Stable | SignalingState::HaveLocalOffer) {
            return Err(self.wrong_state("createOffer"));
        }
        let (outline, ice) = self.plan_offer(ice_restart, &fresh);
        let draft = self.draft(outline, ice, ice_restart);
        let text = draft.text.clone();
        self.last_offer = Some(draft);
        Ok(text)
    }

    /// `createAnswer()`. `fresh` is used if new credentials are needed.
    ///
    /// # Errors
    /// `InvalidStateError` without a pending remote offer.
    pub fn create_answer(&mut self, fresh: IceParameters) -> Result<String, Error> {
        let Some((outline, ice)) = self.plan_answer(&fresh) else {
            return Err(self.wrong_state("createAnswer"));
        };
        let draft = self.draft(outline, ice, false);
        let text = draft.text.clone();
        self.last_answer = Some(draft);
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
                let plan = self.plan_offer(restart, &fresh).0;
                if self.last_offer.as_ref().is_none_or(|draft| !draft.says(&plan)) {
                    self.create_offer(restart, fresh)?;
                }
            }
            SdpType::Answer | SdpType::Pranswer => {
                let plan = self.plan_answer(&fresh).map(|plan| plan.0);
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
    fn draft(&mut self, mut outline: Outline, ice: Option<IceParameters>, restart: bool) -> Draft {
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
        Draft { text: outline.text(), outline, ice, restart }
    }

    fn is_in_use(&self, ice: &IceParameters) -> bool {
        self.generations().any(|generation| generation.ice == *ice)
    }

    /// New credentials: those of the last created description if it was never set, else `fresh`.
    fn new_ice(&self, fresh: &IceParameters) -> IceParameters {
        self.spare.clone().unwrap_or_else(|| fresh.clone())
    }

    fn plan_offer(&self, ice_restart: bool, fresh: &IceParameters) -> (Outline, Option<IceParameters>) {
        let mut slots = self.slots.clone();
        let needed = self.channel_created || self.config.always_negotiate;
        if needed && !slots.iter().any(|slot| slot.data) {
            self.place_data(&mut slots);
        }
        let data = slots.iter().any(|slot| slot.data);
        let base = self.pending_ice.as_ref().or(self.current_ice.as_ref()).map(|generation| &generation.ice);
        let ice = data.then(|| match base {
            Some(base) if !ice_restart && !self.is_to_be_replaced(base) => base.clone(),
            _ => self.new_ice(fresh),
        });
        let in_group = |slot: &Slot| data && (slot.data || slot.inactive.is_some());
        let sections = slots.iter().map(|slot| OutlineSection {
            kind: slot.kind.clone(),
            proto: slot.proto.clone(),
            formats: match slot.data && slot.legacy {
                true => vec![self.config.sctp_port.to_string()],
                false => slot.formats.clone(),
            },
            mid: slot.mid.clone(),
            setup: in_group(slot).then_some("actpass"),
            data: ice
                .as_ref()
                .filter(|_| slot.data)
                .map(|ice| self.data_attributes(ice, slot.legacy, !slot.legacy)),
            inactive: slot.inactive.clone().filter(|_| data),
        });
        let outline = Outline {
            session_id: self.config.session_id,
            version: 0,
            trickle: true,
            ice_lite: fresh.ice_lite,
            bundle: slots.iter().filter(|slot| in_group(slot)).filter_map(|slot| slot.mid.clone()).collect(),
            sections: sections.collect(),
        };
        (outline, ice)
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
            inactive: None,
            data_like: true,
            legacy: false,
        };
        match slots.iter_mut().find(|slot| slot.data_like) {
            Some(recycled) => *recycled = slot,
            None => slots.push(slot),
        }
    }

    /// `init`: the peer may know the INIT that stands in a description.
    fn data_attributes(&self, ice: &IceParameters, legacy: bool, init: bool) -> DataAttributes {
        let init = self.config.sctp_init.filter(|_| init && self.init_agreed != Some(false));
        DataAttributes {
            ufrag: ice.ufrag.clone(),
            pwd: ice.pwd.clone(),
            fingerprints: self.config.fingerprints.clone(),
            sctp_port: self.config.sctp_port,
            max_message_size: self.config.max_message_size,
            sctp_init: init.map(|init| STANDARD.encode(init.to_bytes())),
            legacy_streams: legacy.then_some(LEGACY_STREAMS),
            candidates: Vec::new(),
            end_of_candidates: false,
        }
    }

    /// The peer's INIT. Some stacks put what they do not know into their own descriptions: ours, as it comes back, is none of
    /// theirs.
    pub(super) fn trusted_init(&self, data: &RemoteData) -> Option<InitChunk> {
        let ours = self.config.sctp_init?;
        data.sctp_init.filter(|theirs| theirs.tag() != ours.tag())
    }

    fn plan_answer(&self, fresh: &IceParameters) -> Option<(Outline, Option<IceParameters>)> {
        if !matches!(self.state, SignalingState::HaveRemoteOffer | SignalingState::HaveLocalPranswer) {
            return None;
        }
        let offer = self.pending_remote.as_ref()?;
        let ice = offer.data.as_ref().map(|data| self.answer_ice(data, fresh));
        let sections =
            offer.description.media.iter().enumerate().map(|(index, section)| match (&ice, &offer.data) {
                (Some(ice), Some(data)) if data.index == index => self.accepted(section, data, ice),
                (_, Some(data)) => match offer.kept(index) {
                    Some(kept) => self.kept(section, kept, data),
                    None => rejected(section),
                },
                _ => rejected(section),
            });
        let outline = Outline {
            session_id: self.config.session_id,
            version: 0,
            trickle: true,
            ice_lite: fresh.ice_lite,
            bundle: offer.answer_bundle(),
            sections: sections.collect(),
        };
        Some((outline, ice))
    }

    /// The present credentials, unless the peer restarts ICE (RFC 8839, section 4.4.1.1.1).
    fn answer_ice(&self, data: &RemoteData, fresh: &IceParameters) -> IceParameters {
        // A pranswer to this very offer has settled it.
        if let Some(pending) = &self.pending_ice {
            return pending.ice.clone();
        }
        let goes_on = self.applied.as_ref().is_none_or(|applied| applied.remote_ice == data.ice);
        match &self.current_ice {
            Some(Generation { ice, .. }) if goes_on => ice.clone(),
            _ => self.new_ice(fresh),
        }
    }

    fn accepted(&self, section: &MediaSection, data: &RemoteData, ice: &IceParameters) -> OutlineSection {
        OutlineSection {
            kind: section.kind.clone(),
            proto: section.proto.clone(),
            formats: match data.legacy {
                true => vec![self.config.sctp_port.to_string()],
                false => section.formats.clone(),
            },
            mid: section.mid.clone(),
            setup: Some(self.setup(data)),
            data: Some(self.data_attributes(ice, data.legacy, self.trusted_init(data).is_some())),
            inactive: None,
        }
    }

    /// A section for RTP that shares the transport of the data section, and nothing is sent in.
    fn kept(
        &self,
        section: &MediaSection,
        (format, media): &(String, InactiveMedia),
        data: &RemoteData,
    ) -> OutlineSection {
        OutlineSection {
            kind: section.kind.clone(),
            proto: section.proto.clone(),
            formats: vec![format.clone()],
            mid: section.mid.clone(),
            setup: Some(self.setup(data)),
            data: None,
            inactive: Some(media.clone()),
        }
    }

    fn setup(&self, data: &RemoteData) -> &'static str {
        match data.setup.our_role().unwrap_or_else(|| self.preferred_role(data)) {
            DtlsRole::Client => "active",
            DtlsRole::Server => "passive",
        }
    }

    /// RFC 8842, section 5.3: a DTLS association that goes on keeps its roles; otherwise the answerer is active.
    fn preferred_role(&self, data: &RemoteData) -> DtlsRole {
        let same_peer =
            self.applied.as_ref().filter(|applied| applied.remote_fingerprints == data.fingerprints);
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
fn rejected(section: &MediaSection) -> OutlineSection {
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
        data: None,
        inactive: None,
    }
}
