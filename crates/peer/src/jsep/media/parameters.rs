//! What both sides have agreed on for a section, as the media session needs it.

use std::time::Duration;

use ossa_media::{Encoding, Extension, Kind, Payload};

use super::codec::Identity;
use super::negotiated::{Negotiated, ReceiveParameters};
use super::state::Media;
use super::transceiver::{State, TransceiverId};

/// What a section sends and receives from now on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SectionParameters {
    /// Whose it is.
    pub transceiver: TransceiverId,
    /// Audio or video.
    pub kind: Kind,
    /// The section's mid; `None` if the descriptions have none.
    pub mid: Option<String>,
    /// What is sent.
    pub send: SendParameters,
    /// What is received.
    pub receive: ReceiveParameters,
}

/// What a section sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendParameters {
    /// At least one.
    pub encodings: Vec<Encoding>,
    /// Payload types that the peer takes, its preferred one first.
    pub payloads: Vec<Payload>,
    /// Header extensions with their ids.
    pub extensions: Vec<(Extension, u8)>,
    /// Whether anything is sent.
    pub active: bool,
    /// The peer takes RTCP packets of reduced size (RFC 5506).
    pub reduced_size_rtcp: bool,
    /// How long the peer wants packets of audio to be (`a=ptime`, `a=maxptime`); `None` if it does not say.
    pub packet_time: Option<Duration>,
}

impl Media {
    /// What each section that was negotiated sends and receives now. Of a transceiver that is stopped there is nothing, so that its
    /// streams end with a BYE (W3C 5.4, stop sending and receiving).
    pub(in crate::jsep) fn parameters(&self) -> Vec<SectionParameters> {
        let running = self.transceivers.iter().filter(|state| !state.stopping);
        running.filter_map(State::parameters).collect()
    }
}

impl State {
    fn parameters(&self) -> Option<SectionParameters> {
        let negotiated = self.round.negotiated.as_ref()?;
        Some(SectionParameters {
            transceiver: self.id,
            kind: self.kind,
            mid: negotiated.mid.clone(),
            send: SendParameters {
                encodings: self.sent_encodings(negotiated),
                payloads: self.sent_payloads(negotiated),
                extensions: negotiated.send_extensions.clone(),
                // W3C 5.4: a direction that says less than what was negotiated holds at once for what is sent.
                active: negotiated.direction.sends() && self.direction.sends(),
                reduced_size_rtcp: negotiated.reduced_size_rtcp,
                packet_time: negotiated.packet_time,
            },
            receive: negotiated.receive.clone(),
        })
    }

    /// What the peer takes, the codec first that the application has chosen.
    fn sent_payloads(&self, negotiated: &Negotiated) -> Vec<Payload> {
        let mut payloads = negotiated.send_payloads.clone();
        if let Some(chosen) = self.encodings.iter().find_map(|encoding| encoding.init.codec.as_ref()) {
            let chosen = chosen.identity();
            payloads.sort_by_key(|payload| {
                let Payload { codec, clock_rate, channels, fmtp, .. } = payload;
                Identity::new(codec.name(), *clock_rate, *channels, fmtp) != chosen
            });
        }
        payloads
    }

    /// Without simulcast on the other side only the first encoding is sent, and has no name (W3C 5.2.2).
    fn sent_encodings(&self, negotiated: &Negotiated) -> Vec<Encoding> {
        let has_rtx = negotiated.send_payloads.iter().any(|payload| payload.rtx.is_some());
        let named = |rid: &String| negotiated.send_rids.contains(rid);
        let simulcast = self.rids().any(|rid| negotiated.send_rids.iter().any(|taken| taken == rid));
        let paused = |rid: &String| simulcast && negotiated.paused.contains(rid);
        let taken = self.encodings.iter().filter(|encoding| {
            let rid = encoding.init.rid.as_ref();
            !simulcast || rid.is_some_and(named)
        });
        let count = if simulcast { self.encodings.len() } else { 1 };
        taken
            .take(count)
            .map(|encoding| Encoding {
                rid: encoding.init.rid.clone().filter(|_| simulcast),
                ssrc: encoding.ssrc,
                rtx_ssrc: Some(encoding.rtx_ssrc).filter(|_| has_rtx),
                max_bitrate: encoding.init.max_bitrate,
                active: encoding.init.active && !encoding.init.rid.as_ref().is_some_and(paused),
            })
            .collect()
    }
}
