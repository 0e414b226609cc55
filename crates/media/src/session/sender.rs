//! The encodings of one sender, and what they have in common.

use std::time::Instant;

use bytes::Bytes;

use super::MediaSession;
use super::check;
use super::outbound::{OutboundStream, SendPosition};
use crate::config::{Encoding, Payload, SenderConfig};
use crate::error::MediaError;
use crate::frame::ExtensionValues;
use crate::rtp::ExtensionMap;
use crate::srtp::Outbound;
use crate::types::{Extension, SenderId};

impl MediaSession {
    /// Adds a sender, or changes one: encodings whose SSRC stays go on, those whose SSRC is gone end with a BYE.
    ///
    /// # Errors
    /// The configuration contradicts itself, or has an SSRC that another sender has; nothing has changed then.
    pub fn set_sender(&mut self, now: Instant, id: SenderId, config: SenderConfig) -> Result<(), MediaError> {
        check::sender(&config)?;
        for ssrc in config.encodings.iter().flat_map(ssrcs) {
            if let Some((other, _)) = self.outgoing.get(&ssrc).filter(|(other, _)| *other != id) {
                return Err(MediaError::Invalid(format!(
                    "SSRC {ssrc} is that of sender {} already",
                    other.0
                )));
            }
        }
        self.outgoing.retain(|_, (owner, _)| *owner != id);
        let before = self.senders.remove(&id);
        let same_mid = before.as_ref().is_some_and(|before| before.config.mid == config.mid);
        let mut kept = Vec::new();
        for mut stream in before.map(|before| before.streams).unwrap_or_default() {
            let after = config.encodings.iter().find(|encoding| encoding.ssrc == stream.config.ssrc);
            if after.is_none_or(|after| after.rtx_ssrc != stream.config.rtx_ssrc) {
                self.retire_rtx(&mut stream);
            }
            match after {
                Some(after) => {
                    stream.known_to_remote &= same_mid && stream.config.rid == after.rid;
                    stream.config = after.clone();
                    kept.push(stream);
                }
                None => self.end(stream),
            }
        }
        let streams = config.encodings.iter().map(|encoding| {
            let mut stream = match kept.iter().position(|stream| stream.config.ssrc == encoding.ssrc) {
                Some(at) => kept.swap_remove(at),
                None => {
                    let numbers = self.retired.resume(encoding.ssrc, &mut self.rng);
                    OutboundStream::new(encoding.clone(), numbers, self.limits.sent_packets)
                }
            };
            if stream.rtx_numbers.is_none() {
                stream.rtx_numbers = encoding.rtx_ssrc.map(|ssrc| self.retired.resume(ssrc, &mut self.rng));
            }
            stream
        });
        let streams = streams.collect();
        for (at, encoding) in config.encodings.iter().enumerate() {
            self.outgoing.extend(ssrcs(encoding).map(|ssrc| (ssrc, (id, at))));
        }
        self.senders.insert(id, Sender::new(config, streams));
        self.set_rate(now);
        self.timer.start(now, &mut self.rng);
        Ok(())
    }

    /// Removes a sender: what waits of it is not sent, and its streams end with a BYE (RFC 3550 6.6).
    ///
    /// # Errors
    /// There is no such sender.
    pub fn remove_sender(&mut self, id: SenderId) -> Result<(), MediaError> {
        let sender = self.senders.remove(&id).ok_or(MediaError::UnknownSender(id))?;
        self.outgoing.retain(|_, (owner, _)| *owner != id);
        for mut stream in sender.streams {
            self.retire_rtx(&mut stream);
            self.end(stream);
        }
        Ok(())
    }

    /// Where an encoding stands; `None` if there is no such sender or encoding.
    pub fn send_position(&self, id: SenderId, encoding: usize) -> Option<SendPosition> {
        Some(self.senders.get(&id)?.streams.get(encoding)?.position())
    }

    /// How many bytes of payload fit into a packet of an encoding, beside what stands in the header of each, without contributing sources; `None`
    /// if there is no such sender or encoding.
    pub fn max_payload(&self, id: SenderId, encoding: usize) -> Option<usize> {
        let sender = self.senders.get(&id).filter(|sender| encoding < sender.streams.len())?;
        let around =
            Outbound::overhead(self.profile) + sender.most_header(encoding, &ExtensionValues::default());
        Some(self.max_packet.saturating_sub(around))
    }

    fn end(&mut self, stream: OutboundStream) {
        self.ended.push(stream.config.ssrc);
        self.retired.retire(stream.config.ssrc, stream.numbers);
    }

    fn retire_rtx(&mut self, stream: &mut OutboundStream) {
        if let (Some(ssrc), Some(numbers)) = (stream.config.rtx_ssrc, stream.rtx_numbers.take()) {
            self.retired.retire(ssrc, numbers);
        }
    }
}

/// The SSRC of an encoding, and that of its retransmissions.
fn ssrcs(encoding: &Encoding) -> impl Iterator<Item = u32> + use<> {
    [Some(encoding.ssrc), encoding.rtx_ssrc].into_iter().flatten()
}

#[derive(Debug)]
pub(super) struct Sender {
    pub(super) config: SenderConfig,
    pub(super) extensions: ExtensionMap,
    pub(super) streams: Vec<OutboundStream>,
    mid: Option<Bytes>,
}

impl Sender {
    pub(super) fn new(config: SenderConfig, streams: Vec<OutboundStream>) -> Self {
        let mut extensions = ExtensionMap::default();
        extensions.add(&config.extensions);
        let mid = config.mid.as_ref().map(|mid| Bytes::copy_from_slice(mid.as_bytes()));
        Self { config, extensions, streams, mid }
    }

    /// The stream of an encoding that may send now, and the format of `payload`.
    pub(super) fn ready(
        &mut self,
        id: SenderId,
        encoding: usize,
        payload: u8,
    ) -> Result<(&mut OutboundStream, &Payload), MediaError> {
        let count = self.streams.len();
        let Some(stream) = self.streams.get_mut(encoding) else {
            return Err(MediaError::UnknownEncoding { sender: id, index: encoding, count });
        };
        let Some(format) = self.config.payloads.iter().find(|format| format.number == payload) else {
            return Err(MediaError::UnknownPayload { sender: id, payload });
        };
        if !self.config.active || !stream.config.active {
            return Err(MediaError::Inactive(id));
        }
        Ok((stream, format))
    }

    /// Fills in which section and layer a packet belongs to, as long as the other side may not know it (RFC 9143 9.2, RFC 8852).
    /// What has no identifier is left out when the packet is written.
    pub(super) fn identify(&self, encoding: usize, repair: bool, values: &mut ExtensionValues) {
        let stream = &self.streams[encoding];
        (values.mid, values.rid, values.repaired_rid) = (None, None, None);
        // Retransmissions have an SSRC of their own, on which nobody reports.
        if stream.known_to_remote && !repair {
            return;
        }
        values.mid.clone_from(&self.mid);
        if repair {
            values.repaired_rid = stream.rid();
        } else {
            values.rid = stream.rid();
        }
    }

    /// The most bytes that the header of a packet of this sender may have, without contributing sources; and what RTX adds. Of what only some
    /// packets say, `values` has what this one does.
    pub(super) fn most_header(&self, encoding: usize, values: &ExtensionValues) -> usize {
        let has = |extension| self.extensions.id(extension).is_some();
        let element = |extension, len: usize| if has(extension) { len + 2 } else { 0 };
        let mid = self.mid.as_ref().map_or(0, |mid| element(Extension::Mid, mid.len()));
        let rid = self.streams[encoding].config.rid.as_ref().map_or(0, |rid| {
            element(Extension::Rid, rid.len()).max(element(Extension::RepairedRid, rid.len()))
        });
        let values = [
            (Extension::AbsSendTime, 3, true),
            (Extension::TransportCc, 2, true),
            (Extension::AudioLevel, 1, values.audio_level.is_some()),
            (Extension::VideoOrientation, 1, values.video_orientation.is_some()),
            (Extension::PlayoutDelay, 3, values.playout_delay.is_some()),
        ];
        let values = values.iter().filter(|(_, _, there)| *there);
        let block = mid + rid + values.map(|&(extension, len, _)| element(extension, len)).sum::<usize>();
        12 + if block > 0 { 4 + block.next_multiple_of(4) } else { 0 } + 2
    }
}
