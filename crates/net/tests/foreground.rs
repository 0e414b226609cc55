//! An event loop that waits for the sockets of quiet peers, and what becomes of them when it does not.
#![cfg(any(target_os = "linux", target_os = "android"))]

mod common;

use std::os::fd::AsRawFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use common::{Connected, PATIENCE, TestPeer, loopback_pair, runtime, wait_until};
use mio::unix::SourceFd;
use mio::{Events, Interest, Poll, Token};
use ossa_net::{Foreground, Served};
use ossa_peer::{ChannelId, Event};

/// An event loop that waits for the foreground alone.
struct Loop {
    poll: Poll,
    foreground: Arc<Foreground>,
}

impl Loop {
    fn new() -> Self {
        let (poll, foreground) = (Poll::new().unwrap(), Foreground::new().unwrap());
        let fd = foreground.as_raw_fd();
        poll.registry().register(&mut SourceFd(&fd), Token(0), Interest::READABLE).unwrap();
        Self { poll, foreground }
    }

    /// One turn. True if it read something.
    fn turn(&mut self, most: Duration) -> bool {
        let served = self.read(most);
        let any = served.is_some();
        finish(served);
        any
    }

    /// The part of a turn before the program has its messages.
    fn read(&mut self, most: Duration) -> Option<Served> {
        let mut events = Events::with_capacity(1);
        self.poll.poll(&mut events, Some(most)).unwrap();
        if events.is_empty() {
            return None;
        }
        let served = self.foreground.serve();
        // This poller tells of changes only.
        let fd = self.foreground.as_raw_fd();
        self.poll.registry().reregister(&mut SourceFd(&fd), Token(0), Interest::READABLE).unwrap();
        Some(served)
    }

    /// Exchanges messages until this loop is the one that has read one at `b`: from then on, for a while, the socket is on loan.
    fn borrow(&mut self, a: &TestPeer, at_a: ChannelId, b: &TestPeer) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            assert!(Instant::now() < deadline, "the socket is never lent");
            b.peer.attend(&self.foreground);
            a.send(at_a, "quiet");
            if self.turn(Duration::from_millis(5)) && message(b).is_some() {
                return;
            }
            while b.sink.next(Instant::now() + Duration::from_millis(1)).is_some() {}
        }
    }
}

/// The rest of a turn.
fn finish(served: Option<Served>) {
    if let Some(served) = served {
        served.finish();
    }
}

fn message(peer: &TestPeer) -> Option<Bytes> {
    std::iter::from_fn(|| peer.sink.try_next()).find_map(|event| match event {
        Event::Message { data, .. } => Some(data),
        _ => None,
    })
}

/// Waits for a message and drops what is left of the exchange before.
fn expect(peer: &TestPeer, wanted: &[u8]) {
    loop {
        let data = peer.wait_message();
        if data != "quiet" {
            assert_eq!(data, wanted);
            return;
        }
    }
}

#[test]
fn the_loop_reads_what_a_quiet_peer_receives() {
    let runtime = runtime();
    let Connected { a, b, at_a, at_b, .. } = loopback_pair(&runtime);
    Loop::new().borrow(&a, at_a, &b);
    b.send(at_b, "and back");
    expect(&a, b"and back");
}

#[test]
fn a_loop_that_gets_stuck_keeps_nothing_from_arriving() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    let mut stuck = Loop::new();
    stuck.borrow(&a, at_a, &b);
    // More than the receive window: without acknowledgements the end would never be sent.
    for i in 0..64 {
        a.send(at_a, vec![i; 200_000]);
    }
    for i in 0..64 {
        expect(&b, &[i; 200_000]);
    }
}

#[test]
fn a_program_that_gets_stuck_over_its_messages_keeps_nothing_from_arriving() {
    let runtime = runtime();
    let Connected { a, b, at_a, at_b, .. } = loopback_pair(&runtime);
    let mut stuck = Loop::new();
    stuck.borrow(&a, at_a, &b);
    a.send(at_a, "handed over");
    // As long as the loan lasts; else the shard has read it.
    let served = stuck.read(Duration::from_millis(20));
    // Acknowledgements and answers go out without it.
    for i in 0..64 {
        a.send(at_a, vec![i; 200_000]);
    }
    expect(&b, b"handed over");
    b.send(at_b, "answered by somebody else");
    expect(&a, b"answered by somebody else");
    for i in 0..64 {
        expect(&b, &[i; 200_000]);
    }
    finish(served);
}

#[test]
fn what_the_program_sends_over_its_messages_needs_no_other_turn() {
    let runtime = runtime();
    let Connected { a, b, at_a, at_b, .. } = loopback_pair(&runtime);
    let mut reader = Loop::new();
    for i in 0..20_u8 {
        reader.borrow(&a, at_a, &b);
        a.send(at_a, vec![i]);
        let served = reader.read(Duration::from_millis(20));
        b.send(at_b, vec![i]);
        expect(&a, &[i]);
        finish(served);
        expect(&b, &[i]);
    }
}

#[test]
fn a_stuck_loop_with_one_message_to_read_is_relieved_of_it() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    let mut stuck = Loop::new();
    for i in 0..5 {
        stuck.borrow(&a, at_a, &b);
        a.send(at_a, vec![i]);
        expect(&b, &[i]);
    }
}

#[test]
fn bursts_in_the_midst_of_exchanges_arrive_whole_and_in_order() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    let done = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let mut reader = Loop::new();
            while !done.load(Ordering::SeqCst) {
                b.peer.attend(&reader.foreground);
                reader.turn(Duration::from_millis(1));
            }
        });
        let mut number = 0_u32;
        for round in 0..20 {
            let burst = if round % 2 == 0 { 1..=20 } else { 1..=1_000 };
            for pad in burst {
                let mut data = number.to_be_bytes().to_vec();
                data.resize(4 + pad, 0);
                a.send(at_a, data);
                number += 1;
            }
            for wanted in number - if round % 2 == 0 { 20 } else { 1_000 }..number {
                assert_eq!(b.wait_message()[..4], wanted.to_be_bytes());
            }
        }
        done.store(true, Ordering::SeqCst);
    });
}

#[test]
fn many_peers_share_one_loop() {
    let runtime = runtime();
    let mut all = Loop::new();
    let pairs: Vec<Connected> = (0..20).map(|_| loopback_pair(&runtime)).collect();
    for Connected { a, b, at_a, .. } in &pairs {
        all.borrow(a, *at_a, b);
    }
    for round in 0..50_u8 {
        for Connected { a, b, at_a, .. } in &pairs {
            b.peer.attend(&all.foreground);
            a.send(*at_a, vec![round]);
        }
        all.turn(Duration::ZERO);
    }
    // Whoever has them by now.
    let stop = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            while !stop.load(Ordering::SeqCst) {
                all.turn(Duration::from_millis(1));
            }
        });
        for Connected { b, .. } in &pairs {
            (0..50).for_each(|round| expect(b, &[round]));
        }
        stop.store(true, Ordering::SeqCst);
    });
}

#[test]
fn a_peer_may_be_closed_while_its_socket_is_on_loan() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    let mut reader = Loop::new();
    reader.borrow(&a, at_a, &b);
    b.peer.close();
    wait_until("the peer is finished", || b.peer.is_finished());
    reader.turn(Duration::ZERO);
    drop((a, b));
    wait_until("all peers are gone", || runtime.peers() == 0);
}

#[test]
fn a_loop_may_be_gone_while_it_has_a_socket_on_loan() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = loopback_pair(&runtime);
    Loop::new().borrow(&a, at_a, &b);
    a.send(at_a, "to nobody's loop");
    expect(&b, b"to nobody's loop");
}
