//! Audio and video between two connections, beside data and without.

use std::time::Duration;

use ossa_media::{Codec, EncodedFrame, Kind, MediaEvent};
use ossa_peer::stats::Stats;
use ossa_peer::*;

use super::net::*;

fn with_media(index: usize) -> Config {
    let media = MediaSettings {
        capabilities: MediaCapabilities::shared(),
        wall_clock: Duration::from_secs(1_700_000_000),
    };
    Config { media: Some(media), ..config(index) }
}

fn pair() -> Net {
    Net::with(with_media(0), with_media(1))
}

impl Net {
    fn track(&mut self, node: usize, kind: Kind) -> TransceiverId {
        let init =
            TransceiverInit { by_track: true, streams: vec!["s".into()], ..TransceiverInit::default() };
        self.nodes[node].conn.add_transceiver(kind, init).unwrap()
    }

    /// Sends frames of 20 ms, marked by `mark`, and lets them arrive.
    fn talk(&mut self, node: usize, id: TransceiverId, count: u32, mark: u8) {
        for number in 0..count {
            self.say(node, id, 960 * number, vec![mark, number as u8]).unwrap();
            self.run(Duration::from_millis(20));
        }
        self.run(Duration::from_millis(500));
    }

    fn say(&mut self, node: usize, id: TransceiverId, timestamp: u32, data: Vec<u8>) -> Result<(), Error> {
        let parameters = self.nodes[node].conn.media_parameters();
        let send = &parameters.iter().find(|section| section.transceiver == id).unwrap().send;
        let payload = send.payloads.iter().find(|payload| payload.codec == Codec::Opus).unwrap().number;
        let frame = EncodedFrame {
            payload,
            timestamp,
            data: data.into(),
            marker: false,
            key_frame: true,
            audio_level: None,
            video_orientation: None,
            csrcs: Vec::new(),
        };
        self.nodes[node].conn.send_frame(self.now, id, 0, frame)
    }

    /// Frames that a node has received with this mark.
    fn heard(&self, node: usize, mark: u8) -> usize {
        let of = |event: &&MediaEvent| matches!(event, MediaEvent::Frame { frame, .. } if frame.data.first() == Some(&mark));
        self.media(node).filter(of).count()
    }

    fn media(&self, node: usize) -> impl Iterator<Item = &MediaEvent> {
        self.nodes[node].events.iter().filter_map(|event| match event {
            Event::Media(event) => Some(&**event),
            _ => None,
        })
    }

    fn faults(&self) -> Vec<&Event> {
        let all = self.nodes.iter().flat_map(|node| &node.events);
        all.filter(|event| matches!(event, Event::MediaFault { .. })).collect()
    }
}

#[test]
fn speech_goes_both_ways_beside_data_with_each_version_of_dtls() {
    for (versions, in_checks) in [
        (DtlsVersions::Auto, true),
        (DtlsVersions::V1_2, true),
        (DtlsVersions::V1_2, false),
        (DtlsVersions::V1_3, false),
    ] {
        let with = |index| {
            let config = with_media(index);
            Config { dtls: DtlsConfig { versions, in_checks, ..config.dtls.clone() }, ..config }
        };
        let mut net = Net::with(with(0), with(1));
        let (a, b) = (net.track(0, Kind::Audio), net.track(1, Kind::Audio));
        let (channel, other) = net.open_channel(DataChannelInit::default());
        net.talk(0, a, 10, 1);
        net.talk(1, b, 10, 2);
        net.send(0, channel, vec![7; 100_000]);
        net.until("received", |net| net.received(1, other) == 1);
        assert_eq!((net.heard(1, 1), net.heard(0, 2)), (10, 10), "{versions:?} {in_checks}");
        assert!(net.faults().is_empty(), "{:?}", net.faults());
        let stats = net.nodes[0].conn.media_stats().unwrap();
        assert_eq!((stats.outbound[0].packets_sent, stats.inbound[0].packets_received), (10, 10));
    }
}

#[test]
fn speech_needs_no_data_and_data_may_come_later() {
    let mut net = pair();
    let a = net.track(0, Kind::Audio);
    net.connect();
    assert!(net.nodes[0].conn.snapshot().sctp.is_none());
    net.talk(0, a, 5, 1);
    assert_eq!(net.heard(1, 1), 5);
    let channel = net.channel(1, DataChannelInit::default());
    net.negotiate(1);
    net.until("open", |net| net.is_open(1, channel));
    net.talk(0, a, 5, 2);
    assert_eq!(net.heard(1, 2), 5);
}

#[test]
fn speech_joins_data_that_flows_and_a_second_speaker_joins_the_first() {
    let mut net = pair();
    let (channel, other) = net.open_channel(DataChannelInit::default());
    let a = net.track(0, Kind::Audio);
    net.negotiate(0);
    net.talk(0, a, 5, 1);
    let second = net.track(0, Kind::Audio);
    net.negotiate(0);
    net.talk(0, a, 5, 2);
    net.talk(0, second, 5, 3);
    net.send(0, channel, vec![7]);
    net.until("received", |net| net.received(1, other) == 1);
    assert_eq!((net.heard(1, 1), net.heard(1, 2), net.heard(1, 3)), (5, 5, 5));
    let started = |event: &&MediaEvent| matches!(event, MediaEvent::StreamStarted { .. });
    assert_eq!(net.media(1).filter(started).count(), 2, "a stream that goes on is not a new one");
}

#[test]
fn what_is_on_hold_is_not_sent_and_comes_back() {
    let mut net = pair();
    let a = net.track(0, Kind::Audio);
    net.track(1, Kind::Audio);
    net.connect();
    net.talk(0, a, 3, 1);
    net.nodes[0].conn.set_direction(net.now, a, Direction::RecvOnly).unwrap();
    assert_eq!(net.say(0, a, 9600, vec![2]).unwrap_err().kind, ErrorKind::InvalidState);
    net.negotiate(0);
    let gone = |event: &Event| matches!(event, Event::Track(TrackChange::ReceivesNothing { .. }));
    assert!(net.nodes[1].events.iter().any(gone));
    net.nodes[0].conn.set_direction(net.now, a, Direction::SendRecv).unwrap();
    net.negotiate(0);
    net.talk(0, a, 3, 3);
    assert_eq!((net.heard(1, 1), net.heard(1, 2), net.heard(1, 3)), (3, 0, 3));
}

#[test]
fn a_track_that_is_stopped_says_goodbye_and_leaves_the_rest_alone() {
    let mut net = pair();
    let (a, b) = (net.track(0, Kind::Audio), net.track(0, Kind::Audio));
    net.connect();
    net.talk(0, a, 3, 1);
    net.talk(0, b, 3, 2);
    net.nodes[0].conn.stop_transceiver(net.now, a).unwrap();
    net.negotiate(0);
    net.run(Duration::from_secs(1));
    for node in &net.nodes {
        let stopped = |event: &Event| matches!(event, Event::Track(TrackChange::Stopped { .. }));
        assert_eq!(
            (node.events.iter().filter(|e| stopped(e)).count(), node.conn.transceivers().len()),
            (1, 1)
        );
    }
    net.talk(0, b, 3, 3);
    assert_eq!((net.heard(1, 2), net.heard(1, 3)), (3, 3));
}

#[test]
fn an_ice_restart_does_not_interrupt_speech() {
    let mut net = pair();
    let a = net.track(0, Kind::Audio);
    net.connect();
    net.talk(0, a, 3, 1);
    net.nodes[0].conn.restart_ice();
    net.negotiate(0);
    net.talk(0, a, 10, 2);
    assert_eq!(net.heard(1, 2), 10);
    let started = |event: &&MediaEvent| matches!(event, MediaEvent::StreamStarted { .. });
    assert_eq!(net.media(1).filter(started).count(), 1);
}

#[test]
fn an_offer_that_is_withdrawn_does_not_interrupt_speech() {
    let mut net = pair();
    let a = net.track(0, Kind::Audio);
    net.connect();
    net.track(0, Kind::Video);
    let offer = net.set_local(0, SdpType::Offer);
    net.set_remote(1, SdpType::Offer, &offer);
    net.nodes[0].conn.set_local_description(net.now, SdpType::Rollback, "").unwrap();
    net.nodes[1].conn.set_remote_description(net.now, SdpType::Rollback, "").unwrap();
    net.talk(0, a, 5, 1);
    assert_eq!((net.heard(1, 1), net.nodes[1].conn.transceivers().len()), (5, 1));
}

#[test]
fn packets_of_strangers_and_damaged_ones_are_counted_and_not_heard() {
    let mut net = pair();
    let a = net.track(0, Kind::Audio);
    net.connect();
    net.tap = Some(Box::new(|_, datagram| {
        if (128..192).contains(&datagram[0]) {
            let last = datagram.len() - 1;
            datagram[last] ^= 1;
        }
        true
    }));
    net.talk(0, a, 5, 1);
    assert_eq!(net.heard(1, 1), 0);
    assert!(net.nodes[1].conn.media_stats().unwrap().dropped.unauthentic >= 5);
    net.tap = None;
    let (to, stranger) = (net.nodes[1].addrs[0], "192.0.2.66:6".parse().unwrap());
    for len in 0..40 {
        let mut packet = vec![0x80; len];
        packet.extend([111, 0, 1]);
        net.nodes[1].conn.handle_datagram(net.now, to, net.nodes[0].addrs[0], &packet);
        assert!(!net.nodes[1].conn.handle_datagram(net.now, to, stranger, &packet));
    }
    net.talk(0, a, 5, 2);
    assert_eq!(net.heard(1, 2), 5);
}

#[test]
fn a_peer_without_media_gets_none_and_data_as_ever() {
    let mut net = Net::with(with_media(0), config(1));
    let a = net.track(0, Kind::Audio);
    let (channel, other) = net.open_channel(DataChannelInit::default());
    assert_eq!(net.say(0, a, 0, vec![1]).unwrap_err().kind, ErrorKind::InvalidState);
    net.send(0, channel, vec![7]);
    net.until("received", |net| net.received(1, other) == 1);
    assert!(net.nodes[1].conn.media_stats().is_none() && net.faults().is_empty());
    let error = net.nodes[1].conn.add_transceiver(Kind::Audio, TransceiverInit::default()).unwrap_err();
    assert_eq!(error.kind, ErrorKind::NotSupported);
}

#[test]
fn large_pictures_share_the_path_with_a_transfer() {
    let mut net = pair();
    let video = net.track(0, Kind::Video);
    let (channel, other) = net.open_channel(DataChannelInit::default());
    let parameters = net.nodes[0].conn.media_parameters();
    let payload = parameters[0].send.payloads[0].number;
    for number in 0..20u32 {
        net.send(0, channel, vec![number as u8; 50_000]);
        let frame = EncodedFrame {
            payload,
            timestamp: 3_000 * number,
            data: vec![0; 20_000].into(),
            marker: false,
            key_frame: number == 0,
            audio_level: None,
            video_orientation: None,
            csrcs: Vec::new(),
        };
        net.nodes[0].conn.send_frame(net.now, video, 0, frame).unwrap();
        net.run(Duration::from_millis(33));
    }
    net.until("received", |net| net.received(1, other) == 20);
    let sizes: Vec<_> = net
        .media(1)
        .filter_map(|event| match event {
            MediaEvent::Frame { frame, .. } => Some(frame.data.len()),
            _ => None,
        })
        .collect();
    assert_eq!(sizes, [20_000; 20]);
    // What the other side has reported of the path is told of the selected pair, and of no other.
    let report = net.nodes[0].conn.stats(net.now);
    let pairs = report.entries.iter().filter_map(|entry| match entry {
        Stats::CandidatePair(pair) => Some(pair),
        _ => None,
    });
    let told: Vec<_> = pairs.filter_map(|pair| Some((&pair.id, pair.available_outgoing_bitrate?))).collect();
    let selected = net.transport_stats(0).selected_candidate_pair_id;
    assert!(matches!(told[..], [(pair, 100_000..)] if Some(pair) == selected.as_ref()), "{told:?}");
}
