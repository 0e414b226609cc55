//! Channels against a peer that says anything at all.

use std::collections::HashSet;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_sctp::{Association, Config, Event as SctpEvent, Message, Received};
use proptest::prelude::*;

mod short_lived;

use super::{ChannelId, Channels, DataChannelInit, MessageKind};
use crate::dcep::{Open, write_open};
use crate::event::Event;
use crate::jsep::DtlsRole;

/// Our channels on an association, and the peer's bare association.
struct World {
    now: Instant,
    channels: Channels,
    ends: [Association; 2],
    open: HashSet<ChannelId>,
    known: HashSet<ChannelId>,
    closed: HashSet<ChannelId>,
}

#[derive(Debug, Clone)]
enum Op {
    Create(Option<u16>),
    Send(u8, usize),
    Close(u8),
    /// The peer sends on a stream.
    Peer(u16, u32, Vec<u8>),
    PeerOpen(u16, bool),
    PeerReset(u16),
    Wait(u64),
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        prop_oneof![Just(None), (0u16..12).prop_map(Some)].prop_map(Op::Create),
        (any::<u8>(), 0usize..3000).prop_map(|(c, len)| Op::Send(c, len)),
        any::<u8>().prop_map(Op::Close),
        (0u16..12, 49u32..59, proptest::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(s, p, d)| Op::Peer(s, p, d)),
        (0u16..12, any::<bool>()).prop_map(|(s, o)| Op::PeerOpen(s, o)),
        (0u16..12).prop_map(Op::PeerReset),
        (1u64..8000).prop_map(Op::Wait),
    ]
}

#[allow(clippy::disallowed_methods)]
fn start() -> Instant {
    Instant::now()
}

impl World {
    fn new() -> Self {
        let end = |seed: u8| Association::new(Config::default(), [seed; 32]);
        let mut channels = Channels::new(1_000_000, 100_000);
        channels.set_role(DtlsRole::Client);
        let mut world = World {
            now: start(),
            channels,
            ends: [end(1), end(2)],
            open: HashSet::new(),
            known: HashSet::new(),
            closed: HashSet::new(),
        };
        for end in &mut world.ends {
            end.connect(world.now);
        }
        world.pump();
        world
    }

    /// Carries packets both ways until there are none, without time passing.
    fn pump(&mut self) {
        loop {
            let mut busy = false;
            for from in 0..2 {
                let mut packet = Vec::new();
                while self.ends[from].poll_transmit(self.now, &mut packet).is_some() {
                    busy = true;
                    self.ends[1 - from].handle_packet(self.now, Bytes::from(std::mem::take(&mut packet)));
                }
            }
            self.take();
            while self.ends[1].poll_event().is_some() || self.ends[1].recv().is_some() {}
            if !busy {
                return;
            }
        }
    }

    /// Our side takes what has come, as the connection does.
    fn take(&mut self) {
        self.transfer();
        self.check();
    }

    fn transfer(&mut self) {
        let sctp = &mut self.ends[0];
        while let Some(event) = sctp.poll_event() {
            match event {
                SctpEvent::Connected { outbound_streams, .. } => {
                    self.channels.connected(self.now, outbound_streams, sctp);
                }
                SctpEvent::OutgoingResetDone { stream } | SctpEvent::OutgoingResetFailed { stream } => {
                    self.channels.outgoing_reset(self.now, stream, sctp);
                }
                SctpEvent::Released { stream, bytes } => self.channels.released(stream, bytes),
                _ => {}
            }
        }
        while let Some(received) = sctp.recv() {
            match received {
                Received::Message(m) => self.channels.handle_message(self.now, m, sctp),
                Received::StreamsReset(streams) => self.channels.incoming_reset(self.now, &streams, sctp),
            }
        }
    }

    fn check(&mut self) {
        while let Some(event) = self.channels.poll_event() {
            match event {
                Event::ChannelAnnounced { id, .. } => assert!(self.known.insert(id), "announced twice"),
                Event::ChannelOpen { id, .. } => {
                    assert!(self.known.contains(&id) && self.open.insert(id), "opened twice or unknown");
                }
                Event::Message { id, .. } | Event::ChannelClosing { id } => {
                    assert!(self.open.contains(&id) && !self.closed.contains(&id));
                }
                Event::ChannelClosed { id, .. } => {
                    assert!(self.known.contains(&id) && self.closed.insert(id), "closed twice or unknown");
                }
                _ => {}
            }
        }
        let with_stream = self.channels.iter().filter(|c| c.stream.is_some()).count();
        assert_eq!(with_stream, self.channels.by_stream.len(), "one channel per stream");
        for channel in self.channels.iter() {
            let Some(stream) = channel.stream else { continue };
            assert_eq!(self.channels.by_stream.get(&stream), Some(&channel.id));
        }
    }

    fn pick(&self, index: u8) -> Option<ChannelId> {
        let n = self.channels.by_id.len();
        self.channels.by_id.keys().nth(usize::from(index) % n.max(1)).copied()
    }

    fn run(&mut self, op: Op) {
        match op {
            Op::Create(negotiated) => {
                let init = DataChannelInit { negotiated, ordered: false, ..DataChannelInit::default() };
                if let Ok(id) = self.channels.create(self.now, init, Some(&mut self.ends[0])) {
                    self.known.insert(id);
                }
            }
            Op::Send(index, len) => {
                if let Some(id) = self.pick(index) {
                    let data = Bytes::from(vec![1; len]);
                    let _ =
                        self.channels.send(self.now, id, MessageKind::Binary, data, Some(&mut self.ends[0]));
                }
            }
            Op::Close(index) => {
                if let Some(id) = self.pick(index) {
                    self.channels.close(self.now, id, Some(&mut self.ends[0]));
                }
            }
            Op::Peer(stream, ppid, data) => {
                let _ = self.ends[1].send(self.now, stream, ppid, data.into(), Default::default());
            }
            Op::PeerOpen(stream, ordered) => {
                let open = Open {
                    ordered,
                    max_retransmits: None,
                    max_packet_life_time: None,
                    priority: 256,
                    label: "peer".to_owned(),
                    protocol: String::new(),
                };
                let _ = self.ends[1].send(self.now, stream, 50, write_open(&open).into(), Default::default());
            }
            Op::PeerReset(stream) => {
                let _ = self.ends[1].reset_stream(stream);
            }
            Op::Wait(ms) => {
                self.now += Duration::from_millis(ms);
                for end in &mut self.ends {
                    end.handle_timeout(self.now);
                }
                self.channels.handle_timeout(self.now, Some(&mut self.ends[0]));
            }
        }
        self.take();
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    #[test]
    fn channels_stay_consistent_whatever_either_side_does(
        ops in proptest::collection::vec((op(), any::<bool>()), 1..60),
    ) {
        let mut world = World::new();
        for (op, pump) in ops {
            world.run(op);
            if pump {
                world.pump();
            }
        }
        // In the end everything that was created is closed exactly once.
        let ids: Vec<ChannelId> = world.channels.by_id.keys().copied().collect();
        for id in ids {
            world.channels.close(world.now, id, Some(&mut world.ends[0]));
        }
        world.pump();
        world.channels.close_all(None);
        world.check();
        prop_assert_eq!(&world.known, &world.closed);
        prop_assert!(world.channels.by_stream.is_empty());
    }
}

#[test]
fn messages_that_overtake_their_announcement_wait_for_it() {
    let mut world = World::new();
    let message = |ppid, payload: Bytes| Message { stream: 5, ppid, unordered: true, payload };
    let open = Open {
        ordered: false,
        max_retransmits: None,
        max_packet_life_time: None,
        priority: 256,
        label: "late".to_owned(),
        protocol: String::new(),
    };
    let sctp = &mut world.ends[0];
    for text in ["one", "two"] {
        world.channels.handle_message(world.now, message(51, Bytes::from_static(text.as_bytes())), sctp);
    }
    assert!(world.channels.poll_event().is_none());
    world.channels.handle_message(world.now, message(50, write_open(&open).into()), sctp);
    let mut names = Vec::new();
    while let Some(event) = world.channels.poll_event() {
        names.push(match event {
            Event::ChannelAnnounced { .. } => "announced".to_owned(),
            Event::ChannelOpen { .. } => "open".to_owned(),
            Event::Message { data, .. } => String::from_utf8_lossy(&data).into_owned(),
            other => format!("{other:?}"),
        });
    }
    assert_eq!(names, ["announced", "open", "one", "two"]);
}

#[test]
fn the_old_form_of_fragmentation_is_put_together() {
    let mut world = World::new();
    let init = DataChannelInit { negotiated: Some(3), ..DataChannelInit::default() };
    world.channels.create(world.now, init, Some(&mut world.ends[0])).unwrap();
    while world.channels.poll_event().is_some() {}
    let sctp = &mut world.ends[0];
    for (ppid, text) in [(54, "ab"), (54, "cd"), (51, "ef"), (52, "12"), (53, "34"), (51, "alone")] {
        let payload = Bytes::from_static(text.as_bytes());
        world.channels.handle_message(
            world.now,
            Message { stream: 3, ppid, unordered: false, payload },
            sctp,
        );
    }
    let mut got = Vec::new();
    while let Some(event) = world.channels.poll_event() {
        if let Event::Message { kind, data, .. } = event {
            got.push((kind, String::from_utf8_lossy(&data).into_owned()));
        }
    }
    let expected =
        [(MessageKind::Text, "abcdef"), (MessageKind::Binary, "1234"), (MessageKind::Text, "alone")];
    assert_eq!(got, expected.map(|(k, t)| (k, t.to_owned())));
}

/// What a raw peer sees of a stream: DCEP messages that we sent, and whether we have reset it.
#[derive(Default, Debug, PartialEq)]
struct Seen {
    acks: usize,
    resets: usize,
}

impl World {
    fn peer_sends(&mut self, stream: u16, ppid: u32, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.ends[1].send(self.now, stream, ppid, payload, Default::default()).unwrap();
    }

    /// Runs for some seconds of virtual time and tells what the peer sees of a stream.
    fn watch(&mut self, stream: u16) -> Seen {
        let mut seen = Seen::default();
        for _ in 0..40 {
            for from in 0..2 {
                let mut packet = Vec::new();
                while self.ends[from].poll_transmit(self.now, &mut packet).is_some() {
                    self.ends[1 - from].handle_packet(self.now, Bytes::from(std::mem::take(&mut packet)));
                }
            }
            self.transfer();
            while self.ends[1].poll_event().is_some() {}
            while let Some(received) = self.ends[1].recv() {
                match received {
                    Received::Message(m) if m.stream == stream && m.payload == crate::dcep::ack() => {
                        seen.acks += 1;
                    }
                    Received::StreamsReset(streams) if streams.contains(&stream) => seen.resets += 1,
                    _ => {}
                }
            }
            self.now += Duration::from_millis(50);
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
        }
        seen
    }

    /// The names of what has happened, and the texts of messages.
    fn happened(&mut self) -> Vec<String> {
        let mut names = Vec::new();
        while let Some(event) = self.channels.poll_event() {
            names.push(match event {
                Event::ChannelAnnounced { info, .. } => format!("announced {}", info.label),
                Event::ChannelOpen { .. } => "open".to_owned(),
                Event::Message { data, .. } => String::from_utf8_lossy(&data).into_owned(),
                Event::ChannelClosing { .. } => "closing".to_owned(),
                Event::ChannelClosed { error: None, .. } => "closed".to_owned(),
                Event::ChannelClosed { error: Some(error), .. } => format!("failed: {}", error.message),
                _ => continue,
            });
        }
        names
    }
}

fn open_message(label: &str) -> Vec<u8> {
    write_open(&Open {
        ordered: true,
        max_retransmits: None,
        max_packet_life_time: None,
        priority: 256,
        label: label.to_owned(),
        protocol: String::new(),
    })
}

const CLOSED_WITHOUT_ACK: Seen = Seen { acks: 0, resets: 1 };

#[test]
fn a_channel_that_the_peer_announces_on_the_stream_of_ours_closes_it_and_leaks_nothing_into_it() {
    for negotiated in [None, Some(4), Some(5)] {
        let mut world = World::new();
        let init = DataChannelInit { negotiated, ..DataChannelInit::default() };
        let id = world.channels.create(world.now, init, Some(&mut world.ends[0])).unwrap();
        let stream = world.channels.info(id).unwrap().stream_id.unwrap();
        assert_eq!(world.happened(), ["open"]);
        world.peer_sends(stream, 50, &open_message("theirs"));
        world.peer_sends(stream, 51, b"a message of theirs");
        assert_eq!(world.watch(stream), CLOSED_WITHOUT_ACK);
        let happened = world.happened();
        assert!(
            matches!(&happened[..], [one] if one.starts_with("failed") && one.contains("theirs")),
            "{happened:?}"
        );
        assert!(world.channels.info(id).is_none());
        // When the peer has closed its direction too, the id can be used again.
        world.ends[1].reset_stream(stream).unwrap();
        world.watch(stream);
        assert!(world.channels.is_free(stream));
    }
}

#[test]
fn a_channel_that_is_announced_twice_closes() {
    let mut world = World::new();
    world.peer_sends(5, 50, &open_message("once"));
    world.peer_sends(5, 51, b"one");
    world.peer_sends(5, 50, &open_message("twice"));
    world.peer_sends(5, 51, b"two");
    assert_eq!(world.watch(5), Seen { acks: 1, resets: 1 });
    let happened = world.happened();
    assert_eq!(happened[..3], ["announced once", "open", "one"]);
    assert!(happened[3].starts_with("failed") && happened.len() == 4, "{happened:?}");
}

#[test]
fn what_cannot_be_a_new_channel_is_closed_without_an_acknowledgement() {
    let mut cut_short = open_message("cut short");
    cut_short.truncate(15);
    let mut unknown_type = open_message("unknown");
    unknown_type[1] = 0x44;
    // We are the DTLS client: the peer's ids are odd.
    let cases: [(&str, u16, &[u8]); 5] = [
        ("an id of our parity", 6, &open_message("parity")),
        ("the end is missing", 7, &cut_short),
        ("unknown channel type", 7, &unknown_type),
        ("unknown message type", 7, &[0x77, 1, 2, 3]),
        ("almost nothing", 7, &[3]),
    ];
    for (name, stream, message) in cases {
        let mut world = World::new();
        world.peer_sends(stream, 50, message);
        world.peer_sends(stream, 51, b"on it");
        assert_eq!(world.watch(stream), CLOSED_WITHOUT_ACK, "{name}");
        assert_eq!(world.happened(), [""; 0], "{name}");
        // The peer closes its direction; then the stream is as new.
        world.ends[1].reset_stream(stream).unwrap();
        assert_eq!(world.watch(stream), Seen::default(), "{name}");
        world.peer_sends(7, 50, &open_message("proper"));
        assert_eq!(world.watch(7), Seen { acks: 1, resets: 0 }, "{name}");
        assert_eq!(world.happened(), ["announced proper", "open"], "{name}");
    }
}

#[test]
fn an_acknowledgement_of_nothing_changes_nothing() {
    let mut world = World::new();
    world.peer_sends(8, 50, crate::dcep::ack());
    assert_eq!(world.watch(8), Seen::default());
    let id = world.channels.create(world.now, DataChannelInit::default(), Some(&mut world.ends[0])).unwrap();
    assert_eq!(world.happened(), ["open"]);
    assert_eq!(world.channels.info(id).unwrap().stream_id, Some(0));
}

#[test]
fn bad_announcements_on_a_channel_in_use_close_it() {
    for message in [&[3u8, 0, 0][..], &[0x99]] {
        let mut world = World::new();
        world.channels.create(world.now, DataChannelInit::default(), Some(&mut world.ends[0])).unwrap();
        world.happened();
        world.peer_sends(0, 50, message);
        assert_eq!(world.watch(0), CLOSED_WITHOUT_ACK);
        assert!(world.happened()[0].starts_with("failed"));
    }
}

#[test]
fn a_message_in_parts_that_is_too_large_closes_its_channel_instead_of_vanishing() {
    let mut world = World::new();
    world.peer_sends(5, 50, &open_message("parts"));
    for _ in 0..3 {
        world.peer_sends(5, 52, &[1; 40_000]);
    }
    world.peer_sends(5, 53, b"end");
    world.watch(5);
    let happened = world.happened();
    assert!(happened[2].starts_with("failed") && happened.len() == 3, "{happened:?}");
}

#[test]
fn two_ends_that_do_not_know_a_stream_do_not_answer_its_reset_for_ever() {
    let mut world = World::new();
    world.ends[1].reset_stream(9).unwrap();
    let mut resets = 0;
    for _ in 0..40 {
        let seen = world.watch(9);
        resets += seen.resets;
        if seen.resets > 0 {
            world.ends[1].reset_stream(9).unwrap();
        }
    }
    assert!((1..20).contains(&resets), "{resets}");
}

#[test]
fn a_peer_that_answers_our_answer_to_its_reset_gets_no_further_one() {
    let mut world = World::new();
    world.run(Op::PeerOpen(1, true));
    world.pump();
    world.ends[1].reset_stream(1).unwrap();
    let mut resets = 0;
    for from in [1, 0].into_iter().cycle().take(40) {
        let mut packet = Vec::new();
        while world.ends[from].poll_transmit(world.now, &mut packet).is_some() {
            world.ends[1 - from].handle_packet(world.now, Bytes::from(std::mem::take(&mut packet)));
        }
        world.take();
        while let Some(received) = world.ends[1].recv() {
            if matches!(received, Received::StreamsReset(_)) {
                resets += 1;
                // As webrtc-rs does, which may have its next channel on the stream already.
                world.ends[1].reset_stream(1).unwrap();
            }
        }
    }
    assert_eq!(resets, 1);
}
