//! The peer's descriptions: what they say about the transport and the sections that share it.

use std::collections::{HashMap, HashSet};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use ossa_sctp::InitChunk;

use super::media::Media;
use super::types::{DtlsRole, IceParameters, SdpType};
use crate::error::{Error, ErrorKind};
use crate::sdp::{
    Candidate, Description, Fingerprint, InactiveMedia, Located, MediaSection, OutlineSection, RtpAttributes,
    TransportAttributes, excerpt, is_ice_char,
};

/// SCTP port when the description does not say (RFC 8841, section 5.2).
const DEFAULT_SCTP_PORT: u16 = 5000;
/// Longest message, in bytes, when the description does not say (RFC 8841, section 6.1).
const DEFAULT_MAX_MESSAGE_SIZE: u64 = 65_536;

/// A remote description that is in force or pending.
#[derive(Clone, Debug)]
pub(super) struct RemoteDescription {
    pub(super) kind: SdpType,
    pub(super) description: Description,
    /// The transport of all sections that we use, if there are any.
    pub(super) transport: Option<RemoteTransport>,
    /// The data section that we use, if the description has one.
    pub(super) data: Option<RemoteData>,
    /// For each section what it says about audio or video, if we use it for that. Empty if we have neither.
    rtp: Vec<Option<RtpAttributes>>,
    /// The sections of the BUNDLE group that we use, each once, in the order of the group.
    bundle: Vec<usize>,
    /// For each section: its first codec, if it is for RTP and stays, without use, in the group.
    ///
    /// RFC 9143, section 7.3.3: the first section of a group can't be rejected while others of the group are kept, and an open
    /// channel must not die when its page adds a camera. So what could share the transport stays until it is withdrawn.
    kept: Vec<Option<(String, InactiveMedia)>>,
}

/// What the peer says about the transport, with everything that the sections inherit.
#[derive(Clone, Debug)]
pub(super) struct RemoteTransport {
    /// The section that says in which group we are: the data section, or else the first for RTP.
    pub(super) anchor: usize,
    pub(super) ice: IceParameters,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    /// Of this generation, in the order of arrival, each once.
    pub(super) candidates: Vec<Candidate>,
    pub(super) end_of_candidates: bool,
}

/// What the peer says about the data section.
#[derive(Clone, Debug)]
pub(super) struct RemoteData {
    pub(super) index: usize,
    pub(super) sctp_port: u16,
    pub(super) max_message_size: u64,
    pub(super) max_packet: Option<u32>,
    pub(super) sctp_init: Option<InitChunk>,
    pub(super) legacy: bool,
}

/// `a=setup` (RFC 4145, section 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Setup {
    ActPass,
    Active,
    Passive,
}

impl Setup {
    fn parse(value: &Located<String>) -> Result<Self, Error> {
        match value.value.to_ascii_lowercase().as_str() {
            "actpass" => Ok(Self::ActPass),
            "active" => Ok(Self::Active),
            "passive" => Ok(Self::Passive),
            "holdconn" => Err(invalid(value.line, "a=setup:holdconn is not allowed for DTLS (RFC 8842)")),
            other => Err(Error::syntax(
                value.line,
                format!("a=setup is actpass, active or passive, not {other:?}"),
            )),
        }
    }

    /// Our role if the peer has this one; `None` leaves the choice to us.
    pub(super) fn our_role(self) -> Option<DtlsRole> {
        match self {
            Self::ActPass => None,
            Self::Active => Some(DtlsRole::Server),
            Self::Passive => Some(DtlsRole::Client),
        }
    }
}

impl RemoteDescription {
    /// Parses a description and checks what we depend on. `data` is the index of the data section if that is
    /// settled already; otherwise the first suitable section is taken. `media` has the codecs, if there are any.
    pub(super) fn parse(
        kind: SdpType,
        text: &str,
        data: Option<usize>,
        media: Option<&Media>,
    ) -> Result<Self, Error> {
        let description = Description::parse(text)?;
        check_ice_characters(&description.transport)?;
        for section in description.media.iter().filter(|section| section.is_active()) {
            check_ice_characters(&section.transport)?;
        }
        let usable = |index: &usize| {
            let section = &description.media[*index];
            section.is_data() && section.is_active()
        };
        let index = match data {
            Some(index) => Some(index).filter(|index| *index < description.media.len()).filter(usable),
            None => (0..description.media.len()).find(usable),
        };
        let rtp = media.map(|media| usable_rtp(&description, media)).transpose()?.unwrap_or_default();
        let leads = |rtp: &Option<RtpAttributes>| rtp.as_ref().is_some_and(|rtp| rtp.rtcp_mux);
        let anchor = index.or_else(|| rtp.iter().position(leads));
        let bundle = anchor.map(|anchor| bundle_of(&description, anchor)).unwrap_or_default();
        let mut remote =
            Self { kind, description, transport: None, data: None, rtp, bundle, kept: Vec::new() };
        remote.choose(anchor, media.is_some());
        if let Some(anchor) = anchor {
            let mut transport = RemoteTransport::new(&remote, anchor)?;
            transport.collect_candidates(&remote);
            remote.transport = Some(transport);
        }
        remote.data = index.map(|index| RemoteData::new(&remote.description, index)).transpose()?;
        if kind == SdpType::Offer && remote.data.is_none() {
            check_rtcp_mux(&remote.description)?;
        }
        Ok(remote)
    }

    /// Of the sections for RTP those that share the transport are used; of the rest some are kept.
    fn choose(&mut self, anchor: Option<usize>, with_media: bool) {
        // Bundled sections may leave it to the first one that RTCP shares their transport.
        let first = self.bundle.first().is_some_and(|first| self.description.media[*first].rtcp_mux);
        let bundled: HashSet<usize> = self.bundle.iter().copied().collect();
        for (index, place) in self.rtp.iter_mut().enumerate() {
            let shares = anchor == Some(index) || bundled.contains(&index);
            *place = place.take().filter(|rtp| shares && (rtp.rtcp_mux || first));
        }
        let kept = (0..self.description.media.len()).map(|section| {
            let other = bundled.contains(&section) && Some(section) != anchor && self.rtp(section).is_none();
            // Who has codecs rejects what has none in common, unless the group stands and falls with it.
            let stays = other && (!with_media || self.bundle.first() == Some(&section));
            stays.then(|| kept(&self.description, &self.bundle, section)).flatten()
        });
        self.kept = kept.collect();
    }

    /// What a section says about audio or video, if we use it for that.
    pub(super) fn rtp(&self, index: usize) -> Option<&RtpAttributes> {
        self.rtp.get(index)?.as_ref()
    }

    /// The first section of the group that is in use: it carries the transport.
    fn carrier(&self, anchor: usize) -> usize {
        let used =
            |index: &usize| *index == anchor || self.rtp(*index).is_some() || self.kept(*index).is_some();
        self.bundle.iter().copied().find(used).unwrap_or(anchor)
    }

    /// Username fragment of a section, its own or inherited.
    pub(super) fn ufrag_of(&self, index: usize) -> Option<&str> {
        let own =
            self.description.media.get(index)?.transport.ufrag.as_ref().map(|ufrag| ufrag.value.as_str());
        let shared = || {
            let transport = self.transport.as_ref().filter(|_| self.feeds_transport(index));
            transport.map(|transport| transport.ice.ufrag.as_str())
        };
        let of_session = || self.description.transport.ufrag.as_ref().map(|ufrag| ufrag.value.as_str());
        own.or_else(shared).or_else(of_session)
    }

    /// Whether the candidates of a section are candidates of the transport in use: the section is bundled, or the only one, and
    /// has the credentials of it.
    pub(super) fn feeds_transport(&self, index: usize) -> bool {
        self.transport.as_ref().is_some_and(|transport| self.feeds(transport, index))
    }

    fn feeds(&self, transport: &RemoteTransport, index: usize) -> bool {
        let Some(section) = self.description.media.get(index) else { return false };
        let same = section.transport.ufrag.as_ref().is_none_or(|own| own.value == transport.ice.ufrag);
        same && (index == transport.anchor || self.bundle.contains(&index))
    }

    /// Format and description of a section for RTP that stays, without use, in the group.
    pub(super) fn kept(&self, index: usize) -> Option<&(String, InactiveMedia)> {
        self.kept.get(index)?.as_ref()
    }

    /// Mids of the answer's group: what is both offered in a group and accepted (RFC 9143, section 7.3).
    pub(super) fn answer_bundle(&self, answer: &[OutlineSection]) -> Vec<String> {
        let accepted = |index: &&usize| answer.get(**index).is_some_and(|section| section.content.is_some());
        let in_use = self.bundle.iter().filter(accepted);
        in_use.filter_map(|index| self.description.media[*index].mid.clone()).collect()
    }

    /// Gives back room for more candidates and sections.
    pub(super) fn shrink(&mut self) {
        self.description.shrink();
        if let Some(transport) = &mut self.transport {
            transport.candidates.shrink_to_fit();
        }
        self.rtp.shrink_to_fit();
    }

    /// Whether a section is in the group, or there is none and it is the one that we use.
    pub(super) fn shares_transport(&self, index: usize) -> bool {
        self.bundle.contains(&index) || self.transport.as_ref().is_some_and(|t| t.anchor == index)
    }
}

/// What the sections say that have a codec that we have as well.
fn usable_rtp(description: &Description, media: &Media) -> Result<Vec<Option<RtpAttributes>>, Error> {
    let mut sections = description.rtp_sections()?;
    for (section, rtp) in description.media.iter().zip(&mut sections) {
        if rtp.is_some() {
            check_payload_types(section)?;
        }
        *rtp = rtp.take().filter(|rtp| media.has_common(section, rtp));
    }
    Ok(sections)
}

/// Packets of these payload types look like RTCP, which comes over the same transport (RFC 5761, section 4).
fn check_payload_types(section: &MediaSection) -> Result<(), Error> {
    let numbers = section.formats.iter().filter_map(|format| format.parse::<u8>().ok());
    match numbers.into_iter().find(|number| (64..96).contains(number)) {
        Some(number) => {
            let message = format!(
                "payload type {number} can't be told from RTCP: 64 to 95 are not for RTP with a=rtcp-mux"
            );
            Err(invalid(section.line, &message))
        }
        None => Ok(()),
    }
}

/// The sections of the BUNDLE group that section `anchor` is in, in the order of the group.
fn bundle_of(description: &Description, anchor: usize) -> Vec<usize> {
    let mid = description.media[anchor].mid.as_deref();
    let Some(group) = mid.and_then(|mid| description.bundle_of(mid)) else { return Vec::new() };
    let sections = description.media.iter().enumerate();
    let mut by_mid: HashMap<&str, usize> =
        sections.filter_map(|(index, section)| Some((section.mid.as_deref()?, index))).collect();
    group.mids.iter().filter_map(|mid| by_mid.remove(mid.as_str())).collect()
}

/// What stays of a bundled section.
fn kept(description: &Description, bundle: &[usize], index: usize) -> Option<(String, InactiveMedia)> {
    let section = &description.media[index];
    // Bundled sections may leave it to the first one.
    let rtcp_mux = section.rtcp_mux || bundle.first().is_some_and(|first| description.media[*first].rtcp_mux);
    let (format, codec) = section.codec().filter(|_| section.is_active() && rtcp_mux)?;
    Some((format.to_owned(), InactiveMedia { codec }))
}

impl RemoteTransport {
    /// That of the first section in use of the group is that of all (RFC 9143, section 7.1.3).
    fn new(remote: &RemoteDescription, anchor: usize) -> Result<Self, Error> {
        let description = &remote.description;
        let section = &description.media[anchor];
        let transport = |index: usize| &description.media[index].transport;
        // A section that we reject may still be the one that says it.
        let tag = remote.bundle.iter().map(|index| transport(*index)).find(|tag| tag.ufrag.is_some());
        let levels: Vec<&TransportAttributes> = [transport(remote.carrier(anchor)), transport(anchor)]
            .into_iter()
            .chain(tag)
            .chain(std::iter::once(&description.transport))
            .collect();
        let kind = if section.is_data() { "data" } else { &section.kind };
        let missing = |what: &str| invalid(section.line, &format!("the {kind} section has no a={what}"));

        let ufrag =
            levels.iter().find_map(|level| level.ufrag.as_ref()).ok_or_else(|| missing("ice-ufrag"))?;
        let pwd = levels.iter().find_map(|level| level.pwd.as_ref()).ok_or_else(|| missing("ice-pwd"))?;
        check_length(ufrag, "ice-ufrag", 4)?;
        check_length(pwd, "ice-pwd", 22)?;
        let setup = levels.iter().find_map(|level| level.setup.as_ref()).map(Setup::parse).transpose()?;
        // Who offers without it takes what the answer says, as browsers do; an answer has to decide (RFC 8842, section 5.3).
        let setup = setup.or((remote.kind == SdpType::Offer).then_some(Setup::ActPass));
        let setup = setup.ok_or_else(|| missing("setup"))?;
        let fingerprints = levels.iter().map(|level| &level.fingerprints).find(|list| !list.is_empty());
        let fingerprints = fingerprints.ok_or_else(|| missing("fingerprint"))?;
        Ok(Self {
            anchor,
            ice: IceParameters {
                ufrag: ufrag.value.clone(),
                pwd: pwd.value.clone(),
                ice_lite: description.ice_lite,
            },
            fingerprints: fingerprints.iter().map(fingerprint).collect::<Result<_, _>>()?,
            setup,
            candidates: Vec::new(),
            end_of_candidates: false,
        })
    }

    /// Takes the candidates of all sections that share it.
    fn collect_candidates(&mut self, remote: &RemoteDescription) {
        for (index, section) in remote.description.media.iter().enumerate() {
            if remote.feeds(self, index) {
                self.end_of_candidates |= section.end_of_candidates;
                section.candidates.iter().for_each(|candidate| {
                    self.add_candidate(candidate);
                });
            }
        }
    }

    /// Adds a candidate; false if it is there already or of no use.
    pub(super) fn add_candidate(&mut self, candidate: &Candidate) -> bool {
        let stale = candidate.ufrag.as_ref().is_some_and(|ufrag| *ufrag != self.ice.ufrag);
        // Component 2 is RTCP.
        if stale || candidate.component != 1 || self.candidates.contains(candidate) {
            return false;
        }
        self.candidates.push(candidate.clone());
        true
    }
}

impl RemoteData {
    fn new(description: &Description, index: usize) -> Result<Self, Error> {
        let section = &description.media[index];
        let legacy = section.is_legacy_data();
        Ok(Self {
            index,
            sctp_port: sctp_port(section, legacy)?,
            max_message_size: max_message_size(section)?,
            max_packet: section.max_packet,
            sctp_init: section.sctp_init.as_deref().filter(|_| !legacy).and_then(sctp_init),
            legacy,
        })
    }
}

fn fingerprint(value: &Located<String>) -> Result<Fingerprint, Error> {
    Fingerprint::parse(&value.value).map_err(|message| Error::syntax(value.line, message))
}

fn sctp_port(section: &MediaSection, legacy: bool) -> Result<u16, Error> {
    let (line, text) = match (&section.sctp_port, section.formats.first()) {
        (Some(port), _) => (port.line, port.value.as_str()),
        (None, Some(format)) if legacy => (section.line, format.as_str()),
        _ => return Ok(DEFAULT_SCTP_PORT),
    };
    match text.parse::<u16>() {
        Ok(0) => Err(invalid(line, "the SCTP port is 0")),
        Ok(port) => Ok(port),
        Err(_) => Err(Error::syntax(line, format!("{:?} is no SCTP port", excerpt(text)))),
    }
}

/// What can't be used is as if it were not there (draft-hancke-tsvwg-snap, "Answerer Processing of the SDP Offer").
fn sctp_init(text: &str) -> Option<InitChunk> {
    InitChunk::parse(&STANDARD.decode(text).ok()?)
}

fn max_message_size(section: &MediaSection) -> Result<u64, Error> {
    let Some(size) = &section.max_message_size else { return Ok(DEFAULT_MAX_MESSAGE_SIZE) };
    if size.value.is_empty() || !size.value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::syntax(size.line, format!("{:?} is no message size", excerpt(&size.value))));
    }
    // Digits only, so it can but be too large: more than anyone sends.
    Ok(size.value.parse().unwrap_or(u64::MAX))
}

/// RFC 8839, section 5.4, with the characters that browsers take as well. JSEP has all sections verified, also those that are
/// going to be rejected.
fn check_ice_characters(transport: &TransportAttributes) -> Result<(), Error> {
    let values = [("ice-ufrag", &transport.ufrag), ("ice-pwd", &transport.pwd)];
    for (name, value) in values.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        if value.value.is_empty() || !value.value.bytes().all(is_ice_char) {
            // The value is not quoted: it may be a password, and messages end up in logs.
            return Err(invalid(
                value.line,
                &format!("a={name} consists of letters, digits and + / = _ - # only"),
            ));
        }
    }
    Ok(())
}

fn check_length(value: &Located<String>, name: &str, min: usize) -> Result<(), Error> {
    match value.value.len() {
        len if (min..=256).contains(&len) => Ok(()),
        len => Err(invalid(value.line, &format!("a={name} has {min} to 256 characters, not {len}"))),
    }
}

/// `rtcpMuxPolicy` is `require`, the only policy that we have: RTP without `a=rtcp-mux` is invalid (RFC 9429,
/// section 5.8.2). Bundled sections may leave it to the first one of their group.
///
/// An offer with data is not held to it: its RTP sections are rejected anyway, and data must not suffer for them.
fn check_rtcp_mux(description: &Description) -> Result<(), Error> {
    let leads = |mid: &String| description.bundle_of(mid).is_none_or(|group| group.mids.first() == Some(mid));
    let bad = description.media.iter().find(|section| {
        section.is_active()
            && section.proto.contains("RTP/")
            && !section.rtcp_mux
            && section.mid.as_ref().is_none_or(leads)
    });
    match bad {
        Some(section) => {
            Err(invalid(section.line, "a section for RTP has no a=rtcp-mux, which rtcpMuxPolicy requires"))
        }
        None => Ok(()),
    }
}

/// The content of a description is invalid (W3C 4.4.1.5).
pub(super) fn invalid(line: u32, message: &str) -> Error {
    Error { kind: ErrorKind::InvalidAccess, message: message.to_owned(), sdp_line: Some(line) }
}
