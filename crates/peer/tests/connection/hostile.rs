//! A peer that knows the credentials and means no good: names, candidates, sizes and times at the edge of what is allowed.

use std::time::Duration;

use ossa_peer::*;
use proptest::prelude::*;

use crate::net::*;

#[derive(Clone, Debug)]
enum Op {
    /// A candidate of the peer, made of odd parts.
    Candidate(String),
    /// An ICE restart with a user name and a password of such lengths.
    Restart(usize, usize),
    /// Time passes, in milliseconds.
    Time(u64),
    /// The next datagrams of a node are changed at such a place.
    Damage(usize, u16, u8),
    /// An address of the peer goes away.
    Gone,
    /// A message is sent.
    Send(usize),
}

fn candidate() -> impl Strategy<Value = String> {
    let foundation = prop::sample::select(vec!["", "1", "a+/Z9", "=-_", "123456789012345678901234567890123"]);
    let component = prop::sample::select(vec!["0", "1", "01", "2", "65535", "65536"]);
    let protocol = prop::sample::select(vec!["udp", "UDP", "tcp", "ssltcp"]);
    let priority = prop::sample::select(vec!["0", "1", "2130706431", "4294967295", "4294967296"]);
    let address = prop::sample::select(vec![
        "10.0.0.1",
        "10.0.0.2",
        "0.0.0.0",
        "255.255.255.255",
        "224.0.0.1",
        "127.0.0.1",
        "::",
        "::1",
        "[fe80::1%1]",
        "ff02::1",
        "x.local",
        "example.org",
        "10.0.0.01",
    ]);
    let port = prop::sample::select(vec!["0", "1", "5000", "05001", "65535", "65536"]);
    let kind = prop::sample::select(vec![
        "host",
        "srflx raddr 10.0.0.1 rport 0",
        "prflx",
        "relay raddr ? rport x",
        "what",
    ]);
    (foundation, component, protocol, priority, address, port, kind)
        .prop_map(|(f, c, p, prio, a, port, k)| format!("candidate:{f} {c} {p} {prio} {a} {port} typ {k}"))
}

fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => candidate().prop_map(Op::Candidate),
        2 => (prop::sample::select(vec![4usize, 100, 101, 119, 120, 128, 200, 256]), 22usize..=256)
            .prop_map(|(ufrag, pwd)| Op::Restart(ufrag, pwd)),
        4 => prop::sample::select(vec![0u64, 1, 5, 100, 2_500, 31_000, 86_400_000]).prop_map(Op::Time),
        3 => (0usize..2, any::<u16>(), any::<u8>()).prop_map(|(node, at, xor)| Op::Damage(node, at, xor)),
        1 => Just(Op::Gone),
        2 => (0usize..70_000).prop_map(Op::Send),
    ]
}

fn times() -> impl Strategy<Value = Duration> {
    let ends = vec![1u64, 2, 250, 30_000, 0x7fff_ffff];
    prop::sample::select(ends).prop_map(Duration::from_millis)
}

/// Replaces the credentials in a description.
fn renamed(sdp: &str, ufrag: usize, pwd: usize) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{}\r\n", "u".repeat(ufrag)),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{}\r\n", "p".repeat(pwd)),
        _ => format!("{line}\r\n"),
    };
    sdp.lines().map(line).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn nothing_that_a_peer_may_say_makes_a_connection_panic(
        ops in prop::collection::vec(op(), 0..40),
        [check, ice_rto, disconnected, handshake, dtls_rto] in prop::array::uniform5(times()),
        connected in any::<bool>(),
    ) {
        let mut configs = [config(0), config(1)];
        let ice = &mut configs[0].ice;
        (ice.check_interval, ice.initial_rto, ice.max_rto) = (check, ice_rto, ice_rto.max(check));
        (ice.disconnected_timeout, ice.checking_timeout) = (disconnected, disconnected);
        (configs[0].dtls.handshake_timeout, configs[0].dtls.initial_rto) = (handshake, dtls_rto);
        let [a, b] = configs;
        let mut net = Net::with(a, b);
        let channel = net.channel(1, DataChannelInit::default());
        net.negotiate(1);
        if connected {
            net.run(Duration::from_millis(200));
        }
        let offer = net.nodes[1].conn.snapshot().current_local_description.unwrap().sdp;
        for op in ops {
            let now = net.now;
            match op {
                Op::Candidate(candidate) => {
                    let init = CandidateInit { candidate, sdp_m_line_index: Some(0), ..CandidateInit::default() };
                    // Refused or not: both are fine.
                    let _ = net.nodes[0].conn.add_ice_candidate(now, &init);
                }
                Op::Restart(ufrag, pwd) => {
                    let offer = renamed(&offer, ufrag, pwd);
                    let conn = &mut net.nodes[0].conn;
                    conn.set_remote_description(now, SdpType::Offer, &offer).unwrap();
                    conn.set_local_description(now, SdpType::Answer, "").unwrap();
                }
                Op::Time(ms) => {
                    // Not step by step: as a machine that was asleep.
                    net.now += Duration::from_millis(ms);
                    for node in &mut net.nodes {
                        node.conn.handle_timeout(net.now);
                    }
                }
                Op::Damage(damaged, at, xor) => {
                    net.tap = Some(Box::new(move |from, datagram| {
                        let at = usize::from(at) % datagram.len();
                        datagram[at] ^= if from == damaged { xor } else { 0 };
                        true
                    }));
                }
                Op::Gone => {
                    let addr = net.nodes[0].addrs[0];
                    net.nodes[0].conn.remove_local_candidate(now, addr);
                }
                Op::Send(len) => {
                    let _ = net.nodes[1].conn.send(now, channel, MessageKind::Binary, vec![7; len].into());
                }
            }
            net.settle();
            for _ in 0..20 {
                if !net.step(net.now + Duration::from_millis(50)) {
                    break;
                }
            }
        }
    }
}
