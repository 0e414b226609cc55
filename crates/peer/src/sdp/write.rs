//! Writing our own descriptions.

use super::candidate::{Candidate, CandidateAddress, CandidateProtocol, CandidateType};
use super::fingerprint::Fingerprint;
use super::rtp::RtpAttributes;
use std::fmt::{self, Write as _};
use std::net::IpAddr;

/// A description that we are about to write. `Display` yields the text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outline {
    /// `<sess-id>` of the origin.
    pub session_id: u64,
    /// `<sess-version>` of the origin.
    pub version: u64,
    /// Write `a=ice-options:trickle`.
    pub trickle: bool,
    /// Write `a=ice-lite`.
    pub ice_lite: bool,
    /// Mids of the BUNDLE group; empty for no group.
    pub bundle: Vec<String>,
    /// What all sections in use share.
    pub transport: Option<OutlineTransport>,
    /// The sections in their order.
    pub sections: Vec<OutlineSection>,
}

/// A section of an [`Outline`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineSection {
    /// First word of the `m=` line.
    pub kind: String,
    /// Third word of the `m=` line.
    pub proto: String,
    /// The rest of the `m=` line.
    pub formats: Vec<String>,
    /// `a=mid`
    pub mid: Option<String>,
    /// `a=setup`
    pub setup: Option<&'static str>,
    /// What it is used for; `None` if it is rejected.
    pub content: Option<OutlineContent>,
}

/// What a section that is in use is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OutlineContent {
    /// Data channels.
    Data(DataAttributes),
    /// Audio or video.
    Rtp(Box<RtpAttributes>),
    /// A section for RTP that stays in the group of the others, whose transport it shares, and that nothing is sent in.
    Inactive(InactiveMedia),
}

/// The one transport of a description.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OutlineTransport {
    /// `a=ice-ufrag`
    pub ufrag: String,
    /// `a=ice-pwd`
    pub pwd: String,
    /// `a=fingerprint`
    pub fingerprints: Vec<Fingerprint>,
    /// `a=candidate` lines without the `a=`.
    pub candidates: Vec<String>,
    /// `a=end-of-candidates`
    pub end_of_candidates: bool,
}

/// What stands in a section for RTP that nothing is sent in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InactiveMedia {
    /// `a=rtpmap` and `a=fmtp` of its one format, without the `a=`.
    pub codec: Vec<String>,
}

/// What stands in a data section only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataAttributes {
    /// `a=sctp-port`, or the port of `a=sctpmap`.
    pub sctp_port: u16,
    /// `a=max-message-size`
    pub max_message_size: u64,
    /// `a=sctp-init`: our INIT chunk in Base64.
    pub sctp_init: Option<String>,
    /// Streams of `a=sctpmap`, for the old form.
    pub legacy_streams: Option<u16>,
}

/// Largest SCTP packet that we take, in bytes, announced as `a=ossa-max-packet`: a DTLS record holds 16,384.
///
/// An attribute of our own, which others skip (RFC 8866, section 5.13). Path MTU discovery above 1,200 bytes needs to
/// know that the peer can take the probes: libwebrtc closes its DTLS transport for good when a record has more than
/// 2,048 bytes, and werift throws at the PAD chunk in them.
pub const MAX_PACKET: u32 = 16_300;

impl fmt::Display for Outline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // The address is a placeholder, so that no address of the machine leaks here (RFC 9429, section 5.2.1).
        write!(f, "v=0\r\no=- {} {} IN IP4 0.0.0.0\r\ns=-\r\nt=0 0\r\n", self.session_id, self.version)?;
        if !self.bundle.is_empty() {
            write!(f, "a=group:BUNDLE {}\r\n", self.bundle.join(" "))?;
        }
        if self.ice_lite {
            f.write_str("a=ice-lite\r\n")?;
        }
        if self.trickle {
            f.write_str("a=ice-options:trickle\r\n")?;
        }
        let carrier = self.carrier();
        let mut sections = self.sections.iter().enumerate();
        sections.try_for_each(|(index, section)| {
            section.write(f, self.transport.as_ref(), carrier == Some(index))
        })
    }
}

impl OutlineSection {
    /// The attributes of a data section.
    pub fn data(&self) -> Option<&DataAttributes> {
        match &self.content {
            Some(OutlineContent::Data(data)) => Some(data),
            _ => None,
        }
    }

    /// The attributes of a section for audio or video.
    pub fn rtp(&self) -> Option<&RtpAttributes> {
        match &self.content {
            Some(OutlineContent::Rtp(rtp)) => Some(rtp),
            _ => None,
        }
    }

    /// That of a section for RTP that is kept without use.
    pub fn inactive(&self) -> Option<&InactiveMedia> {
        match &self.content {
            Some(OutlineContent::Inactive(media)) => Some(media),
            _ => None,
        }
    }

    /// `transport`: that of the group. `carries`: the candidates stand here.
    fn write(
        &self,
        f: &mut fmt::Formatter<'_>,
        transport: Option<&OutlineTransport>,
        carries: bool,
    ) -> fmt::Result {
        let shared = transport.filter(|_| self.content.is_some());
        let default = shared.filter(|_| self.data().is_some() || (carries && self.rtp().is_some()));
        let (address, port) = match (default, shared) {
            (Some(transport), _) => default_destination(&transport.candidates),
            (None, Some(_)) => (None, 9),
            (None, None) => (None, 0),
        };
        write!(f, "m={} {port} {}", self.kind, self.proto)?;
        self.formats.iter().try_for_each(|format| write!(f, " {format}"))?;
        match address {
            Some(IpAddr::V4(ip)) => write!(f, "\r\nc=IN IP4 {ip}\r\n")?,
            Some(IpAddr::V6(ip)) => write!(f, "\r\nc=IN IP6 {ip}\r\n")?,
            None => f.write_str("\r\nc=IN IP4 0.0.0.0\r\n")?,
        }
        if let Some(mid) = &self.mid {
            write!(f, "a=mid:{mid}\r\n")?;
        }
        match shared {
            Some(transport) => transport.write(f)?,
            None if self.proto.contains("RTP/") => f.write_str("a=inactive\r\n")?,
            None => {}
        }
        if let Some(setup) = self.setup {
            write!(f, "a=setup:{setup}\r\n")?;
        }
        match &self.content {
            Some(OutlineContent::Data(data)) => data.write(f)?,
            Some(OutlineContent::Rtp(rtp)) => write!(f, "{rtp}")?,
            Some(OutlineContent::Inactive(media)) => media.write(f)?,
            None => {}
        }
        shared.filter(|_| carries).map_or(Ok(()), |transport| transport.write_candidates(f))
    }
}

impl InactiveMedia {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a=inactive\r\na=rtcp-mux\r\n")?;
        self.codec.iter().try_for_each(|line| write!(f, "a={line}\r\n"))
    }
}

impl DataAttributes {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.legacy_streams {
            Some(streams) => write!(f, "a=sctpmap:{} webrtc-datachannel {streams}\r\n", self.sctp_port)?,
            None => write!(f, "a=sctp-port:{}\r\n", self.sctp_port)?,
        }
        write!(f, "a=max-message-size:{}\r\na=ossa-max-packet:{MAX_PACKET}\r\n", self.max_message_size)?;
        self.sctp_init.iter().try_for_each(|init| write!(f, "a=sctp-init:{init}\r\n"))
    }
}

impl OutlineTransport {
    fn write(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", self.ufrag, self.pwd)?;
        self.fingerprints.iter().try_for_each(|fingerprint| write!(f, "a=fingerprint:{fingerprint}\r\n"))
    }

    fn write_candidates(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.candidates.iter().try_for_each(|candidate| write!(f, "a={candidate}\r\n"))?;
        if self.end_of_candidates { f.write_str("a=end-of-candidates\r\n") } else { Ok(()) }
    }
}

/// Default candidate for the `m=` and `c=` lines (RFC 8839, section 4.2.1): the one most likely to work with a
/// peer that knows no ICE. Port 9 and no address while there is none, or only host names.
fn default_destination(candidates: &[String]) -> (Option<IpAddr>, u16) {
    let rank = |candidate: &Candidate, ip: IpAddr| {
        let kind = match candidate.typ {
            CandidateType::Relay => 0,
            CandidateType::ServerReflexive | CandidateType::PeerReflexive => 1,
            CandidateType::Host => 2,
        };
        (kind, ip.is_ipv6(), u32::MAX - candidate.priority)
    };
    candidates
        .iter()
        .filter_map(|line| Candidate::parse(line).ok())
        .filter(|candidate| candidate.protocol == CandidateProtocol::Udp && candidate.component == 1)
        .filter_map(|candidate| match candidate.address {
            CandidateAddress::Ip(ip) => Some((rank(&candidate, ip), ip, candidate.port)),
            CandidateAddress::Fqdn(_) => None,
        })
        .min_by_key(|(rank, ..)| *rank)
        .map_or((None, 9), |(_, ip, port)| (Some(ip), port))
}

impl Outline {
    /// Index of the section that carries the transport: the first one of the group that is in use (RFC 9143, section
    /// 7.1.3), or without a group the one that is in use.
    pub fn carrier(&self) -> Option<usize> {
        let of_tag = |section: &OutlineSection| section.mid.as_ref() == self.bundle.first();
        let mut used = self.sections.iter().enumerate().filter(|(_, section)| section.content.is_some());
        let tag = self.bundle.first().and_then(|_| used.clone().find(|(_, section)| of_tag(section)));
        let data = used.clone().find(|(_, section)| section.data().is_some());
        tag.or(data).or_else(|| used.next()).map(|(index, _)| index)
    }

    /// The text, for a caller that compares texts.
    pub fn text(&self) -> String {
        let mut text = String::with_capacity(1024);
        // Writing into a String cannot fail.
        let _ = write!(text, "{self}");
        text
    }
}
