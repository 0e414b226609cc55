//! The encodings of one sender, and what they have in common.

use bytes::Bytes;

use super::outbound::OutboundStream;
use crate::config::{Payload, SenderConfig};
use crate::error::MediaError;
use crate::frame::ExtensionValues;
use crate::rtp::ExtensionMap;
use crate::types::{Extension, SenderId};

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

    /// The most bytes that the header of a packet of this sender may have, without contributing sources; and what RTX adds.
    pub(super) fn most_header(&self, encoding: usize) -> usize {
        let has = |extension| self.extensions.id(extension).is_some();
        let element = |extension, len: usize| if has(extension) { len + 2 } else { 0 };
        let mid = self.mid.as_ref().map_or(0, |mid| element(Extension::Mid, mid.len()));
        let rid = self.streams[encoding].config.rid.as_ref().map_or(0, |rid| {
            element(Extension::Rid, rid.len()).max(element(Extension::RepairedRid, rid.len()))
        });
        let values = [
            (Extension::AbsSendTime, 3),
            (Extension::TransportCc, 2),
            (Extension::AudioLevel, 1),
            (Extension::VideoOrientation, 1),
        ];
        let block = mid + rid + values.iter().map(|&(extension, len)| element(extension, len)).sum::<usize>();
        12 + if block > 0 { 4 + block.next_multiple_of(4) } else { 0 } + 2
    }
}
