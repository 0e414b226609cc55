//! Whether something comes: for a receiver, and of each layer of its simulcast.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::MediaSession;
use crate::event::MediaEvent;
use crate::types::ReceiverId;

/// A receiver of which nothing came for so long is silent. Opus sends a packet each 400 ms when nobody speaks.
const SILENCE: Duration = Duration::from_secs(5);
/// And a layer of simulcast: it is video, of which something comes each second even of a picture that stands still.
const LAYER_SILENCE: Duration = Duration::from_secs(3);

/// Whether something comes for a receiver.
#[derive(Debug)]
pub(super) struct Activity {
    last: Instant,
    silent: bool,
}

impl MediaSession {
    /// A packet came for a receiver.
    pub(super) fn heard(&mut self, now: Instant, receiver: ReceiverId) {
        let activity = self.activity.entry(receiver).or_insert(Activity { last: now, silent: true });
        activity.last = now;
        if std::mem::take(&mut activity.silent) {
            self.check_silence_at(now + SILENCE);
            self.emit(MediaEvent::Unmute { receiver });
        }
    }

    /// A packet of a stream came, which may be a layer of simulcast.
    pub(super) fn layer_heard(&mut self, now: Instant, ssrc: u32) {
        let Some(stream) = self.streams.get_mut(&ssrc) else { return };
        let (receiver, Some(rid)) = (stream.receiver, &stream.rid) else { return };
        if !stream.flows {
            stream.flows = true;
            let rid = rid.clone();
            self.check_silence_at(now + LAYER_SILENCE);
            self.emit(MediaEvent::LayerUnmute { receiver, rid });
        }
    }

    /// Tells that nothing comes for a receiver any more, if something did.
    pub(super) fn silence(&mut self, receiver: ReceiverId) {
        let silent = self.activity.get_mut(&receiver).map(|activity| &mut activity.silent);
        if silent.is_some_and(|silent| !std::mem::replace(silent, true)) {
            self.emit(MediaEvent::Mute { receiver });
        }
    }

    /// Forgets a stream.
    pub(super) fn drop_stream(&mut self, ssrc: u32) {
        self.deadlines.remove(ssrc);
        if let Some(stream) = self.streams.remove(&ssrc)
            && stream.flows
            && let Some(rid) = stream.rid
        {
            self.layer_stopped(stream.receiver, rid);
        }
    }

    /// Looks for what has become silent, if it is time.
    pub(super) fn check_silence(&mut self, now: Instant) {
        if self.next_silence_check.is_none_or(|at| at > now) {
            return;
        }
        let late: Vec<ReceiverId> = self
            .activity
            .iter()
            .filter(|(_, activity)| !activity.silent && activity.last + SILENCE <= now)
            .map(|(&receiver, _)| receiver)
            .collect();
        late.into_iter().for_each(|receiver| self.silence(receiver));
        let mut stopped = Vec::new();
        for stream in self.streams.values_mut().filter(|stream| stream.flows) {
            if stream.last_packet + LAYER_SILENCE <= now {
                stream.flows = false;
                stopped.extend(stream.rid.clone().map(|rid| (stream.receiver, rid)));
            }
        }
        stopped.into_iter().for_each(|(receiver, rid)| self.layer_stopped(receiver, rid));
        let speaking = self.activity.values().filter(|activity| !activity.silent);
        let flowing = self.streams.values().filter(|stream| stream.flows);
        let layers = flowing.map(|stream| stream.last_packet + LAYER_SILENCE);
        self.next_silence_check = speaking.map(|activity| activity.last + SILENCE).chain(layers).min();
    }

    /// A stream of a layer has stopped. The layer may go on with another one, of a sender that began anew.
    fn layer_stopped(&mut self, receiver: ReceiverId, rid: Bytes) {
        let mut others = self.streams.values().filter(|stream| stream.flows && stream.receiver == receiver);
        if !others.any(|stream| stream.rid.as_ref() == Some(&rid)) {
            self.emit(MediaEvent::LayerMute { receiver, rid });
        }
    }

    fn check_silence_at(&mut self, at: Instant) {
        self.next_silence_check = Some(self.next_silence_check.map_or(at, |before| before.min(at)));
    }
}
