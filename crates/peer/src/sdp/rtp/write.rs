//! Writing the attributes of RTP, in the order of RFC 9429, section 5.2.1.

use super::{ExtMap, RtpAttributes, RtpMap};
use std::fmt;

impl fmt::Display for RtpAttributes {
    /// The lines, each with its end.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a={}\r\n", self.direction.as_str())?;
        for msid in &self.msids {
            let track = msid.track.as_ref().map_or(String::new(), |track| format!(" {track}"));
            write!(f, "a=msid:{}{track}\r\n", msid.stream)?;
        }
        if let Some(port) = self.rtcp {
            write!(f, "a=rtcp:{port}\r\n")?;
        }
        let flags = [
            (self.rtcp_mux, "rtcp-mux"),
            (self.rtcp_mux_only, "rtcp-mux-only"),
            (self.rtcp_rsize, "rtcp-rsize"),
            (self.extmap_allow_mixed, "extmap-allow-mixed"),
        ];
        for (_, name) in flags.into_iter().filter(|(set, _)| *set) {
            write!(f, "a={name}\r\n")?;
        }
        self.extensions.iter().try_for_each(|extension| write!(f, "a=extmap:{extension}\r\n"))?;
        self.write_codecs(f)?;
        for (name, value) in [("ptime", self.ptime), ("maxptime", self.maxptime)] {
            value.map_or(Ok(()), |value| write!(f, "a={name}:{value}\r\n"))?;
        }
        self.write_streams(f)
    }
}

impl RtpAttributes {
    fn write_codecs(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for codec in &self.codecs {
            write!(f, "a=rtpmap:{codec}\r\n")?;
            for feedback in self.feedback.iter().filter(|feedback| feedback.payload == Some(codec.payload)) {
                write!(f, "a=rtcp-fb:{} {}\r\n", codec.payload, feedback.value)?;
            }
            for fmtp in self.parameters.iter().filter(|fmtp| fmtp.payload == codec.payload) {
                write!(f, "a=fmtp:{} {}\r\n", fmtp.payload, fmtp.parameters)?;
            }
        }
        let of_all = self.feedback.iter().filter(|feedback| feedback.payload.is_none());
        of_all.into_iter().try_for_each(|feedback| write!(f, "a=rtcp-fb:* {}\r\n", feedback.value))
    }

    fn write_streams(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for rid in &self.rids {
            let separator = if rid.restrictions.is_empty() { "" } else { " " };
            write!(f, "a=rid:{} {}{separator}{}\r\n", rid.id, rid.direction.as_str(), rid.restrictions)?;
        }
        if let Some(simulcast) = &self.simulcast {
            write!(f, "a=simulcast:{simulcast}\r\n")?;
        }
        for group in &self.ssrc_groups {
            write!(f, "a=ssrc-group:{}", group.semantics)?;
            group.ssrcs.iter().try_for_each(|ssrc| write!(f, " {ssrc}"))?;
            f.write_str("\r\n")?;
        }
        for source in &self.ssrcs {
            let separator = if source.value.is_empty() { "" } else { ":" };
            write!(f, "a=ssrc:{} {}{separator}{}\r\n", source.ssrc, source.name, source.value)?;
        }
        Ok(())
    }
}

impl fmt::Display for RtpMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}/{}", self.payload, self.name, self.clock_rate)?;
        if self.channels == 1 { Ok(()) } else { write!(f, "/{}", self.channels) }
    }
}

impl fmt::Display for ExtMap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.id)?;
        self.direction.map_or(Ok(()), |direction| write!(f, "/{}", direction.as_str()))?;
        write!(f, " {}", self.uri)?;
        if self.attributes.is_empty() { Ok(()) } else { write!(f, " {}", self.attributes) }
    }
}
