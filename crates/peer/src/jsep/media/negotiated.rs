//! What two descriptions of one section have in common.

use std::collections::HashSet;
use std::time::Duration;

use ossa_media::{Extension, Payload, SsrcHint};

use super::codec::{Identity, codec, parameter};
use super::numbers::usable_id;
use super::wanted::is_refused;
use crate::sdp::{Direction, RidDirection, RtpAttributes};

/// Sources of one section that are believed: three layers of simulcast have six with their retransmissions, and what is beyond
/// is still found by `mid` and payload type.
const MAX_SSRCS: usize = 64;

/// What a section receives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ReceiveParameters {
    /// Names of the encodings that the peer sends, with simulcast.
    pub rids: Vec<String>,
    /// Sources that the peer announces.
    pub ssrcs: Vec<SsrcHint>,
    /// Payload types that may come.
    pub payloads: Vec<Payload>,
    /// Header extensions with their ids.
    pub extensions: Vec<(Extension, u8)>,
    /// Whether anything is received.
    pub active: bool,
}

/// The result of a round for one section.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Negotiated {
    pub(super) mid: Option<String>,
    /// Ours.
    pub(super) direction: Direction,
    /// Names of the encodings that the peer takes.
    pub(super) send_rids: Vec<String>,
    /// Those of them that it does not want for the time being (`~`).
    pub(super) paused: Vec<String>,
    pub(super) send_payloads: Vec<Payload>,
    pub(super) send_extensions: Vec<(Extension, u8)>,
    pub(super) reduced_size_rtcp: bool,
    pub(super) packet_time: Option<Duration>,
    pub(super) receive: ReceiveParameters,
}

/// One side of a section.
#[derive(Clone, Copy)]
pub(super) struct Side<'a> {
    pub(super) rtp: &'a RtpAttributes,
    pub(super) formats: &'a [String],
}

impl Side<'_> {
    fn payloads(&self) -> impl Iterator<Item = (u8, Identity)> {
        self.formats.iter().filter_map(|format| {
            let payload = format.parse().ok()?;
            Some((payload, Identity::of(&self.rtp.codec(payload)?, self.rtp.fmtp(payload))))
        })
    }

    /// The payload type of the retransmissions of another.
    pub(super) fn rtx_of(&self, of: u8) -> Option<u8> {
        self.formats.iter().filter_map(|format| format.parse().ok()).find(|payload| {
            let is_rtx = self.rtp.codec(*payload).is_some_and(|map| map.name.eq_ignore_ascii_case("rtx"));
            is_rtx && parameter(self.rtp.fmtp(*payload), "apt").and_then(|apt| apt.parse().ok()) == Some(of)
        })
    }

    /// Its payload types that the other side has as well, in its order.
    fn common(&self, other: &Side<'_>) -> Vec<Payload> {
        let others: Vec<_> = other.payloads().filter(|(_, identity)| !identity.is_rtx()).collect();
        let mut seen = HashSet::new();
        let both = self.payloads().filter(|(payload, _)| seen.insert(*payload));
        let both = both.filter_map(|(payload, identity)| {
            let (counterpart, _) = others.iter().find(|(_, of_other)| *of_other == identity)?;
            Some((payload, *counterpart))
        });
        both.filter_map(|(payload, counterpart)| self.payload(payload, other, counterpart)).collect()
    }

    fn payload(&self, number: u8, other: &Side<'_>, counterpart: u8) -> Option<Payload> {
        let map = self.rtp.codec(number)?;
        let has = |value: &str| {
            self.rtp.feedback(number).any(|known| known.eq_ignore_ascii_case(value))
                && other.rtp.feedback(counterpart).any(|known| known.eq_ignore_ascii_case(value))
        };
        Some(Payload {
            number,
            codec: codec(&map.name),
            clock_rate: map.clock_rate,
            channels: map.channels,
            fmtp: self.rtp.fmtp(number).to_owned(),
            rtx: self.rtx_of(number).filter(|_| other.rtx_of(counterpart).is_some()),
            nack: has("nack"),
            pli: has("nack pli"),
            fir: has("ccm fir"),
            transport_cc: has("transport-cc"),
            remb: has("goog-remb"),
        })
    }

    /// The header extensions that both have, with the ids of the other one, for what `way` lets pass.
    fn extensions(&self, other: &Side<'_>, way: fn(Direction) -> bool) -> Vec<(Extension, u8)> {
        let both = |extension: Extension| {
            let ours = self.rtp.extensions.iter().find(|known| known.uri == extension.uri())?;
            let theirs = other.rtp.extensions.iter().find(|known| known.uri == extension.uri())?;
            let direction = ours.direction.unwrap_or_default();
            let direction = direction.intersection(theirs.direction.unwrap_or_default().reversed());
            Some((extension, usable_id(theirs.id)?)).filter(|_| way(direction))
        };
        Extension::ALL.into_iter().filter_map(both).collect()
    }
}

impl Negotiated {
    /// `direction` is ours.
    pub(super) fn new(mid: Option<&str>, direction: Direction, local: Side<'_>, remote: Side<'_>) -> Self {
        let receive = ReceiveParameters {
            rids: common_rids(local.rtp, remote.rtp, RidDirection::Recv),
            ssrcs: sources(remote.rtp),
            payloads: local.common(&remote),
            extensions: local.extensions(&remote, Direction::receives),
            active: direction.receives(),
        };
        let mut send_rids = common_rids(local.rtp, remote.rtp, RidDirection::Send);
        send_rids.retain(|rid| !is_refused(remote.rtp, rid));
        Self {
            mid: mid.map(str::to_owned),
            direction,
            paused: paused(remote.rtp, &send_rids),
            send_rids,
            send_payloads: remote.common(&local),
            send_extensions: local.extensions(&remote, Direction::sends),
            reduced_size_rtcp: local.rtp.rtcp_rsize && remote.rtp.rtcp_rsize,
            packet_time: packet_time(remote.rtp),
            receive,
        }
    }
}

/// How long the other side wants packets to be (RFC 8866, sections 6.4 and 6.5); `None` if it does not say.
fn packet_time(rtp: &RtpAttributes) -> Option<Duration> {
    /// What most of those expect who say what the most is.
    const USUAL_MS: u16 = 20;
    let wanted = rtp.ptime.or_else(|| rtp.maxptime.map(|_| USUAL_MS))?;
    Some(Duration::from_millis(rtp.maxptime.map_or(wanted, |most| wanted.min(most)).into()))
}

/// Names of encodings that one side sends and the other takes; `ours` is what we do with them.
fn common_rids(local: &RtpAttributes, remote: &RtpAttributes, ours: RidDirection) -> Vec<String> {
    let theirs = match ours {
        RidDirection::Send => RidDirection::Recv,
        RidDirection::Recv => RidDirection::Send,
    };
    let (Some(local), Some(remote)) = (&local.simulcast, &remote.simulcast) else { return Vec::new() };
    let both = local.streams(ours).filter(|rid| remote.choices(theirs).any(|other| other.id == rid.id));
    both.map(|rid| rid.id.clone()).collect()
}

/// Names of encodings that the peer takes and does not want at first (RFC 8853, section 5.1). `active` is the application's and stays.
fn paused(remote: &RtpAttributes, rids: &[String]) -> Vec<String> {
    let Some(simulcast) = &remote.simulcast else { return Vec::new() };
    let paused = |rid: &&String| {
        simulcast.choices(RidDirection::Recv).any(|choice| choice.paused && choice.id == **rid)
    };
    rids.iter().filter(paused).cloned().collect()
}

/// The sources that a section names, with those of their retransmissions (RFC 5576, section 4.2).
fn sources(rtp: &RtpAttributes) -> Vec<SsrcHint> {
    let pairs = rtp.ssrc_groups.iter().filter(|group| group.semantics == "FID").filter_map(|group| {
        let [ssrc, rtx] = group.ssrcs[..] else { return None };
        Some((ssrc, rtx))
    });
    let pairs: Vec<(u32, u32)> = pairs.take(MAX_SSRCS).collect();
    let mut hints: Vec<SsrcHint> = Vec::new();
    for source in &rtp.ssrcs {
        let is_rtx = pairs.iter().any(|(_, rtx)| *rtx == source.ssrc);
        let is_known = hints.iter().rev().any(|hint| hint.ssrc == source.ssrc);
        if !is_rtx && !is_known && hints.len() < MAX_SSRCS {
            let rtx = pairs.iter().find(|(ssrc, _)| *ssrc == source.ssrc).map(|(_, rtx)| *rtx);
            hints.push(SsrcHint { ssrc: source.ssrc, rtx });
        }
    }
    hints
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sdp::{SsrcAttribute, SsrcGroup};

    #[test]
    fn packets_are_as_long_as_was_asked_for_and_no_longer_than_allowed() {
        let asked =
            |ptime, maxptime| packet_time(&RtpAttributes { ptime, maxptime, ..RtpAttributes::default() });
        let ms = |ms| Some(Duration::from_millis(ms));
        assert_eq!(asked(None, None), None);
        assert_eq!(asked(Some(40), None), ms(40));
        assert_eq!(asked(Some(60), Some(30)), ms(30));
        assert_eq!((asked(None, Some(120)), asked(None, Some(10))), (ms(20), ms(10)));
    }

    #[test]
    fn sources_are_told_from_their_retransmissions_and_bounded() {
        let attribute = |ssrc| SsrcAttribute { ssrc, name: "cname".to_owned(), value: "x".to_owned() };
        let mut rtp = RtpAttributes {
            ssrcs: [1, 1, 2, 3].map(attribute).to_vec(),
            ssrc_groups: vec![
                SsrcGroup { semantics: "FID".to_owned(), ssrcs: vec![1, 2] },
                SsrcGroup { semantics: "FID".to_owned(), ssrcs: vec![7] },
                SsrcGroup { semantics: "SIM".to_owned(), ssrcs: vec![1, 3] },
            ],
            ..RtpAttributes::default()
        };
        assert_eq!(sources(&rtp), [SsrcHint { ssrc: 1, rtx: Some(2) }, SsrcHint { ssrc: 3, rtx: None }]);
        rtp.ssrcs = (0..4000).map(attribute).collect();
        assert_eq!(sources(&rtp).len(), MAX_SSRCS);
    }
}
