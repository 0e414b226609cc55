//! An established association takes any chunks behind a valid header: no panic, bounded memory, timers still move.
#![no_main]
use std::time::{Duration, Instant};

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ossa_sctp::{Association, Config, Reliability, SendOptions};

/// Runs both sides until neither has anything to send; returns the last packet that `a` sent.
fn settle(a: &mut Association, b: &mut Association, now: Instant) -> Vec<u8> {
    let mut last = Vec::new();
    loop {
        let mut packet = Vec::new();
        let from_a = a.poll_transmit(now, &mut packet).is_some();
        if from_a {
            last.clone_from(&packet);
            b.handle_packet(now, Bytes::from(packet));
        }
        let mut packet = Vec::new();
        let from_b = b.poll_transmit(now, &mut packet).is_some();
        if from_b {
            a.handle_packet(now, Bytes::from(packet));
        }
        if !from_a && !from_b {
            return last;
        }
    }
}

fuzz_target!(|packets: Vec<(u16, Vec<u8>)>| {
    let mut now = Instant::now();
    let mut a = Association::new(Config::default(), [1; 32]);
    let mut b = Association::new(Config::default(), [2; 32]);
    a.connect(now);
    b.connect(now);
    settle(&mut a, &mut b, now);
    let options = SendOptions { unordered: false, reliability: Reliability::Reliable };
    let _ = a.send(now, 0, 51, Bytes::from_static(b"hello"), options);
    let mut header = settle(&mut a, &mut b, now);
    header.truncate(12);
    header[8..12].fill(0); // zero checksum has been negotiated
    for (wait, chunks) in packets {
        now += Duration::from_millis(u64::from(wait));
        let packet = [header.as_slice(), &chunks].concat();
        b.handle_packet(now, Bytes::from(packet));
        let _ = b.send(now, 1, 53, Bytes::from_static(&[0; 3000]), options);
        if b.poll_timeout().is_some_and(|at| at <= now) {
            b.handle_timeout(now);
        }
        let mut out = Vec::new();
        for _ in 0..64 {
            if b.poll_transmit(now, &mut out).is_none() {
                break;
            }
        }
        while b.poll_event().is_some() {}
        while b.recv().is_some() {}
    }
});
