//! The peer's descriptions: what they say about the data section.

use super::types::{DtlsRole, IceParameters, SdpType};
use crate::error::{Error, ErrorKind};
use crate::sdp::{
    Candidate, Description, Fingerprint, Located, MediaSection, TransportAttributes, excerpt, is_ice_char,
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
    /// The data section that we use, if the description has one.
    pub(super) data: Option<RemoteData>,
}

/// What the peer says about the data section, with everything that it inherits.
#[derive(Clone, Debug)]
pub(super) struct RemoteData {
    pub(super) index: usize,
    pub(super) ice: IceParameters,
    pub(super) fingerprints: Vec<Fingerprint>,
    pub(super) setup: Setup,
    pub(super) sctp_port: u16,
    pub(super) max_message_size: u64,
    pub(super) max_packet: Option<u32>,
    pub(super) legacy: bool,
    /// Of this generation, in the order of arrival, each once.
    pub(super) candidates: Vec<Candidate>,
    pub(super) end_of_candidates: bool,
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
    /// settled already; otherwise the first suitable section is taken.
    pub(super) fn parse(kind: SdpType, text: &str, data: Option<usize>) -> Result<Self, Error> {
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
        let data = index.map(|index| RemoteData::new(&description, index)).transpose()?;
        if kind == SdpType::Offer && data.is_none() {
            check_rtcp_mux(&description)?;
        }
        Ok(Self { kind, description, data })
    }

    /// Username fragment of a section, its own or inherited.
    pub(super) fn ufrag_of(&self, index: usize) -> Option<&str> {
        let own =
            self.description.media.get(index)?.transport.ufrag.as_ref().map(|ufrag| ufrag.value.as_str());
        let of_data =
            || self.data.as_ref().filter(|_| self.feeds_data(index)).map(|data| data.ice.ufrag.as_str());
        let of_session = || self.description.transport.ufrag.as_ref().map(|ufrag| ufrag.value.as_str());
        own.or_else(of_data).or_else(of_session)
    }

    /// Whether the candidates of a section are candidates of the data section: it is that section, or they are
    /// bundled and have the same credentials.
    pub(super) fn feeds_data(&self, index: usize) -> bool {
        let Some(data) = &self.data else { return false };
        index == data.index || feeds(&self.description, data.index, &data.ice.ufrag, index)
    }
}

/// Whether section `index` is bundled with section `data` and has the credentials `ufrag`, or none of its own.
fn feeds(description: &Description, data: usize, ufrag: &str, index: usize) -> bool {
    let (Some(data), Some(other)) = (description.media.get(data), description.media.get(index)) else {
        return false;
    };
    let (Some(data), Some(mid)) = (&data.mid, &other.mid) else { return false };
    let bundled = description.bundle_of(data).is_some_and(|group| group.mids.contains(mid));
    bundled && other.transport.ufrag.as_ref().is_none_or(|own| own.value == ufrag)
}

impl RemoteData {
    fn new(description: &Description, index: usize) -> Result<Self, Error> {
        let section = &description.media[index];
        // A bundled section may leave its transport to the first one of the group (RFC 9143, section 7.1.3).
        let tag = section.mid.as_deref().and_then(|mid| description.bundle_of(mid)).and_then(|group| {
            let sections = group.mids.iter().filter_map(|mid| description.index_of(mid));
            sections.map(|tag| &description.media[tag]).find(|tag| tag.transport.ufrag.is_some())
        });
        let levels: Vec<&TransportAttributes> = std::iter::once(&section.transport)
            .chain(tag.map(|tag| &tag.transport))
            .chain(std::iter::once(&description.transport))
            .collect();
        let missing = |what: &str| invalid(section.line, &format!("the data section has no a={what}"));

        let ufrag =
            levels.iter().find_map(|level| level.ufrag.as_ref()).ok_or_else(|| missing("ice-ufrag"))?;
        let pwd = levels.iter().find_map(|level| level.pwd.as_ref()).ok_or_else(|| missing("ice-pwd"))?;
        check_length(ufrag, "ice-ufrag", 4)?;
        check_length(pwd, "ice-pwd", 22)?;
        let setup = levels.iter().find_map(|level| level.setup.as_ref()).ok_or_else(|| missing("setup"))?;
        let fingerprints = levels.iter().map(|level| &level.fingerprints).find(|list| !list.is_empty());
        let fingerprints = fingerprints.ok_or_else(|| missing("fingerprint"))?;
        let legacy = section.is_legacy_data();
        let mut data = Self {
            index,
            ice: IceParameters {
                ufrag: ufrag.value.clone(),
                pwd: pwd.value.clone(),
                ice_lite: description.ice_lite,
            },
            fingerprints: fingerprints.iter().map(fingerprint).collect::<Result<_, _>>()?,
            setup: Setup::parse(setup)?,
            sctp_port: sctp_port(section, legacy)?,
            max_message_size: max_message_size(section)?,
            max_packet: section.max_packet,
            legacy,
            candidates: Vec::new(),
            end_of_candidates: section.end_of_candidates,
        };
        data.collect_candidates(description);
        Ok(data)
    }

    /// Takes the candidates of this section and of those that are bundled with it.
    fn collect_candidates(&mut self, description: &Description) {
        for (index, section) in description.media.iter().enumerate() {
            if index == self.index || feeds(description, self.index, &self.ice.ufrag, index) {
                self.end_of_candidates |= section.end_of_candidates;
                section.candidates.iter().for_each(|candidate| {
                    self.add_candidate(candidate);
                });
            }
        }
    }

    /// Adds a candidate; false if it is there already or of no use for data.
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

fn max_message_size(section: &MediaSection) -> Result<u64, Error> {
    let Some(size) = &section.max_message_size else { return Ok(DEFAULT_MAX_MESSAGE_SIZE) };
    if size.value.is_empty() || !size.value.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Error::syntax(size.line, format!("{:?} is no message size", excerpt(&size.value))));
    }
    // Digits only, so it can but be too large: more than anyone sends.
    Ok(size.value.parse().unwrap_or(u64::MAX))
}

/// RFC 8839, section 5.4. JSEP has all sections verified, also those that are going to be rejected.
fn check_ice_characters(transport: &TransportAttributes) -> Result<(), Error> {
    let values = [("ice-ufrag", &transport.ufrag), ("ice-pwd", &transport.pwd)];
    for (name, value) in values.into_iter().filter_map(|(name, value)| Some((name, value.as_ref()?))) {
        if value.value.is_empty() || !value.value.bytes().all(is_ice_char) {
            // The value is not quoted: it may be a password, and messages end up in logs.
            return Err(invalid(value.line, &format!("a={name} consists of letters, digits, + and / only")));
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
