//! Datagrams from the address of the peer, in any state of the set-up, and whatever is made of them.
#![no_main]
use std::net::SocketAddr;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use libfuzzer_sys::arbitrary::{self, Arbitrary};
use libfuzzer_sys::fuzz_target;
use ossa_peer::*;

#[derive(Arbitrary, Debug)]
enum Op {
    Datagram(Vec<u8>),
    /// A datagram of the peer, with one byte changed.
    Changed(u16, u8),
    Time(u16),
    Carry,
}

fn certificate() -> Certificate {
    static CERTIFICATE: OnceLock<Certificate> = OnceLock::new();
    CERTIFICATE.get_or_init(|| Certificate::generate(0, Duration::from_secs(1)).unwrap()).clone()
}

fuzz_target!(|ops: Vec<Op>| {
    let mut now = Instant::now();
    let addrs = [SocketAddr::from(([10, 0, 0, 1], 1)), SocketAddr::from(([10, 0, 0, 2], 2))];
    let mut ends = [1, 2].map(|i| Connection::new(Config::new(certificate()), [i; 32], now).unwrap());
    ends[0].create_data_channel(now, DataChannelInit::default()).unwrap();
    let text = |c: &Connection| {
        let s = c.snapshot();
        s.pending_local_description.or(s.current_local_description).unwrap().sdp
    };
    ends[0].set_local_description(now, SdpType::Offer, "").unwrap();
    let offer = text(&ends[0]);
    ends[1].set_remote_description(now, SdpType::Offer, &offer).unwrap();
    ends[1].set_local_description(now, SdpType::Answer, "").unwrap();
    let answer = text(&ends[1]);
    ends[0].set_remote_description(now, SdpType::Answer, &answer).unwrap();
    let mut buf = Vec::new();
    let mut change = None;
    for op in ops.into_iter().take(200) {
        match op {
            Op::Datagram(data) => {
                ends[0].handle_datagram(now, addrs[0], addrs[1], &data);
            }
            Op::Changed(at, xor) => change = Some((at, xor)),
            Op::Time(ms) => now += Duration::from_millis(u64::from(ms)),
            Op::Carry => {}
        }
        for i in 0..2 {
            ends[i].handle_timeout(now);
            while let Some(event) = ends[i].poll_event(now, true) {
                match event {
                    Event::Gather { generation, .. } => {
                        let kind = LocalCandidateKind::Host;
                        let (addr, url) = (addrs[i], None);
                        let candidate = LocalCandidate { kind, addr, base: addr, url, relay_protocol: None };
                        ends[i].add_local_candidate(now, generation, candidate);
                    }
                    Event::IceCandidate { candidate, mid, .. } => {
                        let init = CandidateInit { candidate, sdp_mid: Some(mid), ..Default::default() };
                        ends[1 - i].add_ice_candidate(now, &init).unwrap();
                    }
                    _ => {}
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
