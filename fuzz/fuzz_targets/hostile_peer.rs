//! A peer that knows the credentials and means no good: descriptions with any names, candidates with any parts, times of any length.
#![no_main]
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_peer::*;

#[derive(Arbitrary, Debug)]
enum Op {
    /// The six parts of a candidate, and its extensions.
    Candidate([String; 6], String),
    /// An ICE restart with a name and a password of these lengths.
    Restart(u16, u16),
    /// Milliseconds.
    Time(u32),
    /// A datagram of the peer with a byte changed.
    Changed(u16, u8),
    LocalGone,
    Message(u16),
}

fn certificate() -> Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| Certificate::generate(0, Duration::from_secs(1)).unwrap()).clone()
}

fn description(connection: &Connection) -> String {
    let snapshot = connection.snapshot();
    snapshot.pending_local_description.or(snapshot.current_local_description).unwrap().sdp
}

fn renamed(sdp: &str, ufrag: u16, pwd: u16) -> String {
    let line = |line: &str| match line.split_once(':') {
        Some(("a=ice-ufrag", _)) => format!("a=ice-ufrag:{}\r\n", "u".repeat(usize::from(ufrag % 300))),
        Some(("a=ice-pwd", _)) => format!("a=ice-pwd:{}\r\n", "p".repeat(usize::from(pwd % 300))),
        _ => format!("{line}\r\n"),
    };
    sdp.lines().map(line).collect()
}

fuzz_target!(|input: ([u32; 5], Vec<Op>)| {
    let ([check, rto, silence, handshake, flight], ops) = input;
    let mut now = Instant::now();
    let milliseconds = |value: u32| Duration::from_millis(u64::from(value));
    let mut config = Config::new(certificate());
    (config.ice.check_interval, config.ice.initial_rto) = (milliseconds(check), milliseconds(rto));
    config.ice.max_rto = milliseconds(rto.max(check));
    (config.ice.disconnected_timeout, config.ice.checking_timeout) = (milliseconds(silence), milliseconds(silence));
    (config.dtls.handshake_timeout, config.dtls.initial_rto) = (milliseconds(handshake), milliseconds(flight));
    let Ok(ours) = Connection::new(config, [1; 32], now) else { return };
    let theirs = Connection::new(Config::new(certificate()), [2; 32], now).unwrap();
    let addrs = [SocketAddr::from(([10, 0, 0, 1], 1)), SocketAddr::from(([10, 0, 0, 2], 2))];
    let mut ends = [ours, theirs];
    let channel = ends[1].create_data_channel(now, DataChannelInit::default()).unwrap();
    ends[1].set_local_description(now, SdpType::Offer, "").unwrap();
    let offer = description(&ends[1]);
    ends[0].set_remote_description(now, SdpType::Offer, &offer).unwrap();
    ends[0].set_local_description(now, SdpType::Answer, "").unwrap();
    let answer = description(&ends[0]);
    ends[1].set_remote_description(now, SdpType::Answer, &answer).unwrap();
    let (mut buf, mut change) = (Vec::new(), None);
    for op in ops.into_iter().take(100) {
        match op {
            Op::Candidate([foundation, component, protocol, priority, address, port], rest) => {
                let candidate =
                    format!("candidate:{foundation} {component} {protocol} {priority} {address} {port} typ host {rest}");
                let init = CandidateInit { candidate, sdp_m_line_index: Some(0), ..Default::default() };
                let _ = ends[0].add_ice_candidate(now, &init);
            }
            Op::Restart(ufrag, pwd) => {
                if ends[0].set_remote_description(now, SdpType::Offer, &renamed(&offer, ufrag, pwd)).is_ok() {
                    ends[0].set_local_description(now, SdpType::Answer, "").unwrap();
                }
            }
            Op::Time(ms) => now += milliseconds(ms),
            Op::Changed(at, xor) => change = Some((at, xor)),
            Op::LocalGone => ends[0].remove_local_candidate(now, addrs[0]),
            Op::Message(len) => {
                let _ = ends[1].send(now, channel, MessageKind::Binary, vec![7; usize::from(len)].into());
            }
        }
        for i in 0..2 {
            ends[i].handle_timeout(now);
            while let Some(event) = ends[i].poll_event(now, true) {
                if let Event::Gather { generation, .. } = event {
                    let (kind, addr) = (LocalCandidateKind::Host, addrs[i]);
                    let candidate = LocalCandidate { kind, addr, base: addr, url: None, relay_protocol: None };
                    ends[i].add_local_candidate(now, generation, candidate);
                }
            }
            while let Some(transmit) = ends[i].poll_transmit(now, &mut buf, 10) {
                for datagram in buf.chunks_mut(transmit.segment_size) {
                    if let Some((at, xor)) = change.take() {
                        let at = usize::from(at) % datagram.len();
                        datagram[at] ^= xor;
                    }
                    ends[1 - i].handle_datagram(now, transmit.remote, transmit.local, datagram);
                }
            }
        }
    }
});
