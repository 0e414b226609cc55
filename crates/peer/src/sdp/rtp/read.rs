//! Reading the attributes of RTP.

use super::super::description::Description;
use super::super::lines::{Line, excerpt, lines};
use super::simulcast::{RidDirection, is_rid};
use super::{
    Direction, ExtMap, Feedback, Fmtp, MAX_RTP_ATTRIBUTES, Msid, Rid, RtpAttributes, RtpMap, Simulcast,
    SsrcAttribute, SsrcGroup,
};
use crate::error::{Error, ErrorKind};

/// Most attributes above all sections, each of which is kept for every section: as many as header extensions can have ids.
const MAX_COMMON: usize = 255;

impl Description {
    /// Reads the sections for RTP that are in use; `None` for all others. To be called before anything is
    /// [appended](Self::append): errors name lines of the text that was parsed.
    ///
    /// # Errors
    /// [`ErrorKind::Syntax`] with the line for an attribute that is malformed; [`ErrorKind::Operation`] beyond
    /// [`MAX_RTP_ATTRIBUTES`] in a section.
    pub fn rtp_sections(&self) -> Result<Vec<Option<RtpAttributes>>, Error> {
        let head = self.text().get(..self.media.first().map_or(0, |first| first.start)).unwrap_or_default();
        let mut common = RtpAttributes::default();
        let mut room = MAX_COMMON;
        for line in lines(head) {
            let line = line?;
            if is_common(&line) {
                common.take(&line, &mut room)?;
            }
        }
        let section = |section: &super::super::MediaSection| {
            if !section.is_rtp() || !section.is_active() {
                return Ok(None);
            }
            let text = self.text().get(section.start..section.end).unwrap_or_default();
            common.section(text, section.line).map(Some)
        };
        self.media.iter().map(section).collect()
    }
}

/// What may stand above all sections and holds for each.
fn is_common(line: &Line<'_>) -> bool {
    let name = line.attribute().0;
    line.letter == b'a'
        && (matches!(name, "extmap" | "extmap-allow-mixed") || Direction::from_name(name).is_some())
}

impl RtpAttributes {
    /// Those of a section that inherits these. `first` is the number of its first line.
    fn section(&self, text: &str, first: u32) -> Result<Self, Error> {
        let mut attributes = self.clone();
        let mut room = MAX_RTP_ATTRIBUTES - self.extensions.len();
        for line in lines(text) {
            let mut line = line?;
            line.number += first - 1;
            if line.letter == b'a' {
                attributes.take(&line, &mut room)?;
            }
        }
        Ok(attributes)
    }

    /// `room`: how many more attributes there may be.
    fn take(&mut self, line: &Line<'_>, room: &mut usize) -> Result<(), Error> {
        *room = room.checked_sub(1).ok_or_else(|| {
            let message = format!(
                "more than {MAX_RTP_ATTRIBUTES} attributes in a section, or {MAX_COMMON} that hold for all of them"
            );
            Error { kind: ErrorKind::Operation, message, sdp_line: Some(line.number) }
        })?;
        let (name, value) = line.attribute();
        let known = match name {
            "rtpmap" => push(&mut self.codecs, rtpmap(value)),
            "fmtp" => push(&mut self.parameters, fmtp(value)),
            "rtcp-fb" => push(&mut self.feedback, feedback(value)),
            "extmap" => push(&mut self.extensions, extmap(value)),
            "msid" => push(&mut self.msids, msid(value)),
            "ssrc" => push(&mut self.ssrcs, ssrc(value)),
            "ssrc-group" => push(&mut self.ssrc_groups, ssrc_group(value)),
            // Some servers write ids that RFC 8852 does not allow; what can't be an id is none (RFC 8851, section 6.1).
            "rid" => {
                self.rids.extend(rid(value));
                true
            }
            // As RFC 8853, section 5.3.2, has it: without simulcast, then.
            "simulcast" => {
                self.simulcast = Simulcast::parse(value);
                true
            }
            _ => self.take_flag(name, value),
        };
        match known {
            true => Ok(()),
            false => Err(Error::syntax(line.number, format!("{:?} is no a={name}", excerpt(value)))),
        }
    }

    /// What can't be malformed.
    fn take_flag(&mut self, name: &str, value: &str) -> bool {
        match name {
            "rtcp" => self.rtcp = value.split_ascii_whitespace().next().and_then(number),
            "rtcp-mux" => self.rtcp_mux = true,
            "rtcp-mux-only" => self.rtcp_mux_only = true,
            "rtcp-rsize" => self.rtcp_rsize = true,
            "extmap-allow-mixed" => self.extmap_allow_mixed = true,
            "ptime" => self.ptime = number(value),
            "maxptime" => self.maxptime = number(value),
            _ => self.direction = Direction::from_name(name).unwrap_or(self.direction),
        }
        true
    }
}

fn push<T>(list: &mut Vec<T>, value: Option<T>) -> bool {
    let known = value.is_some();
    list.extend(value);
    known
}

/// Splits off the first word.
fn word(text: &str) -> (&str, &str) {
    text.split_once([' ', '\t']).map_or((text, ""), |(first, rest)| (first, rest.trim_ascii_start()))
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.parse().ok().filter(|_| text.bytes().all(|b| b.is_ascii_digit()))
}

fn payload(text: &str) -> Option<u8> {
    number(text).filter(|payload| *payload <= 127)
}

/// What stands in our own descriptions again has no place for a line end, and no sense beyond ASCII.
fn is_token(text: &str) -> bool {
    !text.is_empty() && text.len() <= 255 && text.bytes().all(|b| b.is_ascii_graphic())
}

fn token(text: &str) -> Option<String> {
    is_token(text).then(|| text.to_owned())
}

/// `111 opus/48000/2`
fn rtpmap(value: &str) -> Option<RtpMap> {
    let (number_of, encoding) = word(value);
    let mut parts = word(encoding).0.split('/');
    Some(RtpMap {
        payload: payload(number_of)?,
        name: token(parts.next()?)?,
        clock_rate: number(parts.next()?).filter(|rate| *rate > 0)?,
        channels: parts.next().map_or(Some(1), number).filter(|channels| *channels > 0)?,
    })
}

/// `111 minptime=10;useinbandfec=1`
fn fmtp(value: &str) -> Option<Fmtp> {
    let (number_of, parameters) = word(value);
    Some(Fmtp { payload: payload(number_of)?, parameters: parameters.to_owned() })
}

/// `96 nack pli`
fn feedback(value: &str) -> Option<Feedback> {
    let (number_of, rest) = word(value);
    let value = rest.split_ascii_whitespace().collect::<Vec<_>>().join(" ");
    let payload = if number_of == "*" { None } else { Some(payload(number_of)?) };
    (!value.is_empty()).then_some(Feedback { payload, value })
}

/// `1/recvonly urn:ietf:params:rtp-hdrext:toffset`
fn extmap(value: &str) -> Option<ExtMap> {
    let (head, rest) = word(value);
    let (uri, attributes) = word(rest);
    let (id, direction) = match head.split_once('/') {
        Some((id, direction)) => (id, Some(Direction::from_name(direction)?)),
        None => (head, None),
    };
    Some(ExtMap {
        id: number(id).filter(|id| *id > 0)?,
        direction,
        uri: token(uri)?,
        attributes: attributes.to_owned(),
    })
}

/// `stream track`
fn msid(value: &str) -> Option<Msid> {
    let (stream, track) = word(value);
    let track = word(track).0;
    Some(Msid { stream: token(stream)?, track: if track.is_empty() { None } else { Some(token(track)?) } })
}

/// `3735928559 cname:o/i14u9pJrxRKAsu`
fn ssrc(value: &str) -> Option<SsrcAttribute> {
    let (id, attribute) = word(value);
    let (name, value) = attribute.split_once(':').unwrap_or((attribute, ""));
    Some(SsrcAttribute { ssrc: number(id)?, name: token(name)?, value: value.trim_ascii().to_owned() })
}

/// `FID 3735928559 3735928560`
fn ssrc_group(value: &str) -> Option<SsrcGroup> {
    let (semantics, rest) = word(value);
    let ssrcs: Vec<u32> = rest.split_ascii_whitespace().map(number).collect::<Option<_>>()?;
    (!ssrcs.is_empty()).then_some(SsrcGroup { semantics: token(semantics)?, ssrcs })
}

/// `hi send pt=97;max-width=1280`
fn rid(value: &str) -> Option<Rid> {
    let (id, rest) = word(value);
    let (direction, restrictions) = word(rest);
    is_rid(id).then_some(Rid {
        id: id.to_owned(),
        direction: RidDirection::from_name(direction)?,
        restrictions: restrictions.to_owned(),
    })
}
