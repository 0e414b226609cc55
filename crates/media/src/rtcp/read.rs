//! What came in, reduced to what a session acts on.

use rtcp_types::prelude::*;
use rtcp_types::{
    Bye, Fir, Nack, PayloadFeedback, Pli, ReceiverReport, ReportBlock, RtcpParseError, SenderReport,
    TransportFeedback, Twcc, TwccPacketStatus,
};

use super::remb;

/// Transport-layer feedback, RFC 4585 6.2.
const RTPFB: u8 = 205;
/// Payload-specific feedback, RFC 4585 6.3.
const PSFB: u8 = 206;

/// Statuses that are read of one transport feedback. A few bytes can claim 65,535; at 100 Mbit/s with a feedback each 250 ms it is 2,500.
const MAX_STATUSES: usize = 8192;
/// Sequence numbers that are read of one NACK: more than anybody keeps to send again.
const MAX_NACKED: usize = 4096;

/// One thing that a compound packet says.
#[derive(Debug, Clone, PartialEq)]
pub enum Feedback {
    /// What a sender says of its own stream.
    SenderReport {
        /// The stream.
        ssrc: u32,
        /// The sender's clock, as an NTP timestamp.
        ntp: u64,
        /// The RTP timestamp that goes with it.
        rtp_timestamp: u32,
        /// Packets sent.
        packets: u32,
        /// Bytes of their payloads.
        octets: u32,
    },
    /// What a receiver says of one of our streams.
    Report {
        /// The stream, ours.
        ssrc: u32,
        /// Of 256 packets since the last report.
        fraction_lost: u8,
        /// Expected minus received, 24 bits with a sign.
        lost: i32,
        /// Highest sequence number, with its wraps above.
        highest: u32,
        /// In ticks of the RTP timestamp.
        jitter: u32,
        /// The middle 32 bits of the NTP timestamp of our last report.
        last_sr: u32,
        /// How long ago that report came in, in 1/65536 s.
        delay: u32,
    },
    /// Packets that did not come.
    Nack {
        /// The stream, ours.
        ssrc: u32,
        /// Their sequence numbers.
        sequences: Vec<u16>,
    },
    /// Pictures are lost: a key frame is needed.
    Pli {
        /// The stream, ours.
        ssrc: u32,
    },
    /// A key frame is wanted.
    Fir {
        /// The stream, ours.
        ssrc: u32,
        /// The same number again is the same request again (RFC 5104 4.3.1.1).
        number: u8,
    },
    /// What the receiver can take.
    Remb {
        /// Bits per second.
        bps: u64,
    },
    /// When packets of this transport came in.
    TransportCc {
        /// The number of this feedback; they count up.
        count: u8,
        /// Base of the times, in units of 64 ms, 24 bits.
        reference: u32,
        /// The transport-wide number of the first packet.
        base: u16,
        /// For each number from there on: in units of 250 µs, how much later than the one before it came (the first: than
        /// the base). `None` if it did not come.
        deltas: Vec<Option<i16>>,
    },
    /// A stream has ended.
    Bye {
        /// Which.
        ssrc: u32,
        /// Why.
        reason: Option<String>,
    },
}

/// Reads a decrypted compound packet (RFC 3550 6.1, reduced size: RFC 5506) and hands out what it says.
///
/// Stops after `limit` things were handed out; returns how many packets it did not look at for that. `None` if the bytes are
/// no RTCP at all.
pub fn read(datagram: &mut [u8], limit: usize, mut then: impl FnMut(Feedback)) -> Option<usize> {
    let (mut handed, mut skipped, mut any) = (0, 0, false);
    let mut rest = datagram;
    while let Some(packet) = cut(&mut rest) {
        any = true;
        if handed >= limit {
            skipped += 1;
            continue;
        }
        // A packet that is broken, or of a kind that nobody here acts on, costs itself.
        let _ = one(packet, |feedback| {
            handed += 1;
            then(feedback);
        });
    }
    any.then_some(skipped)
}

/// Cuts the first packet off, without the words of its padding. `None` at the end, or where the lengths make no sense any more.
fn cut<'a>(rest: &mut &'a mut [u8]) -> Option<&'a [u8]> {
    let &[first, _, high, low] = rest.first_chunk::<4>()?;
    let len = 4 * (usize::from(u16::from_be_bytes([high, low])) + 1);
    if first >> 6 != 2 || rest.len() < len {
        return None;
    }
    let (packet, after) = std::mem::take(rest).split_at_mut(len);
    *rest = after;
    if first & 0x20 == 0 {
        return Some(packet);
    }
    let padding = usize::from(packet[len - 1]);
    if padding == 0 || padding + 4 > len {
        return None;
    }
    // Whole words: libwebrtc fills the last word of transport-wide feedback with one to three bytes and counts those, though RFC 3550 6.4.1
    // wants multiples of four. They say nothing, as the statuses before them tell how many times there are.
    let len = len - padding / 4 * 4;
    packet[0] &= !0x20;
    let words = u16::try_from(len / 4 - 1).expect("less than what stood there");
    packet[2..4].copy_from_slice(&words.to_be_bytes());
    Some(&packet[..len])
}

fn one(packet: &[u8], mut then: impl FnMut(Feedback)) -> Result<(), RtcpParseError> {
    match packet[1] {
        SenderReport::PACKET_TYPE => {
            let report = SenderReport::parse(packet)?;
            then(Feedback::SenderReport {
                ssrc: report.ssrc(),
                ntp: report.ntp_timestamp(),
                rtp_timestamp: report.rtp_timestamp(),
                packets: report.packet_count(),
                octets: report.octet_count(),
            });
            report.report_blocks().for_each(|block| then(of_block(&block)));
        }
        ReceiverReport::PACKET_TYPE => {
            ReceiverReport::parse(packet)?.report_blocks().for_each(|block| then(of_block(&block)));
        }
        Bye::PACKET_TYPE => {
            let bye = Bye::parse(packet)?;
            let reason = bye.reason().map(|text| String::from_utf8_lossy(text).into_owned());
            bye.ssrcs().for_each(|ssrc| then(Feedback::Bye { ssrc, reason: reason.clone() }));
        }
        RTPFB => transport(&TransportFeedback::parse(packet)?, then)?,
        PSFB => payload(&PayloadFeedback::parse(packet)?, packet, then)?,
        _ => {}
    }
    Ok(())
}

fn of_block(block: &ReportBlock<'_>) -> Feedback {
    // 24 bits with a sign (RFC 3550 6.4.1): shifted up and down again.
    let lost = (block.cumulative_lost() << 8) as i32 >> 8;
    Feedback::Report {
        ssrc: block.ssrc(),
        fraction_lost: block.fraction_lost(),
        lost,
        highest: block.extended_sequence_number(),
        jitter: block.interarrival_jitter(),
        last_sr: block.last_sender_report_timestamp(),
        delay: block.delay_since_last_sender_report_timestamp(),
    }
}

fn transport(feedback: &TransportFeedback<'_>, mut then: impl FnMut(Feedback)) -> Result<(), RtcpParseError> {
    match feedback.count() {
        Nack::FCI_FORMAT => {
            let sequences = feedback.parse_fci::<Nack<'_>>()?.entries().take(MAX_NACKED).collect();
            then(Feedback::Nack { ssrc: feedback.media_ssrc(), sequences });
        }
        Twcc::FCI_FORMAT => {
            let twcc = feedback.parse_fci::<Twcc<'_>>()?;
            let deltas = twcc
                .packets()
                .take(MAX_STATUSES)
                .map(|packet| {
                    packet.map(|(_, status)| match status {
                        TwccPacketStatus::NotReceived => None,
                        TwccPacketStatus::Received { delta } => Some(delta),
                    })
                })
                .collect::<Result<_, _>>()?;
            then(Feedback::TransportCc {
                count: twcc.feedback_packet_count(),
                reference: twcc.reference_time(),
                base: twcc.base_sequence_number(),
                deltas,
            });
        }
        _ => {}
    }
    Ok(())
}

fn payload(
    feedback: &PayloadFeedback<'_>,
    packet: &[u8],
    mut then: impl FnMut(Feedback),
) -> Result<(), RtcpParseError> {
    match feedback.count() {
        Pli::FCI_FORMAT => then(Feedback::Pli { ssrc: feedback.media_ssrc() }),
        Fir::FCI_FORMAT => {
            for entry in feedback.parse_fci::<Fir<'_>>()?.entries() {
                then(Feedback::Fir { ssrc: entry.ssrc(), number: entry.sequence() });
            }
        }
        // Application layer feedback, of which REMB is one.
        15 => {
            let fci = packet.get(PayloadFeedback::MIN_PACKET_LEN..).unwrap_or_default();
            if let Some((bps, _)) = remb::parse(fci) {
                then(Feedback::Remb { bps });
            }
        }
        _ => {}
    }
    Ok(())
}
