//! A running session takes whatever a genuine peer sends: no panic, bounded memory, timers still move.
#![no_main]
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ossa_media::rtp::header_len;
use ossa_media::srtp::Outbound;
use ossa_media::{
    Codec, EncodedFrame, Encoding, Extension, Kind, Limits, MediaSession, Payload, ReceiverConfig, ReceiverId,
    SenderConfig, SenderId, SessionConfig, SrtpKeys, SrtpProfile,
};

const PROFILE: SrtpProfile = SrtpProfile::AeadAes128Gcm;

fn keys(client: bool) -> SrtpKeys {
    SrtpKeys::from_exporter(PROFILE, &[5; 56], client).expect("long enough")
}

fn payload(number: u8, codec: Codec, rtx: Option<u8>) -> Payload {
    let video = rtx.is_some();
    Payload {
        number,
        codec,
        clock_rate: if video { 90_000 } else { 48_000 },
        channels: 1,
        fmtp: String::new(),
        rtx,
        nack: video,
        pli: video,
        fir: video,
        transport_cc: true,
        remb: true,
    }
}

fn session(now: Instant) -> MediaSession {
    let config = SessionConfig {
        keys: keys(false),
        cname: "fuzz".into(),
        seed: [3; 32],
        max_packet: 1200,
        wall_clock: Duration::from_secs(1_700_000_000),
        limits: Limits { streams: 8, events: 100, ..Limits::default() },
    };
    let mut session = MediaSession::new(now, config).expect("the configuration is right");
    let extensions: Vec<_> = Extension::ALL.into_iter().zip(1..).collect();
    let video = vec![payload(96, Codec::Vp8, Some(97)), payload(98, Codec::H264, Some(99)), payload(100, Codec::Vp9, Some(101))];
    for (id, kind, payloads) in [(1, Kind::Audio, vec![payload(111, Codec::Opus, None)]), (2, Kind::Video, video)] {
        let receiver = ReceiverConfig {
            kind,
            mid: Some(id.to_string()),
            rids: Vec::new(),
            ssrcs: Vec::new(),
            payloads: payloads.clone(),
            extensions: extensions.clone(),
            active: true,
            raw: false,
        };
        session.set_receiver(now, ReceiverId(id), receiver).expect("the configuration is right");
        let sender = SenderConfig {
            kind,
            mid: Some(id.to_string()),
            encodings: vec![Encoding { rid: None, ssrc: id, rtx_ssrc: Some(id + 10), max_bitrate: None, active: true }],
            payloads,
            extensions: extensions.clone(),
            active: true,
        };
        session.set_sender(now, SenderId(id), sender).expect("the configuration is right");
    }
    session
}

fuzz_target!(|packets: Vec<(u16, bool, u8, Vec<u8>)>| {
    let mut now = Instant::now();
    let mut session = session(now);
    let peer = keys(true);
    let mut sealer = Outbound::new(PROFILE, &peer.local_key, &peer.local_salt).expect("the lengths are right");
    for (number, (wait, report, kind, mut packet)) in packets.into_iter().enumerate() {
        now += Duration::from_millis(u64::from(wait % 2000));
        packet.resize(packet.len().max(12), 0);
        packet[0] = packet[0] & 0x3f | 0x80;
        if report {
            packet[1] = 200 + kind % 8;
            sealer.seal_rtcp(&mut packet);
        } else {
            packet[1] = [111, 96, 97, 98, 99, 100, 101, 224][usize::from(kind % 8)];
            packet[2..4].copy_from_slice(&(number as u16).to_be_bytes());
            packet[8..11].fill(0);
            packet[11] &= 15;
            let ssrc = u32::from(packet[11]);
            let Some(header) = header_len(&packet) else { continue };
            sealer.seal_rtp(&mut packet, header, ssrc, number as u64);
        }
        session.handle_datagram(now, &packet);
        let frame = EncodedFrame {
            payload: 96,
            timestamp: number as u32 * 3000,
            data: Bytes::from_static(&[0x10, 0, 0, 0x9d, 1, 0x2a, 0x40, 1, 0xf0, 0, 0, 0]),
            marker: false,
            key_frame: true,
            audio_level: None,
            video_orientation: None,
            csrcs: Vec::new(),
        };
        session.send_frame(now, SenderId(2), 0, frame).expect("the frame is right, and the queue is emptied");
        session.handle_timeout(now);
        while let Some(datagram) = session.poll_transmit(now) {
            assert!(datagram.len() <= 1200);
        }
        while session.poll_event().is_some() {}
        assert!(session.poll_timeout().is_none_or(|at| at > now), "a timer that is due was served");
        assert!(session.stats().inbound.len() <= 8);
    }
});
