//! The encoded media of one receiver, for who takes it as it came: other connections, recorders.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, Weak};

use ossa_media::{Kind, Payload, ReceivedFrame, RtpPacket};
use ossa_peer::TransceiverId;

use super::Common;
use crate::encoded::{EncodedSource, Layer, Origin};
use crate::threads::{Effort, Strand, Work, lock};

/// What a receiver gets, before it is decoded.
pub(super) struct Remote {
    common: Arc<Common>,
    id: TransceiverId,
    source: EncodedSource,
    formats: Mutex<Formats>,
    /// What is to be asked of the connection, which may be locked by whoever wants it.
    packets: AtomicBool,
    key_frames: Mutex<Asked>,
    strand: Strand,
}

/// Which streams a key frame is wanted of.
#[derive(Default)]
struct Asked {
    all: bool,
    /// At most as many as there are layers.
    streams: Vec<u32>,
}

#[derive(Default)]
struct Formats {
    /// Of what was negotiated, when it was last looked at.
    version: Option<u64>,
    payloads: Vec<Payload>,
}

impl Remote {
    pub(super) fn new(common: Arc<Common>, id: TransceiverId, kind: Kind) -> Arc<Self> {
        Arc::new_cyclic(|this: &Weak<Self>| Self {
            common,
            id,
            source: EncodedSource::new(kind, this.clone()),
            formats: Mutex::default(),
            packets: false.into(),
            key_frames: Mutex::default(),
            strand: Strand::new(Effort::Pass, this.clone()),
        })
    }

    /// Where its media arises.
    pub(super) fn source(&self) -> &EncodedSource {
        &self.source
    }

    /// A stream has begun. Called with the connection locked.
    pub(super) fn started(&self, ssrc: u32, rid: Option<&[u8]>) {
        if let Some(rid) = rid.and_then(|rid| std::str::from_utf8(rid).ok()) {
            self.source.set_layer(rid, ssrc);
        }
    }

    /// A packet came. Called with the connection locked.
    pub(super) fn packet(&self, packet: RtpPacket) {
        self.source.push_packet(packet);
    }

    /// A frame came. Called with the connection locked.
    pub(super) fn frame(&self, ssrc: u32, frame: ReceivedFrame) {
        self.source.push_frame(ssrc, frame);
    }

    /// Nothing comes any more.
    pub(super) fn end(&self) {
        self.source.end();
    }

    fn with_formats<R>(&self, f: impl FnOnce(&[Payload]) -> R) -> R {
        let version = self.common.version();
        let known = lock(&self.formats).version == Some(version);
        if !known {
            let parameters = self.common.parameters(self.id);
            let payloads = parameters.map(|parameters| parameters.receive.payloads).unwrap_or_default();
            *lock(&self.formats) = Formats { version: Some(version), payloads };
        }
        f(&lock(&self.formats).payloads)
    }
}

impl Origin for Remote {
    fn format(&self, payload: u8) -> Option<Payload> {
        self.with_formats(|formats| formats.iter().find(|format| format.number == payload).cloned())
    }

    fn formats(&self) -> Vec<Payload> {
        self.with_formats(<[Payload]>::to_vec)
    }

    fn request_key_frame(&self, layer: Option<&Layer>) {
        if self.source.kind() != Kind::Video {
            return;
        }
        let mut asked = lock(&self.key_frames);
        match layer.map(Layer::ssrc) {
            None => asked.all = true,
            Some(Some(ssrc)) if !asked.streams.contains(&ssrc) => asked.streams.push(ssrc),
            // Asked for already, or it will begin with one.
            Some(_) => return,
        }
        drop(asked);
        self.strand.wake();
    }

    fn want_packets(&self, wanted: bool) {
        if self.packets.swap(wanted, Ordering::AcqRel) != wanted {
            self.strand.wake();
        }
    }
}

impl Work for Remote {
    fn work(&self) {
        let Some(peer) = self.common.peer.upgrade() else { return };
        let wanted = self.packets.load(Ordering::Acquire);
        let asked = std::mem::take(&mut *lock(&self.key_frames));
        // Of a panic the sink of the connection knows already. A connection without media, or without this receiver, has nothing to give.
        let _ = peer.with(|connection, now| {
            let _ = connection.set_raw(now, self.id, wanted);
            let streams = asked.streams.into_iter().map(Some).filter(|_| !asked.all);
            for stream in streams.chain(asked.all.then_some(None)) {
                let _ = connection.request_key_frame(now, self.id, stream);
            }
        });
    }

    fn crashed(&self) {
        self.source.end();
    }
}
