//! One media section, and the attributes that may stand in it or above all sections.

use super::candidate::Candidate;
use super::lines::{Line, excerpt};
use crate::error::Error;

/// A value with the number of the line it stands in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Located<T> {
    /// Line number, from 1.
    pub line: u32,
    /// The value.
    pub value: T,
}

/// Attributes of ICE and DTLS. At session level they hold for all sections that do not have their own.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TransportAttributes {
    /// `a=ice-ufrag`
    pub ufrag: Option<Located<String>>,
    /// `a=ice-pwd`
    pub pwd: Option<Located<String>>,
    /// `a=ice-options`, as tokens.
    pub ice_options: Vec<String>,
    /// `a=fingerprint`, unparsed: only those of the section we use have to be valid.
    pub fingerprints: Vec<Located<String>>,
    /// `a=setup`
    pub setup: Option<Located<String>>,
}

impl TransportAttributes {
    /// Takes the attribute in if it is one of these.
    pub(super) fn take(&mut self, line: &Line<'_>, name: &str, value: &str) -> bool {
        let located = || Located { line: line.number, value: value.to_owned() };
        match name {
            "ice-ufrag" => self.ufrag = Some(located()),
            "ice-pwd" => self.pwd = Some(located()),
            // Separated by spaces; some stacks write commas.
            "ice-options" => self
                .ice_options
                .extend(value.split([' ', ',']).filter(|option| !option.is_empty()).map(str::to_owned)),
            "fingerprint" => self.fingerprints.push(located()),
            "setup" => self.setup = Some(located()),
            _ => return false,
        }
        true
    }

    /// Whether `a=ice-options:trickle` is among these (RFC 8840).
    pub fn trickle(&self) -> bool {
        self.ice_options.iter().any(|option| option.eq_ignore_ascii_case("trickle"))
    }
}

/// A media section.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaSection {
    /// Number of the `m=` line, from 1.
    pub line: u32,
    /// `audio`, `video`, `application`, or anything else.
    pub kind: String,
    /// 0 for a rejected section, unless it is [`bundle_only`](Self::bundle_only).
    pub port: u16,
    /// Such as `UDP/DTLS/SCTP`.
    pub proto: String,
    /// The rest of the `m=` line, as tokens.
    pub formats: Vec<String>,
    /// `a=mid`
    pub mid: Option<String>,
    /// Attributes of ICE and DTLS that stand in this section.
    pub transport: TransportAttributes,
    /// `a=candidate`, those that we can make sense of.
    pub candidates: Vec<Candidate>,
    /// `a=end-of-candidates`
    pub end_of_candidates: bool,
    /// `a=bundle-only` (RFC 9143, section 6).
    pub bundle_only: bool,
    /// `a=rtcp-mux`
    pub rtcp_mux: bool,
    /// `a=sctp-port`, unparsed.
    pub sctp_port: Option<Located<String>>,
    /// `a=sctpmap`, unparsed.
    pub sctpmap: Option<Located<String>>,
    /// `a=max-message-size`, unparsed.
    pub max_message_size: Option<Located<String>>,
    /// `a=rtpmap` and `a=fmtp`, whole (`rtpmap:111 opus/48000/2`).
    pub codecs: Vec<String>,
    /// `a=ossa-max-packet`, see [`MAX_PACKET`](super::MAX_PACKET). One that makes no sense counts as absent.
    pub max_packet: Option<u32>,
    /// `a=sctp-init`, unparsed: one that makes no sense counts as absent (draft-hancke-tsvwg-snap).
    pub sctp_init: Option<String>,
    /// Where the section begins and ends in the text, in bytes.
    pub(super) start: usize,
    pub(super) end: usize,
}

impl MediaSection {
    /// Parses the value of an `m=` line.
    pub(super) fn parse(line: &Line<'_>) -> Result<Self, Error> {
        let bad = |what: &str| Error::syntax(line.number, format!("{what} in \"m={}\"", excerpt(line.value)));
        let mut tokens = line.value.split_ascii_whitespace();
        let kind = tokens.next().ok_or_else(|| bad("no media type"))?;
        let port = tokens.next().ok_or_else(|| bad("no port"))?;
        let port = port.split('/').next().unwrap_or(port);
        let port = port.parse().map_err(|_| bad("a port that is not 0 to 65535"))?;
        let proto = tokens.next().ok_or_else(|| bad("no transport protocol"))?;
        Ok(Self {
            line: line.number,
            kind: kind.to_owned(),
            port,
            proto: proto.to_owned(),
            formats: tokens.map(str::to_owned).collect(),
            mid: None,
            transport: TransportAttributes::default(),
            candidates: Vec::new(),
            end_of_candidates: false,
            bundle_only: false,
            rtcp_mux: false,
            sctp_port: None,
            sctpmap: None,
            max_message_size: None,
            codecs: Vec::new(),
            max_packet: None,
            sctp_init: None,
            start: line.start,
            end: line.start,
        })
    }

    /// Takes an attribute line in; one that we do not know is skipped.
    pub(super) fn take(&mut self, line: &Line<'_>) -> Result<(), Error> {
        let (name, value) = line.attribute();
        let located = || Some(Located { line: line.number, value: value.to_owned() });
        match name {
            "mid" => self.mid = Some(mid(line, value)?),
            // One candidate that we cannot use must not spoil the others (RFC 8839, section 5.1).
            "candidate" => self.candidates.extend(Candidate::parse(line.value).ok()),
            "end-of-candidates" => self.end_of_candidates = true,
            "bundle-only" => self.bundle_only = true,
            "rtcp-mux" => self.rtcp_mux = true,
            "sctp-port" => self.sctp_port = located(),
            "sctpmap" => self.sctpmap = located(),
            "max-message-size" => self.max_message_size = located(),
            "rtpmap" | "fmtp" => self.codecs.push(line.value.to_owned()),
            "sctp-init" => self.sctp_init = Some(value.to_owned()),
            "ossa-max-packet" => self.max_packet = value.parse().ok(),
            _ => {
                self.transport.take(line, name, value);
            }
        }
        Ok(())
    }

    /// Neither rejected nor withdrawn: a port, or port 0 as a part of a bundle.
    pub fn is_active(&self) -> bool {
        self.port != 0 || self.bundle_only
    }

    /// Whether this is a section for audio or video over DTLS (RFC 9429, section 5.1.2).
    pub fn is_rtp(&self) -> bool {
        let ends_with = |end: &str| {
            let start = self.proto.len().checked_sub(end.len());
            start.and_then(|start| self.proto.get(start..)).is_some_and(|tail| tail.eq_ignore_ascii_case(end))
        };
        let kind = ["audio", "video"].iter().any(|kind| self.kind.eq_ignore_ascii_case(kind));
        kind && ["RTP/SAVPF", "RTP/SAVP"].into_iter().any(ends_with)
    }

    /// The first codec of a section for RTP: its format and the attributes that describe it.
    pub(crate) fn codec(&self) -> Option<(&str, Vec<String>)> {
        /// What only goes along with a codec.
        const HELPERS: [&str; 7] = ["rtx", "red", "ulpfec", "flexfec", "flexfec-03", "telephone-event", "CN"];
        self.formats.iter().filter(|_| self.proto.contains("RTP/")).find_map(|format| {
            let of_format = |line: &&String| {
                let value = line.split_once(':').map_or("", |(_, value)| value);
                value.split_ascii_whitespace().next() == Some(format)
            };
            let lines: Vec<String> = self.codecs.iter().filter(of_format).cloned().collect();
            let name =
                lines.iter().find_map(|line| line.strip_prefix("rtpmap:")?.split_ascii_whitespace().nth(1));
            let usable = match name.and_then(|name| name.split('/').next()) {
                Some(name) => !HELPERS.iter().any(|helper| helper.eq_ignore_ascii_case(name)),
                // Only the numbers below 96 mean something by themselves (RFC 3551, section 6).
                None => format.parse::<u8>().is_ok_and(|number| number < 96),
            };
            usable.then_some((format.as_str(), lines))
        })
    }

    /// Whether this is a section for data channels, of today's form or of the old one.
    pub fn is_data(&self) -> bool {
        const PROTOS: [&str; 3] = ["UDP/DTLS/SCTP", "TCP/DTLS/SCTP", "DTLS/SCTP"];
        self.kind.eq_ignore_ascii_case("application")
            && PROTOS.iter().any(|proto| self.proto.eq_ignore_ascii_case(proto))
            && (self.has_data_format() || self.is_legacy_data())
    }

    /// The old form `DTLS/SCTP 5000` (draft-ietf-mmusic-sctp-sdp up to version 12), where the format is the port.
    pub fn is_legacy_data(&self) -> bool {
        !self.has_data_format() && self.formats.first().is_some_and(|format| format.parse::<u16>().is_ok())
    }

    fn has_data_format(&self) -> bool {
        self.formats.iter().any(|format| format.eq_ignore_ascii_case("webrtc-datachannel"))
    }
}

/// RFC 5888: a mid is a token. It is written back into our descriptions, so it has to be one.
fn mid(line: &Line<'_>, value: &str) -> Result<String, Error> {
    let token = !value.is_empty() && value.bytes().all(|b| b.is_ascii_graphic()) && value.len() <= 255;
    match token {
        true => Ok(value.to_owned()),
        false => Err(Error::syntax(line.number, format!("{:?} is no mid", excerpt(value)))),
    }
}
