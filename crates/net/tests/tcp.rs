//! ICE over TCP (RFC 6544) through the whole stack, over loopback. Where UDP is to play no part, its candidates are not signaled.

mod common;

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use common::{
    Connected, PATIENCE, TestPeer, connect, connect_by, gather, loopback_config, restart_ice, runtime,
    signaled, wait_until,
};
use ossa_net::{PeerConfig, Runtime, TcpMode};
use ossa_peer::{CandidateProtocol, Event, SelectedPair, TcpType};
use parking_lot::Mutex;

const ACTIVE: TcpMode = TcpMode { active: true, passive: false };
const PASSIVE: TcpMode = TcpMode { active: false, passive: true };
const BOTH: TcpMode = TcpMode { active: true, passive: true };

fn config(tcp: TcpMode) -> PeerConfig {
    PeerConfig { tcp, ..loopback_config() }
}

fn peer(runtime: &Arc<Runtime>, tcp: TcpMode) -> TestPeer {
    TestPeer::new(runtime, config(tcp))
}

fn is_tcp(candidate: &str) -> bool {
    candidate.is_empty() || candidate.contains(" tcp ")
}

fn over_tcp(a: TcpMode, b: TcpMode) -> Connected {
    let runtime = runtime();
    connect_by(peer(&runtime, a), peer(&runtime, b), is_tcp)
}

fn pair(peer: &TestPeer) -> Option<SelectedPair> {
    peer.peer.with(|c, _| c.snapshot().ice.and_then(|ice| ice.selected_pair)).unwrap()
}

/// Sends messages of many sizes each way and checks that they come, in order and whole.
fn exchange(connected: &Connected) {
    let Connected { a, b, at_a, at_b, .. } = connected;
    let sizes = [0, 1, 1_000, 1_191, 16_384, 70_000, 1 << 20];
    for (from, channel, to) in [(a, at_a, b), (b, at_b, a)] {
        for (i, size) in sizes.iter().enumerate() {
            from.send(*channel, vec![i as u8; *size]);
        }
        for (i, size) in sizes.iter().enumerate() {
            let message = to.wait_message();
            assert_eq!(message.len(), *size);
            assert!(message.iter().all(|byte| *byte == i as u8));
        }
    }
}

#[test]
fn messages_of_all_sizes_pass_over_tcp_whoever_opens_the_connection() {
    for (a, b) in [(ACTIVE, PASSIVE), (PASSIVE, ACTIVE), (BOTH, BOTH)] {
        let connected = over_tcp(a, b);
        exchange(&connected);
        for peer in [&connected.a, &connected.b] {
            let pair = pair(peer).unwrap();
            assert_eq!([pair.local.protocol, pair.remote.protocol], [CandidateProtocol::Tcp; 2]);
            let types = [pair.local.tcp_type, pair.remote.tcp_type];
            assert!(types.contains(&Some(TcpType::Active)), "{types:?}");
            assert!(types.contains(&Some(TcpType::Passive)), "{types:?}");
        }
    }
}

#[test]
fn udp_is_used_where_it_works_though_tcp_was_there_first() {
    let runtime = runtime();
    let held = Mutex::new(Vec::new());
    // Those of UDP come after a channel is open over TCP.
    let connected = connect_by(peer(&runtime, ACTIVE), peer(&runtime, PASSIVE), |candidate| {
        let passes = is_tcp(candidate) && !candidate.is_empty();
        if !passes {
            held.lock().push(candidate.to_owned());
        }
        passes
    });
    let Connected { a, b, events, .. } = &connected;
    assert_eq!(pair(a).unwrap().local.protocol, CandidateProtocol::Tcp);
    for init in events.iter().filter_map(signaled).filter(|init| held.lock().contains(&init.candidate)) {
        let of_a = a.peer.with(|c, _| c.snapshot().current_local_description).unwrap();
        let ufrag = init.username_fragment.as_ref().unwrap();
        let to = if of_a.unwrap().sdp.contains(ufrag.as_str()) { b } else { a };
        to.add_candidate(&init);
    }
    wait_until("both on UDP", || {
        [a, b].iter().all(|p| pair(p).is_some_and(|p| p.local.protocol == CandidateProtocol::Udp))
    });
    exchange(&connected);
}

#[test]
fn with_both_on_both_sides_udp_is_chosen() {
    let runtime = runtime();
    let connected = connect(peer(&runtime, BOTH), peer(&runtime, BOTH));
    wait_until("both on UDP", || {
        [&connected.a, &connected.b]
            .iter()
            .all(|p| pair(p).is_some_and(|p| p.local.protocol == CandidateProtocol::Udp))
    });
    exchange(&connected);
}

#[test]
fn the_candidates_say_who_connects_and_come_after_those_of_udp() {
    let (candidates, errors, _peer) = gather(config(BOTH));
    assert!(errors.is_empty(), "{errors:?}");
    let find = |part: &str| candidates.iter().find(|c| c.contains(part)).unwrap();
    let priority = |line: &str| line.split(' ').nth(3).unwrap().parse::<u32>().unwrap();
    let (udp, active, passive) = (find(" udp "), find(" tcptype active"), find(" tcptype passive"));
    assert!(active.contains(" 127.0.0.1 9 typ host "), "{active}");
    assert!(!passive.contains(" 9 typ host "), "{passive}");
    assert!(priority(udp) > priority(active) && priority(active) > priority(passive), "{candidates:?}");
    assert_eq!(candidates.len(), 3);
}

#[test]
fn an_ice_restart_goes_on_over_tcp() {
    let connected = over_tcp(ACTIVE, PASSIVE);
    exchange(&connected);
    restart_ice(&connected.a, &connected.b);
    exchange(&connected);
}

#[test]
fn the_other_side_is_told_of_the_end() {
    let Connected { a, b, at_b, .. } = over_tcp(ACTIVE, PASSIVE);
    a.peer.close();
    b.wait("the end of the channel", |event| match event {
        Event::ChannelClosed { id, .. } => (id == at_b).then_some(()),
        _ => None,
    });
    wait_until("a lets go of its sockets", || a.peer.is_finished());
}

/// Passes TCP connections on, until they are cut.
struct Proxy {
    address: SocketAddr,
    through: Arc<Mutex<Vec<TcpStream>>>,
}

impl Proxy {
    fn new(target: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let through: Arc<Mutex<Vec<TcpStream>>> = Arc::default();
        let list = through.clone();
        std::thread::spawn(move || {
            for incoming in listener.incoming().flatten() {
                let Ok(outgoing) = TcpStream::connect(target) else { return };
                for (from, to) in [(&incoming, &outgoing), (&outgoing, &incoming)] {
                    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
                    std::thread::spawn(move || {
                        let _ = std::io::copy(&mut from, &mut to);
                        let _ = to.shutdown(Shutdown::Both);
                    });
                }
                list.lock().push(incoming);
            }
        });
        Self { address, through }
    }

    /// How many connections there have been.
    fn cut(&self) -> usize {
        let through = self.through.lock();
        for stream in &*through {
            let _ = stream.shutdown(Shutdown::Both);
        }
        through.len()
    }
}

/// Connects `a`, which is active, to `b` by way of a proxy.
fn through_proxy(a: TestPeer, b: TestPeer) -> (Connected, Proxy) {
    let at_a = a.channel("test");
    let offer = a.offer(false);
    let answer = b.answer(&offer);
    a.accept(&answer);
    let passive =
        b.wait("a passive candidate", |event| signaled(&event).filter(|c| c.candidate.contains("passive")));
    let port = passive.candidate.split(' ').nth(5).unwrap().to_owned();
    let proxy = Proxy::new(SocketAddr::from(([127, 0, 0, 1], port.parse().unwrap())));
    let mut moved = passive.clone();
    moved.candidate = passive.candidate.replace(&format!(" {port} "), &format!(" {} ", proxy.address.port()));
    a.add_candidate(&moved);
    let open = |event: Event| match event {
        Event::ChannelOpen { id, .. } => Some(id),
        _ => None,
    };
    assert_eq!(a.wait("a channel", open), at_a);
    let at_b = b.wait("a channel", open);
    (Connected { a, b, at_a, at_b, events: Vec::new() }, proxy)
}

#[test]
fn a_connection_that_breaks_is_opened_again_and_nothing_is_lost() {
    // Whichever side controls: it is the active one that has to open it.
    let runtime = runtime();
    let (connected, proxy) = through_proxy(peer(&runtime, ACTIVE), peer(&runtime, PASSIVE));
    for round in 1..4 {
        exchange(&connected);
        assert_eq!(proxy.cut(), round, "one connection at a time");
        exchange(&connected);
    }
}

#[test]
fn a_peer_that_reads_nothing_holds_up_the_sender_and_takes_no_memory() {
    let runtime = runtime();
    let Connected { a, b, at_a, .. } = over_tcp(ACTIVE, PASSIVE);
    drop(runtime);
    b.sink.stall(true);
    const COUNT: usize = 40;
    (0..COUNT).for_each(|i| a.send(at_a, vec![i as u8; 256 * 1024]));
    // What is not delivered stays with the sender, beyond the window of the receiver.
    let buffered = || a.peer.with(|c, _| c.channel(at_a).unwrap().buffered_amount).unwrap();
    let mut before = usize::MAX;
    wait_until("the sender is held up", || {
        std::thread::sleep(Duration::from_millis(50));
        let now = buffered();
        std::mem::replace(&mut before, now) == now
    });
    b.sink.stall(false);
    b.peer.resume();
    for i in 0..COUNT {
        assert_eq!(b.wait_message()[0], i as u8);
    }
}

#[test]
fn strangers_at_the_port_are_shown_the_door_and_the_peer_comes_in_all_the_same() {
    let runtime = runtime();
    let (a, b) = (peer(&runtime, ACTIVE), peer(&runtime, PASSIVE));
    let at_a = a.channel("test");
    let answer = b.answer(&a.offer(false));
    let passive =
        b.wait("a passive candidate", |event| signaled(&event).filter(|c| c.candidate.contains("passive")));
    let port: u16 = passive.candidate.split(' ').nth(5).unwrap().parse().unwrap();
    let connect = || TcpStream::connect(("127.0.0.1", port)).unwrap();
    // Some say nothing or only a little, others what is no check.
    let silent: Vec<TcpStream> = (0..200).map(|_| connect()).collect();
    let slow: Vec<TcpStream> = (0..200)
        .map(|_| {
            let mut stream = connect();
            stream.write_all(&[0, 100, 0, 1]).unwrap();
            stream
        })
        .collect();
    for garbage in [
        &b"GET / HTTP/1.1\r\n\r\n"[..],
        &[0xff; 70],
        &[0, 4, 0, 1, 0, 0],
        &[0, 20, 0, 1, 0, 0, 0x21, 0x12, 0xa4, 0x42, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ] {
        let mut stream = connect();
        stream.write_all(garbage).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let mut answer = [0; 16];
        assert!(matches!(stream.read(&mut answer), Ok(0) | Err(_)), "{garbage:?} is answered");
    }
    a.accept(&answer);
    a.add_candidate(&passive);
    a.wait("the channel", |event| match event {
        Event::ChannelOpen { id, .. } if id == at_a => Some(()),
        _ => None,
    });
    drop((silent, slow));
}

#[test]
fn the_ports_of_a_range_are_kept_to_and_its_end_is_told() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let config = || PeerConfig { tcp_port_range: Some((port, port)), ..config(PASSIVE) };
    let (candidates, errors, _) = gather(config());
    assert!(candidates.iter().all(|c| c.contains(" udp ")), "{candidates:?}");
    assert!(errors[0].text.contains(&format!("all TCP ports from {port} to {port} are taken")), "{errors:?}");
    drop(taken);
    let deadline = Instant::now() + PATIENCE;
    let (candidates, errors, _peer) = gather(config());
    assert!(
        candidates.iter().any(|c| c.contains(" tcp ") && c.contains(&format!(" {port} typ host"))),
        "{candidates:?} {errors:?}"
    );
    assert!(Instant::now() < deadline);
}
