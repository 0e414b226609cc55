//! A panic in one connection, on any thread, and what becomes of it and of the others.

mod common;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::Bytes;
use common::{Collector, Connected, TestPeer, connect, loopback_config, loopback_pair, runtime, wait_until};
use ossa_net::{OutMessage, Peer, Runtime, Sink, internal_errors};
use ossa_peer::{
    ChannelId, ConnectionState, DtlsState, Error, ErrorKind, Event, IceState, MessageKind, SctpState,
};

/// Panics at an event, which is in the middle of what the core does.
struct Bomb {
    collector: Arc<Collector>,
    armed: AtomicBool,
    at: fn(&Event) -> bool,
}

impl Sink for Bomb {
    fn event(&self, event: Event) {
        if (self.at)(&event) && self.armed.swap(false, Ordering::SeqCst) {
            panic!("the bomb at {event:?}");
        }
        self.collector.event(event);
    }

    fn flush(&self) {
        self.collector.flush();
    }

    fn ready(&self) -> bool {
        self.collector.ready()
    }

    fn send_failed(&self, channel: ChannelId, bytes: usize, error: Error) {
        self.collector.send_failed(channel, bytes, error);
    }
}

/// A connected pair whose second peer panics at such an event, once it is armed.
fn mined_pair(runtime: &Arc<Runtime>, at: fn(&Event) -> bool) -> (Connected, Arc<Bomb>) {
    let bomb = Arc::new(Bomb { collector: Arc::default(), armed: AtomicBool::new(false), at });
    let peer = Peer::new(runtime, loopback_config(), bomb.clone()).unwrap();
    let b = TestPeer { peer, sink: bomb.collector.clone() };
    (connect(TestPeer::new(runtime, loopback_config()), b), bomb)
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message { .. })
}

/// Waits until the peer has told that it is at its end, and checks how.
fn assert_told(peer: &TestPeer, channel: ChannelId) {
    let (mut seen, mut reason) = (Vec::new(), String::new());
    peer.wait("the end of the channel", |event| match event {
        Event::IceConnectionState(IceState::Failed) => {
            seen.push("ice");
            None
        }
        Event::DtlsState { state: DtlsState::Failed, error: Some(error), .. } => {
            seen.push("dtls");
            reason = error.message;
            None
        }
        Event::SctpState { state: SctpState::Closed, .. } => {
            seen.push("sctp");
            None
        }
        Event::ConnectionState(ConnectionState::Failed) => {
            seen.push("connection");
            None
        }
        Event::ChannelClosed { id, error } => {
            assert_eq!((id, error.map(|e| e.message)), (channel, Some(reason.clone())));
            Some(())
        }
        _ => None,
    });
    assert_eq!(seen, ["ice", "dtls", "sctp", "connection"]);
    assert!(reason.contains("internal error") && reason.contains("panics.rs:"), "{reason}");
}

/// The peer is of no use any more, says so, and holds nothing.
fn assert_dead(peer: &TestPeer, channel: ChannelId) {
    wait_until("the task has ended", || peer.peer.is_finished());
    let state = peer.peer.with(|c, _| c.snapshot().connection_state).unwrap();
    assert_eq!(state, ConnectionState::Failed);
    let calls: [Result<(), Error>; 4] = [
        peer.peer.with(|c, now| c.create_offer(now, true).map(drop)).flatten(),
        peer.peer.with(|c, now| c.add_ice_candidate(now, &Default::default())).flatten(),
        peer.peer.with(|c, now| c.create_data_channel(now, Default::default()).map(drop)).flatten(),
        peer.peer.with(|c, now| c.send(now, channel, MessageKind::Text, Bytes::new())).flatten(),
    ];
    for result in calls {
        assert_eq!(result.unwrap_err().kind, ErrorKind::Internal);
    }
    peer.send(channel, "nobody gets this");
    wait_until("the message is refused", || !peer.sink.failed.lock().is_empty());
    peer.peer.close();
    assert_eq!(peer.peer.with(|c, _| c.snapshot().connection_state).unwrap(), ConnectionState::Closed);
}

#[test]
fn a_panic_on_the_shard_ends_its_connection_and_bystanders_lose_no_message() {
    const BYSTANDERS: usize = 50;
    const MESSAGES: u32 = 40;
    let runtime = runtime();
    let pairs: Vec<_> = (0..BYSTANDERS).map(|_| loopback_pair(&runtime)).collect();
    let (mined, bomb) = mined_pair(&runtime, is_message);
    let before = internal_errors();
    let send = |from: u32| {
        for i in from..from + MESSAGES / 2 {
            for pair in &pairs {
                pair.a.send(pair.at_a, i.to_be_bytes().to_vec());
                pair.b.send(pair.at_b, i.to_be_bytes().to_vec());
            }
        }
    };
    send(0);
    bomb.armed.store(true, Ordering::SeqCst);
    mined.a.send(mined.at_a, "boom");
    send(MESSAGES / 2);
    assert_told(&mined.b, mined.at_b);
    assert_dead(&mined.b, mined.at_b);
    for pair in &pairs {
        for i in 0..MESSAGES {
            assert_eq!(pair.a.wait_message()[..], i.to_be_bytes());
            assert_eq!(pair.b.wait_message()[..], i.to_be_bytes());
        }
    }
    assert!(internal_errors() > before);
    // The shard takes new connections as well.
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    a.send(at_a, "after");
    assert_eq!(b.wait_message(), "after");
}

#[test]
fn a_panic_inside_of_a_call_is_its_error_and_the_end_of_the_connection() {
    let runtime = runtime();
    let Connected { a, b: _alive, at_a, .. } = loopback_pair(&runtime);
    let error = a.peer.with(|_, _| panic!("in a call")).unwrap_err();
    assert_eq!(error.kind, ErrorKind::Internal);
    assert_eq!(error.kind.name(), "OperationError");
    assert!(
        error.message.contains("in a call (") && error.message.contains("panics.rs:"),
        "{}",
        error.message
    );
    assert_told(&a, at_a);
    assert_dead(&a, at_a);
}

#[test]
fn a_panic_while_sending_or_set_up_or_at_a_timer_ends_only_its_connection() {
    let runtime = runtime();
    let witness = loopback_pair(&runtime);
    // Sent by the calling thread; noticed first by the sender's `Released`.
    let (mined, bomb) = mined_pair(&runtime, |event| matches!(event, Event::Released { .. }));
    bomb.armed.store(true, Ordering::SeqCst);
    mined.b.peer.send_batch([OutMessage {
        channel: mined.at_b,
        kind: MessageKind::Text,
        data: "boom".into(),
    }]);
    assert_told(&mined.b, mined.at_b);
    // While candidates are gathered, in the call that starts it or on the shard.
    let bomb = Arc::new(Bomb {
        collector: Arc::default(),
        armed: AtomicBool::new(true),
        at: |event| matches!(event, Event::IceCandidate { .. }),
    });
    let peer = Peer::new(&runtime, loopback_config(), bomb.clone()).unwrap();
    let new = TestPeer { peer, sink: bomb.collector.clone() };
    let channel = new.channel("test");
    let _ = new.peer.with(|c, now| c.set_local_description(now, ossa_peer::SdpType::Offer, ""));
    new.wait("failed", |event| {
        matches!(event, Event::ConnectionState(ConnectionState::Failed)).then_some(())
    });
    new.wait("closed", |event| {
        matches!(event, Event::ChannelClosed { id, .. } if id == channel).then_some(())
    });
    wait_until("the task has ended", || new.peer.is_finished());
    // By a timer: the other end is silent.
    let (mined, bomb) =
        mined_pair(&runtime, |event| matches!(event, Event::IceConnectionState(IceState::Disconnected)));
    bomb.armed.store(true, Ordering::SeqCst);
    mined.a.peer.with(|c, _| c.abandon("silent from now on")).unwrap();
    mined.b.wait("failed", |event| {
        matches!(event, Event::ConnectionState(ConnectionState::Failed)).then_some(())
    });
    witness.a.send(witness.at_a, "still here");
    assert_eq!(witness.b.wait_message(), "still here");
}

#[test]
fn two_panics_at_once_in_one_connection_are_one_end() {
    let runtime = runtime();
    let Connected { a, b: _alive, at_a, .. } = loopback_pair(&runtime);
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| a.peer.with(|_, _| panic!("all together")).unwrap_err());
        }
    });
    assert_told(&a, at_a);
    while let Some(event) = a.sink.try_next() {
        assert!(
            !matches!(event, Event::ChannelClosed { .. } | Event::ConnectionState(_)),
            "told twice: {event:?}"
        );
    }
    assert_dead(&a, at_a);
}
