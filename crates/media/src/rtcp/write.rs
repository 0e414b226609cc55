//! Compound packets that go out.

use rtcp_types::prelude::*;
use rtcp_types::{
    Bye, Fir, Nack, PayloadFeedback, Pli, ReceiverReport, ReportBlock, ReportBlockBuilder, Sdes, SdesChunk,
    SdesItem, SenderReport, TransportFeedback, Twcc, TwccPacketStatus,
};

/// Blocks that fit one report: its count has five bits.
const MAX_BLOCKS: usize = 31;
/// The item CNAME (RFC 3550 6.5.1).
const CNAME: u8 = 1;

/// What a sender tells of itself (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    /// The wall clock as an NTP timestamp.
    pub ntp: u64,
    /// The RTP timestamp of the same instant.
    pub rtp_timestamp: u32,
    /// Packets sent; wraps.
    pub packets: u32,
    /// Bytes of their payloads; wraps.
    pub octets: u32,
}

/// What a receiver tells of a stream (RFC 3550 6.4.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReceptionReport {
    /// The stream.
    pub ssrc: u32,
    /// Of 256 packets since the report before.
    pub fraction_lost: u8,
    /// Expected minus received; cut to 24 bits with a sign.
    pub lost: i64,
    /// Highest sequence number, with its wraps above.
    pub highest: u32,
    /// In ticks of the RTP timestamp.
    pub jitter: u32,
    /// The middle 32 bits of the NTP timestamp of the sender's last report.
    pub last_sr: u32,
    /// How long ago that came in, in 1/65536 s.
    pub delay: u32,
}

impl ReceptionReport {
    fn block(&self) -> ReportBlockBuilder {
        let lost = self.lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
        ReportBlock::builder(self.ssrc)
            .fraction_lost(self.fraction_lost)
            .cumulative_lost(lost)
            .extended_sequence_number(self.highest)
            .interarrival_jitter(self.jitter)
            .last_sender_report_timestamp(self.last_sr)
            .delay_since_last_sender_report_timestamp(self.delay)
    }
}

/// A compound packet that is being written. What does not fit any more is refused and leaves it as it was.
#[derive(Debug)]
pub struct Compound {
    out: Vec<u8>,
    max: usize,
}

impl Compound {
    /// An empty one, which will not get longer than `max` bytes.
    pub fn new(max: usize) -> Self {
        Self { out: Vec::with_capacity(max.min(1500)), max }
    }

    /// Whether nothing was written.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    /// Bytes that still fit.
    pub fn room(&self) -> usize {
        self.max - self.out.len()
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// A sender report with as many blocks as fit; returns how many, `None` if not even the report does.
    pub fn sender_report(
        &mut self,
        ssrc: u32,
        info: SenderInfo,
        blocks: &[ReceptionReport],
    ) -> Option<usize> {
        let fit = self.blocks_that_fit(28, blocks.len())?;
        let mut report = SenderReport::builder(ssrc)
            .ntp_timestamp(info.ntp)
            .rtp_timestamp(info.rtp_timestamp)
            .packet_count(info.packets)
            .octet_count(info.octets);
        for block in &blocks[..fit] {
            report = report.add_report_block(block.block());
        }
        self.push(&report).then_some(fit)
    }

    /// A receiver report with as many blocks as fit; returns how many, `None` if not even the report does.
    pub fn receiver_report(&mut self, ssrc: u32, blocks: &[ReceptionReport]) -> Option<usize> {
        let fit = self.blocks_that_fit(8, blocks.len())?;
        let mut report = ReceiverReport::builder(ssrc);
        for block in &blocks[..fit] {
            report = report.add_report_block(block.block());
        }
        self.push(&report).then_some(fit)
    }

    /// The canonical name of streams, at most 31 of them.
    pub fn names(&mut self, ssrcs: &[u32], cname: &str) -> bool {
        let mut sdes = Sdes::builder();
        for &ssrc in ssrcs {
            sdes = sdes.add_chunk(SdesChunk::builder(ssrc).add_item(SdesItem::builder(CNAME, cname)));
        }
        self.push(&sdes)
    }

    /// The end of streams, at most 31 of them.
    pub fn bye(&mut self, ssrcs: &[u32]) -> bool {
        let mut bye = Bye::builder();
        for &ssrc in ssrcs {
            bye = bye.add_source(ssrc);
        }
        self.push(&bye)
    }

    /// Asks for packets again.
    pub fn nack(&mut self, from: u32, media: u32, sequences: &[u16]) -> bool {
        let mut nack = Nack::builder();
        for &sequence in sequences {
            nack = nack.add_rtp_sequence(sequence);
        }
        self.push(&TransportFeedback::builder(&nack).sender_ssrc(from).media_ssrc(media))
    }

    /// Says that pictures are lost.
    pub fn pli(&mut self, from: u32, media: u32) -> bool {
        self.push(&PayloadFeedback::builder(&Pli::builder()).sender_ssrc(from).media_ssrc(media))
    }

    /// Asks for a key frame; the same `number` again is the same request again.
    pub fn fir(&mut self, from: u32, media: u32, number: u8) -> bool {
        // The SSRC of the media source is in the entry, and 0 in the header (RFC 5104 4.3.1.2).
        let fir = Fir::builder().add_ssrc(media, number);
        self.push(&PayloadFeedback::builder(&fir).sender_ssrc(from).media_ssrc(0))
    }

    /// Tells when packets came in, see [`Feedback::TransportCc`](super::Feedback::TransportCc); returns how many of `deltas` are
    /// told, 0 if nothing fits.
    pub fn transport_cc(
        &mut self,
        from: u32,
        media: u32,
        (count, reference, base): (u8, u32, u16),
        deltas: &[Option<i16>],
    ) -> usize {
        let Some(room) = self.room().checked_sub(TransportFeedback::MIN_PACKET_LEN) else {
            return 0;
        };
        let statuses: Vec<_> = deltas
            .iter()
            .map(|delta| {
                delta.map_or(TwccPacketStatus::NotReceived, |delta| TwccPacketStatus::Received { delta })
            })
            .collect();
        let twcc = Twcc::builder(base, reference & 0xff_ffff, count, &statuses, Some(room));
        let told = twcc.packet_status_count();
        let fits =
            told > 0 && self.push(&TransportFeedback::builder(&twcc).sender_ssrc(from).media_ssrc(media));
        if fits { told } else { 0 }
    }

    fn blocks_that_fit(&self, header: usize, wanted: usize) -> Option<usize> {
        let room = self.room().checked_sub(header)?;
        Some(wanted.min(room / ReportBlock::EXPECTED_SIZE).min(MAX_BLOCKS))
    }

    fn push(&mut self, packet: &impl RtcpPacketWriter) -> bool {
        let at = self.out.len();
        let Ok(size) = packet.calculate_size() else { return false };
        if at + size > self.max {
            return false;
        }
        self.out.resize(at + size, 0);
        let written = packet.write_into(&mut self.out[at..]);
        self.out.truncate(at + written.as_ref().copied().unwrap_or(0));
        written.is_ok()
    }
}
