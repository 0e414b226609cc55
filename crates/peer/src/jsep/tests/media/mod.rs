//! Audio and video.

mod codecs;
mod random;
mod rounds;
mod simulcast;
mod stacks;

use ossa_media::Kind::{self, Audio, Video};

use super::*;
use crate::sdp::Direction::{self, Inactive, RecvOnly, SendOnly, SendRecv};
use crate::sdp::{Description, RtpAttributes};

pub(super) fn with_codecs(name: char, capabilities: MediaCapabilities) -> Peer {
    Peer::with(
        name,
        Some(MediaConfig {
            capabilities: capabilities.into(),
            cname: format!("cname-{name}"),
            seed: name as u64,
        }),
    )
}

/// One that has the codecs that there are by default.
pub(super) fn media(name: char) -> Peer {
    with_codecs(name, MediaCapabilities::default())
}

impl Peer {
    pub(super) fn add(&mut self, kind: Kind, direction: Direction) -> TransceiverId {
        let init = TransceiverInit { direction, streams: vec!["s".to_owned()], ..TransceiverInit::default() };
        self.session.add_transceiver(kind, init).unwrap()
    }

    pub(super) fn track(&mut self, kind: Kind) -> TransceiverId {
        let init = TransceiverInit { by_track: true, ..TransceiverInit::default() };
        self.session.add_transceiver(kind, init).unwrap()
    }

    /// Mid and current direction of all transceivers.
    pub(super) fn directions(&self) -> Vec<(String, Option<Direction>)> {
        let all = self.session.transceivers().into_iter();
        all.map(|t| (t.mid.unwrap_or_default(), t.current_direction)).collect()
    }

    pub(super) fn parameters(&self, id: TransceiverId) -> SectionParameters {
        let all = self.session.media_parameters();
        all.into_iter().find(|parameters| parameters.transceiver == id).unwrap()
    }
}

/// The `m=` lines with their mids and directions.
pub(super) fn shape(sdp: &str) -> Vec<String> {
    let section = |text: &str| {
        let line = text.split(' ').take(2).collect::<Vec<_>>().join(" ");
        let find = |names: &[&str]| {
            let found = text.lines().find(|line| names.iter().any(|name| line == &format!("a={name}")));
            found.map_or("", |line| &line[2..])
        };
        let mid = text.lines().find_map(|line| line.strip_prefix("a=mid:")).unwrap_or("-");
        let direction = find(&["sendrecv", "sendonly", "recvonly", "inactive"]);
        format!("{line} {mid} {direction}").trim_end().to_owned()
    };
    sdp.split("\r\nm=").skip(1).map(section).collect()
}

pub(super) fn rtp(sdp: &str) -> Vec<RtpAttributes> {
    Description::parse(sdp).unwrap().rtp_sections().unwrap().into_iter().flatten().collect()
}

/// What Firefox' parser thinks of it.
pub(super) fn judge(sdp: &str) {
    webrtc_sdp::parse_sdp(sdp, false).unwrap_or_else(|e| panic!("{e}\n{sdp}"));
}

pub(super) fn numbers(payloads: &[ossa_media::Payload]) -> Vec<u8> {
    payloads.iter().map(|payload| payload.number).collect()
}
