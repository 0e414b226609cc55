//! Sections for audio and video in offers (RFC 9429, section 5.2).

use ossa_media::Kind;

use super::super::layout::{Slot, unused_mid};
use super::capabilities::CodecCapability;
use super::numbers::Numbers;
use super::state::{Media, section_kind};
use super::transceiver::{State, TransceiverId};
use crate::sdp::{
    Direction, ExtMap, Feedback, Fmtp, Msid, Rid, RidChoice, RidDirection, RtpAttributes, RtpMap,
    SsrcAttribute, SsrcGroup,
};

/// Formats of the `m=` line, and what stands below it.
pub(in crate::jsep) type Section = (Vec<String>, RtpAttributes);

impl Media {
    /// Finds a section for each transceiver: the one it has, a rejected one that is recycled under a new mid, or a new one.
    pub(in crate::jsep) fn place(&self, slots: &mut Vec<Slot>, next_mid: u32) -> Vec<(usize, TransceiverId)> {
        let has = |state: &State, slots: &[Slot]| {
            state.round.index.filter(|index| slots.get(*index).is_some_and(|slot| slot.rtp))
        };
        let (there, new): (Vec<_>, Vec<_>) =
            self.transceivers.iter().partition(|state| has(state, slots).is_some());
        let mut places: Vec<_> =
            there.into_iter().filter_map(|state| Some((has(state, slots)?, state.id))).collect();
        for state in new.into_iter().filter(|state| !state.stopping) {
            // An offer that is pending has given it a mid already.
            let own = state.round.mid.clone();
            let own = own.filter(|mid| slots.iter().all(|slot| slot.mid.as_ref() != Some(mid)));
            let slot = Slot {
                kind: section_kind(state.kind).to_owned(),
                proto: "UDP/TLS/RTP/SAVPF".to_owned(),
                formats: Vec::new(),
                mid: own.or_else(|| Some(unused_mid(slots, next_mid))),
                data: false,
                rtp: true,
                inactive: None,
                data_like: false,
                legacy: false,
            };
            let index = match slots.iter().position(Slot::is_free_for_rtp) {
                Some(index) => {
                    slots[index] = slot;
                    index
                }
                None => {
                    slots.push(slot);
                    slots.len() - 1
                }
            };
            places.push((index, state.id));
        }
        places
    }

    /// What is offered for a transceiver; `None` if it is stopped.
    pub(in crate::jsep) fn offered(&self, id: TransceiverId, numbers: &mut Numbers) -> Option<Section> {
        let state = self.transceivers.iter().find(|state| state.id == id && !state.stopping)?;
        let mut rtp = RtpAttributes {
            direction: state.direction,
            rtcp_mux: true,
            rtcp_rsize: true,
            extmap_allow_mixed: true,
            ..RtpAttributes::default()
        };
        let mut formats = Vec::new();
        for codec in self.codecs(state) {
            let Some(payload) = numbers.payload(codec.identity(), codec.payload) else { continue };
            rtp.add_codec(payload, codec, codec.parameters.clone(), &codec.feedback, &mut formats);
            if let Some(rtx) = codec.rtx.then(|| numbers.rtx(payload)).flatten() {
                rtp.add_rtx(rtx, payload, codec.clock_rate, &mut formats);
            }
        }
        for extension in self.config.capabilities.extensions(state.kind) {
            if let Some(id) = numbers.extension(extension) {
                let uri = extension.uri().to_owned();
                rtp.extensions.push(ExtMap {
                    id: id.into(),
                    direction: None,
                    uri,
                    attributes: String::new(),
                });
            }
        }
        let rids: Vec<&str> = state.rids().collect();
        // One that is left of several keeps its name for as long as the peer goes by it.
        let goes_by_name = state.round.negotiated.as_ref().is_some_and(|before| !before.send_rids.is_empty());
        if (rids.len() > 1 || (rids.len() == 1 && goes_by_name)) && state.direction.sends() {
            rtp.add_simulcast(RidDirection::Send, &rids);
        }
        state.describe_sources(&self.config.cname, &mut rtp);
        (!formats.is_empty()).then_some((formats, rtp))
    }
}

impl State {
    /// Names of what it can send, if it has several encodings.
    pub(super) fn rids(&self) -> impl Iterator<Item = &str> {
        self.encodings.iter().filter_map(|encoding| encoding.init.rid.as_deref())
    }

    /// `a=msid` and `a=ssrc`, if anything is to be sent, or was before. libwebrtc gives up a stream that is no longer described, and when
    /// it comes again its track stays silent.
    pub(super) fn describe_sources(&self, cname: &str, rtp: &mut RtpAttributes) {
        let on_hold = !rtp.direction.sends();
        if on_hold && !self.round.has_sent {
            return;
        }
        let none = ["-".to_owned()];
        let streams = if self.sender_streams.is_empty() { &none[..] } else { &self.sender_streams };
        let track = || Some(self.sender_track.clone());
        rtp.msids = streams.iter().map(|stream| Msid { stream: stream.clone(), track: track() }).collect();
        // Encodings with names are told apart by them, as browsers do (RFC 8852).
        let named = rtp.simulcast.is_some() || (on_hold && self.rids().nth(1).is_some());
        let Some(encoding) = self.encodings.first().filter(|_| !named) else { return };
        let has_rtx = rtp.codecs.iter().any(|codec| codec.name == RTX);
        let sources = [Some(encoding.ssrc), Some(encoding.rtx_ssrc).filter(|_| has_rtx)];
        let msid = format!("{} {}", streams[0], self.sender_track);
        for ssrc in sources.into_iter().flatten() {
            for (name, value) in [("cname", cname), ("msid", msid.as_str())] {
                rtp.ssrcs.push(SsrcAttribute { ssrc, name: name.to_owned(), value: value.to_owned() });
            }
        }
        if has_rtx {
            let ssrcs = vec![encoding.ssrc, encoding.rtx_ssrc];
            rtp.ssrc_groups.push(SsrcGroup { semantics: "FID".to_owned(), ssrcs });
        }
    }
}

const RTX: &str = "rtx";

impl RtpAttributes {
    pub(super) fn add_codec(
        &mut self,
        payload: u8,
        codec: &CodecCapability,
        parameters: String,
        feedback: &[String],
        formats: &mut Vec<String>,
    ) {
        formats.push(payload.to_string());
        let (clock_rate, channels) = (codec.clock_rate, codec.channels);
        self.codecs.push(RtpMap { payload, name: codec.name.clone(), clock_rate, channels });
        if !parameters.is_empty() {
            self.parameters.push(Fmtp { payload, parameters });
        }
        let values = feedback.iter().map(|value| Feedback { payload: Some(payload), value: value.clone() });
        self.feedback.extend(values);
    }

    /// RFC 4588, section 8.
    pub(super) fn add_rtx(&mut self, payload: u8, of: u8, clock_rate: u32, formats: &mut Vec<String>) {
        formats.push(payload.to_string());
        self.codecs.push(RtpMap { payload, name: RTX.to_owned(), clock_rate, channels: 1 });
        self.parameters.push(Fmtp { payload, parameters: format!("apt={of}") });
    }

    /// RFC 8853, section 5.
    pub(super) fn add_simulcast(&mut self, direction: RidDirection, rids: &[&str]) {
        let rid = |id: &&str| Rid { id: (*id).to_owned(), direction, restrictions: String::new() };
        self.rids.extend(rids.iter().map(rid));
        let choice = |id: &&str| vec![RidChoice { id: (*id).to_owned(), paused: false }];
        let streams = rids.iter().map(choice).collect();
        let simulcast = self.simulcast.get_or_insert_default();
        match direction {
            RidDirection::Send => simulcast.send = streams,
            RidDirection::Recv => simulcast.recv = streams,
        }
    }
}

/// Kind of a section of a description.
pub(super) fn kind_of(section: &str) -> Option<Kind> {
    [Kind::Audio, Kind::Video].into_iter().find(|kind| section.eq_ignore_ascii_case(section_kind(*kind)))
}

/// What a new transceiver that the peer's offer asks for wants.
pub(super) const FOR_THE_PEER: Direction = Direction::RecvOnly;
