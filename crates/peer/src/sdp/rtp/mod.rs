//! What sections for audio and video say about codecs, streams and header extensions.
//!
//! Read on demand by [`Description::rtp_sections`](super::Description::rtp_sections) and not with the description itself: who
//! carries data only has nothing to do with it. Attributes that we do not know are skipped; one that we know and that is
//! malformed is an error with its line (RFC 9429, section 5.8).

mod direction;
mod read;
mod simulcast;
mod write;

pub use direction::Direction;
pub use simulcast::{Rid, RidChoice, RidDirection, Simulcast};

/// Most lines of one section that are looked at here. Browsers write some 200 with all their codecs, a server that names all
/// its streams in one section a thousand.
pub const MAX_RTP_ATTRIBUTES: usize = 4_096;

/// The attributes of one section for RTP, in the order in which they stand there.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RtpAttributes {
    /// `a=sendrecv` and its like; `sendrecv` if there is none (RFC 8866, section 6.7).
    pub direction: Direction,
    /// `a=msid` (RFC 8830).
    pub msids: Vec<Msid>,
    /// `a=rtcp`: the port for RTCP, which has no meaning with `rtcp_mux` (RFC 3605).
    pub rtcp: Option<u16>,
    /// `a=rtcp-mux` (RFC 5761).
    pub rtcp_mux: bool,
    /// `a=rtcp-mux-only` (RFC 8858).
    pub rtcp_mux_only: bool,
    /// `a=rtcp-rsize` (RFC 5506).
    pub rtcp_rsize: bool,
    /// `a=extmap-allow-mixed` (RFC 8285, section 6), here or above all sections.
    pub extmap_allow_mixed: bool,
    /// `a=extmap` (RFC 8285), here or above all sections.
    pub extensions: Vec<ExtMap>,
    /// `a=rtpmap` (RFC 8866, section 6.6).
    pub codecs: Vec<RtpMap>,
    /// `a=fmtp` (RFC 8866, section 6.15).
    pub parameters: Vec<Fmtp>,
    /// `a=rtcp-fb` (RFC 4585, section 4.2).
    pub feedback: Vec<Feedback>,
    /// `a=ptime`, in milliseconds; one that is no number counts as absent.
    pub ptime: Option<u16>,
    /// `a=maxptime`, in milliseconds; one that is no number counts as absent.
    pub maxptime: Option<u16>,
    /// `a=rid` (RFC 8851).
    pub rids: Vec<Rid>,
    /// `a=simulcast` (RFC 8853).
    pub simulcast: Option<Simulcast>,
    /// `a=ssrc-group` (RFC 5576, section 4.2).
    pub ssrc_groups: Vec<SsrcGroup>,
    /// `a=ssrc` (RFC 5576, section 4.1).
    pub ssrcs: Vec<SsrcAttribute>,
}

/// A payload type: its codec.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RtpMap {
    /// 0 to 127.
    pub payload: u8,
    /// Name of the codec; case does not matter.
    pub name: String,
    /// In Hz.
    pub clock_rate: u32,
    /// 1 where the line says nothing.
    pub channels: u8,
}

/// Parameters of a payload type.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fmtp {
    /// 0 to 127.
    pub payload: u8,
    /// Such as `minptime=10;useinbandfec=1`.
    pub parameters: String,
}

/// Feedback that the sender of the description understands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Feedback {
    /// `None` for `*`, all of the section.
    pub payload: Option<u8>,
    /// Such as `nack pli`, with single spaces.
    pub value: String,
}

/// A header extension.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExtMap {
    /// 1 to 14 in headers of one byte, to 255 in those of two, 4096 and above for "not yet".
    pub id: u16,
    /// Where the extension is sent, if the line says so.
    pub direction: Option<Direction>,
    /// What it is.
    pub uri: String,
    /// What follows the URI.
    pub attributes: String,
}

/// The stream that a track belongs to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Msid {
    /// `-` for none.
    pub stream: String,
    /// Id of the track.
    pub track: Option<String>,
}

/// Something about one source.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsrcAttribute {
    /// The source.
    pub ssrc: u32,
    /// Such as `cname`.
    pub name: String,
    /// Empty if there is none.
    pub value: String,
}

/// Sources that belong together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SsrcGroup {
    /// `FID`: the second repairs the first (RFC 5576, section 4.2); `SIM`, `FEC-FR`.
    pub semantics: String,
    /// The sources in their order.
    pub ssrcs: Vec<u32>,
}

impl RtpAttributes {
    /// The codec of a payload type; the static ones need no line (RFC 3551, section 6).
    pub fn codec(&self, payload: u8) -> Option<RtpMap> {
        let fixed = |name: &str| RtpMap { payload, name: name.to_owned(), clock_rate: 8_000, channels: 1 };
        self.codecs.iter().find(|codec| codec.payload == payload).cloned().or_else(|| match payload {
            0 => Some(fixed("PCMU")),
            8 => Some(fixed("PCMA")),
            9 => Some(fixed("G722")),
            13 => Some(fixed("CN")),
            _ => None,
        })
    }

    /// The parameters of a payload type, empty if there are none.
    pub fn fmtp(&self, payload: u8) -> &str {
        self.parameters.iter().find(|fmtp| fmtp.payload == payload).map_or("", |fmtp| &fmtp.parameters)
    }

    /// The feedback for a payload type, that for all of the section included.
    pub fn feedback(&self, payload: u8) -> impl Iterator<Item = &str> {
        let of_payload = move |feedback: &&Feedback| feedback.payload.is_none_or(|of| of == payload);
        self.feedback.iter().filter(of_payload).map(|feedback| feedback.value.as_str())
    }
}
