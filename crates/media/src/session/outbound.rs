//! One sent stream: its numbers, what is kept of it to be sent again, what the other side says of it.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::clock::from_units;
use super::numbers::Numbers;
use super::repair::{Cache, Sent};
use crate::config::{Encoding, Payload};
use crate::payload::Packetizer;
use crate::rtcp::SenderInfo;
use crate::stats::{OutboundStats, RemoteInboundStats};
use crate::types::{Kind, SenderId};

/// Key frames are asked for at most so often: an encoder has one ready in that time, and one for everybody.
const KEY_FRAME_PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug)]
pub(super) struct OutboundStream {
    pub(super) config: Encoding,
    pub(super) numbers: Numbers,
    /// Those of its retransmissions, where these have an SSRC.
    pub(super) rtx_numbers: Option<Numbers>,
    packetizer: Option<(Payload, Packetizer)>,
    pub(super) cache: Cache,
    /// The last timestamp, when it was handed in, and its clock rate.
    last: Option<(u32, Instant, u32)>,
    /// Sent since the last report but one (RFC 3550 6.4): such a stream gets a sender report.
    sent_since: u8,
    /// The other side has reported on it, so it knows which section and layer it belongs to.
    pub(super) known_to_remote: bool,
    key_frame_told: Option<Instant>,
    fir_number: Option<u8>,
    pub(super) counters: Counters,
    remote: Option<RemoteInboundStats>,
}

/// Where a sent stream stands: whoever goes on with it, begins there.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SendPosition {
    /// The sequence number of the next packet.
    pub next_sequence: u16,
    /// The last timestamp, and when it was handed in; `None` if nothing was.
    pub last: Option<(u32, Instant)>,
    /// The share of packets that was lost, 0 to 1, as the last report of the other side says.
    pub fraction_lost: Option<f64>,
}

#[derive(Debug, Default)]
pub(super) struct Counters {
    payload: Option<u8>,
    /// Of the stream itself, as sender reports tell: without retransmissions of their own SSRC.
    own_packets: u64,
    own_bytes: u64,
    header_bytes: u64,
    padding_packets: u64,
    repeated_packets: u64,
    repeated_bytes: u64,
    pub(super) frames: u64,
    pub(super) key_frames: u64,
    pub(super) nacks: u64,
    pub(super) plis: u64,
    pub(super) firs: u64,
    delay: Duration,
}

impl OutboundStream {
    pub(super) fn new(config: Encoding, numbers: Numbers, kept: usize) -> Self {
        Self {
            config,
            numbers,
            rtx_numbers: None,
            packetizer: None,
            cache: Cache::new(kept),
            last: None,
            sent_since: 0,
            known_to_remote: false,
            key_frame_told: None,
            fir_number: None,
            counters: Counters::default(),
            remote: None,
        }
    }

    /// The packetizer for a format, made anew when the format changes. `None` if there is none for it.
    pub(super) fn packetizer(&mut self, format: &Payload, seed: u16) -> Option<&mut Packetizer> {
        if self.packetizer.as_ref().is_none_or(|(known, _)| known != format) {
            let packetizer = Packetizer::new(format.codec, &format.fmtp, seed)?;
            self.packetizer = Some((format.clone(), packetizer));
        }
        self.packetizer.as_mut().map(|(_, packetizer)| packetizer)
    }

    /// A frame or packet was handed in. Of those with the same timestamp the first counts: a tone keeps that of its begin (RFC 4733 2.2.1).
    pub(super) fn handed_in(&mut self, now: Instant, timestamp: u32, clock_rate: u32) {
        if self.last.is_none_or(|(last, ..)| last != timestamp) {
            self.last = Some((timestamp, now, clock_rate));
        }
    }

    /// A packet went out for the first time. `payload`: its payload type, if that is the stream's codec and not a tone in between.
    pub(super) fn sent(&mut self, payload: Option<u8>, bytes: usize, header: usize, waited: Duration) {
        let counters = &mut self.counters;
        counters.payload = payload.or(counters.payload);
        counters.own_packets += 1;
        counters.own_bytes += bytes as u64;
        counters.header_bytes += header as u64;
        counters.delay += waited;
        self.sent_since = 2;
    }

    /// A packet went out again.
    pub(super) fn sent_again(&mut self, bytes: usize, header: usize) {
        self.counters.repeated_packets += 1;
        self.counters.repeated_bytes += bytes as u64;
        self.counters.header_bytes += header as u64;
    }

    /// A packet without content went out.
    pub(super) fn padded(&mut self, bytes: usize) {
        self.counters.padding_packets += 1;
        self.counters.header_bytes += bytes as u64;
    }

    /// Where it stands.
    pub(super) fn position(&self) -> SendPosition {
        SendPosition {
            next_sequence: self.numbers.upcoming(),
            last: self.last.map(|(timestamp, at, _)| (timestamp, at)),
            fraction_lost: self.remote.as_ref().map(|remote| remote.fraction_lost),
        }
    }

    /// The timestamp of the last frame.
    pub(super) fn last_timestamp(&self) -> u32 {
        self.last.map_or(0, |(timestamp, _, _)| timestamp)
    }

    /// Keeps a packet that went out, to send it again.
    pub(super) fn keep(&mut self, index: u64, sent: Sent) {
        self.cache.insert(index, sent);
    }

    /// What to report of it; `None` if nothing was sent since the last report but one.
    pub(super) fn report(&mut self, now: Instant, ntp: u64) -> Option<SenderInfo> {
        self.sent_since = self.sent_since.checked_sub(1)?;
        let (timestamp, at, clock_rate) = self.last?;
        // The timestamp of this very instant, as if sampling had gone on (RFC 3550 6.4.1).
        let since = now.saturating_duration_since(at).as_nanos() * u128::from(clock_rate) / 1_000_000_000;
        Some(SenderInfo {
            ntp,
            rtp_timestamp: timestamp.wrapping_add(since as u32),
            packets: self.counters.own_packets as u32,
            octets: self.counters.own_bytes as u32,
        })
    }

    /// The other side asks for a key frame. Whether that is worth telling.
    pub(super) fn key_frame_requested(&mut self, now: Instant, fir_number: Option<u8>) -> bool {
        if fir_number.is_some() {
            if fir_number == self.fir_number {
                return false;
            }
            self.fir_number = fir_number;
        }
        let early =
            self.key_frame_told.is_some_and(|told| now.saturating_duration_since(told) < KEY_FRAME_PAUSE);
        if !early {
            self.key_frame_told = Some(now);
        }
        !early
    }

    /// The other side reports on it; returns the round trip, if the report shows one.
    pub(super) fn receiver_report(
        &mut self,
        now: Instant,
        ntp_now: u32,
        report: ReceiverReport,
    ) -> Option<Duration> {
        self.known_to_remote = true;
        let round_trip = (report.last_sr != 0)
            .then(|| ntp_now.wrapping_sub(report.last_sr).wrapping_sub(report.delay))
            // More than half the range is less than nothing: the clocks of both sides are rounded.
            .map(|units| if units > 1 << 31 { Duration::ZERO } else { from_units(units) })
            // A minute is no round trip: the report speaks of one that we did not send.
            .filter(|&round_trip| round_trip < Duration::from_secs(60));
        let before = self.remote.take();
        let (total, count, last) = before.map_or((Duration::ZERO, 0, None), |before| {
            (before.total_round_trip_time, before.round_trip_time_measurements, before.round_trip_time)
        });
        let clock_rate = self.last.map_or(0, |(_, _, clock_rate)| clock_rate);
        let jitter = u64::from(report.jitter) * 1_000_000_000;
        self.remote = Some(RemoteInboundStats {
            packets_lost: i64::from(report.lost),
            fraction_lost: f64::from(report.fraction_lost) / 256.0,
            jitter: Duration::from_nanos(jitter.checked_div(u64::from(clock_rate)).unwrap_or(0)),
            round_trip_time: round_trip.or(last),
            total_round_trip_time: total + round_trip.unwrap_or_default(),
            round_trip_time_measurements: count + u64::from(round_trip.is_some()),
            arrival: now,
        });
        round_trip
    }

    pub(super) fn stats(
        &self,
        (sender, kind, active): (SenderId, Kind, bool),
        encoding: usize,
    ) -> OutboundStats {
        let counters = &self.counters;
        OutboundStats {
            payload: counters.payload,
            packets_sent: counters.own_packets + counters.padding_packets + counters.repeated_packets,
            bytes_sent: counters.own_bytes + counters.repeated_bytes,
            header_bytes_sent: counters.header_bytes,
            retransmitted_packets_sent: counters.repeated_packets,
            retransmitted_bytes_sent: counters.repeated_bytes,
            frames_sent: counters.frames,
            key_frames_sent: counters.key_frames,
            nack_count: counters.nacks,
            pli_count: counters.plis,
            fir_count: counters.firs,
            total_packet_send_delay: counters.delay,
            remote: self.remote.clone(),
            ..OutboundStats::unsent(sender, kind, encoding, &self.config, active)
        }
    }

    /// The layer's name, as it goes into the header extension.
    pub(super) fn rid(&self) -> Option<Bytes> {
        self.config.rid.as_ref().map(|rid| Bytes::copy_from_slice(rid.as_bytes()))
    }
}

/// What a report block says, see [`Feedback::Report`](crate::rtcp::Feedback::Report).
#[derive(Debug, Clone, Copy)]
pub(super) struct ReceiverReport {
    pub(super) fraction_lost: u8,
    pub(super) lost: i32,
    pub(super) jitter: u32,
    pub(super) last_sr: u32,
    pub(super) delay: u32,
}
