//! Channels that are closed as soon as they are open.

use super::super::linger::{ACK_PATIENCE, GRACE};
use super::*;
use crate::dcep;

const STEP: Duration = Duration::from_millis(5);
const AT_ONCE: Duration = Duration::ZERO;

#[test]
fn a_peer_of_ours_keeps_what_comes_early_and_is_not_waited_for() {
    let mut world = World::new();
    world.channels.set_grants_grace(false);
    let id = world.opens();
    world.sends_and_closes(id);
    assert_at_once(world.reset_of(0, None));
}

/// What a peer does with a channel of ours, which gets the first stream.
#[derive(Clone, Copy, Debug)]
enum Peer {
    Acknowledges,
    Sends,
    Closes,
}

impl World {
    fn opens(&mut self) -> ChannelId {
        let id = self.channels.create(self.now, DataChannelInit::default(), Some(&mut self.ends[0])).unwrap();
        assert_eq!(self.happened(), ["open"]);
        id
    }

    fn sends_and_closes(&mut self, id: ChannelId) {
        for i in 0..20u8 {
            let data = Bytes::from(vec![i]);
            self.channels.send(self.now, id, MessageKind::Binary, data, Some(&mut self.ends[0])).unwrap();
        }
        self.channels.close(self.now, id, Some(&mut self.ends[0]));
    }

    /// When the peer sees the reset of a stream, from now, and how many messages of the application came before. The peer
    /// does something on the stream at a time of its own.
    fn reset_of(&mut self, stream: u16, mut peer: Option<(Duration, Peer)>) -> (Duration, usize) {
        let start = self.now;
        let mut messages = 0;
        loop {
            assert!(self.now - start < Duration::from_secs(20), "the stream is never reset");
            if let Some((_, act)) = peer.take_if(|(at, _)| self.now >= start + *at) {
                match act {
                    Peer::Acknowledges => self.peer_sends(stream, 50, dcep::ack()),
                    Peer::Sends => self.peer_sends(stream, 51, b"hello"),
                    Peer::Closes => self.ends[1].reset_stream(stream).unwrap(),
                }
            }
            for from in [0, 1, 0, 1, 0] {
                let mut packet = Vec::new();
                while self.ends[from].poll_transmit(self.now, &mut packet).is_some() {
                    self.ends[1 - from].handle_packet(self.now, Bytes::from(std::mem::take(&mut packet)));
                }
                self.transfer();
            }
            while self.ends[1].poll_event().is_some() {}
            while let Some(received) = self.ends[1].recv() {
                match received {
                    Received::Message(m) => messages += usize::from(m.stream == stream && m.ppid == 53),
                    Received::StreamsReset(streams) if streams.contains(&stream) => {
                        return (self.now - start, messages);
                    }
                    Received::StreamsReset(_) => {}
                }
            }
            self.now += STEP;
            for end in &mut self.ends {
                end.handle_timeout(self.now);
            }
            self.channels.handle_timeout(self.now, Some(&mut self.ends[0]));
        }
    }

    /// The peer closes its direction as well: the channel is closed, and its id free.
    fn peer_follows(&mut self, stream: u16) {
        self.ends[1].reset_stream(stream).unwrap();
        self.watch(stream);
        assert_eq!(self.happened(), ["closed"]);
        assert!(self.channels.is_free(stream));
        assert_eq!(self.channels.poll_timeout(), None);
    }
}

/// No later than the peer's acknowledgement of the messages, which it may hold back for a moment.
fn assert_at_once((after, messages): (Duration, usize)) {
    assert!(after < GRACE / 2, "{after:?}");
    assert_eq!(messages, 20);
}

#[test]
fn the_peer_has_time_to_listen_to_a_channel_that_is_closed_as_soon_as_it_is_open() {
    for peer in [Peer::Acknowledges, Peer::Sends] {
        let mut world = World::new();
        let id = world.opens();
        world.sends_and_closes(id);
        assert_eq!(world.reset_of(0, Some((AT_ONCE, peer))), (GRACE, 20), "{peer:?}");
        world.peer_follows(0);
    }
}

#[test]
fn a_peer_that_acknowledges_late_or_never_delays_the_close_by_two_seconds_at_most() {
    let late = Duration::from_millis(1500);
    let very_late = Duration::from_millis(1950);
    for (at, expected) in [(Some(late), late + GRACE), (Some(very_late), ACK_PATIENCE), (None, ACK_PATIENCE)]
    {
        let mut world = World::new();
        let id = world.opens();
        world.sends_and_closes(id);
        let peer = at.map(|at| (at, Peer::Acknowledges));
        assert_eq!(world.reset_of(0, peer), (expected, 20), "acknowledged after {at:?}");
        world.peer_follows(0);
    }
}

#[test]
fn both_sides_that_close_at_once_do_not_wait() {
    for acknowledged in [false, true] {
        let mut world = World::new();
        let id = world.opens();
        if acknowledged {
            world.peer_sends(0, 50, dcep::ack());
        }
        world.sends_and_closes(id);
        assert_at_once(world.reset_of(0, Some((AT_ONCE, Peer::Closes))));
        world.watch(0);
        assert_eq!(world.happened(), ["closed"]);
        assert!(world.channels.is_free(0));
        assert_eq!(world.channels.poll_timeout(), None);
    }
}

#[test]
fn a_channel_that_is_closed_before_it_could_open_is_closed_at_once() {
    let mut channels = Channels::new(1_000_000, 100_000);
    channels.set_role(DtlsRole::Client);
    let id = channels.create(start(), DataChannelInit::default(), None).unwrap();
    channels.close(start(), id, None);
    assert!(matches!(channels.poll_event(), Some(Event::ChannelClosed { error: None, .. })));
    assert_eq!(channels.poll_timeout(), None);
    assert!(channels.is_free(0));
}

#[test]
fn a_channel_that_the_peer_has_known_for_a_while_is_closed_at_once() {
    let mut world = World::new();
    let id = world.opens();
    world.peer_sends(0, 50, dcep::ack());
    world.watch(0);
    world.sends_and_closes(id);
    assert_at_once(world.reset_of(0, None));
    world.peer_follows(0);
}

#[test]
fn a_channel_that_nobody_had_to_be_told_of_is_closed_at_once() {
    let mut world = World::new();
    let init = DataChannelInit { negotiated: Some(0), ..DataChannelInit::default() };
    let agreed = world.channels.create(world.now, init, Some(&mut world.ends[0])).unwrap();
    world.sends_and_closes(agreed);
    assert_at_once(world.reset_of(0, None));

    world.peer_sends(5, 50, &open_message("theirs"));
    world.watch(5);
    let theirs = *world.channels.by_stream.get(&5).unwrap();
    world.sends_and_closes(theirs);
    assert_at_once(world.reset_of(5, None));
}

#[test]
fn a_connection_that_ends_forgets_the_channels_that_wait_for_their_reset() {
    let mut world = World::new();
    let id = world.opens();
    world.sends_and_closes(id);
    world.channels.close_all(None);
    assert_eq!(world.happened(), ["closed"]);
    assert_eq!(world.channels.poll_timeout(), None);
    world.channels.handle_timeout(world.now + ACK_PATIENCE, Some(&mut world.ends[0]));
    assert_eq!(world.watch(0).resets, 0);
}
