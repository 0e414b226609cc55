//! What the receiver of something unknown or wrong has to do (RFC 9260 sections 3.2 and 5.1).

mod support;

use bytes::Bytes;
use ossa_sctp::{Config, State};
use support::{Link, MS, Sim, pattern, reliable};

/// The header of packets from `a` to `b`, with a zero checksum.
fn header(sim: &mut Sim) -> Vec<u8> {
    let now = sim.instant();
    sim.a.association.send(now, 0, 51, pattern(1, 1), reliable()).expect("a is connected");
    let mut packet = Vec::new();
    sim.a.association.poll_transmit(now, &mut packet).expect("a sends");
    packet.truncate(8);
    packet.extend_from_slice(&[0; 4]);
    packet
}

fn answers(sim: &mut Sim, packet: Vec<u8>) -> Vec<u8> {
    let now = sim.instant();
    sim.b.association.handle_packet(now, Bytes::from(packet));
    let mut out = Vec::new();
    while sim.b.association.poll_transmit(now, &mut out).is_some() {}
    out
}

fn connected() -> Sim {
    let mut sim = Sim::connected(Link::default(), Config { mtu_discovery: false, ..Config::default() }, 1);
    sim.run_for(100 * MS);
    sim
}

/// An unknown chunk of this type, then a HEARTBEAT.
fn unknown_then_heartbeat(kind: u8) -> Vec<u8> {
    let mut sim = connected();
    let mut packet = header(&mut sim);
    packet.extend_from_slice(&[kind, 0, 0, 8, 1, 2, 3, 4, 4, 0, 0, 8, 0, 1, 0, 4]);
    answers(&mut sim, packet)
}

#[test]
fn the_high_bits_of_an_unknown_chunk_say_what_to_do() {
    let heartbeat_ack = [5, 0, 0, 8, 0, 1, 0, 4];
    let error = |kind| [9, 0, 0, 16, 0, 6, 0, 12, kind, 0, 0, 8, 1, 2, 3, 4];
    assert_eq!(unknown_then_heartbeat(0x3e), []);
    assert_eq!(unknown_then_heartbeat(0x7e)[12..], error(0x7e));
    assert_eq!(unknown_then_heartbeat(0xbe)[12..], heartbeat_ack);
    assert_eq!(unknown_then_heartbeat(0xfe)[12..], [&error(0xfe)[..], &heartbeat_ack].concat());
}

#[test]
fn unknown_parameters_of_an_init_are_reported_if_they_ask_for_it() {
    for (kind, is_reported) in [(0xc123u16, true), (0x8123, false)] {
        let mut sim = Sim::new(Link::default(), Config::default(), 2);
        let mut packet = vec![0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 28];
        packet.extend_from_slice(&[0, 0, 0, 9, 0, 1, 0, 0, 0, 5, 0, 5, 0, 0, 0, 7]);
        packet.extend_from_slice(&kind.to_be_bytes());
        packet.extend_from_slice(&[0, 8, 1, 2, 3, 4]);
        let out = answers(&mut sim, packet);
        assert_eq!((&out[4..8], out[12]), (&[0, 0, 0, 9][..], 2), "an INIT ACK with the tag of the INIT");
        let report = [&[0, 8, 0, 12], &kind.to_be_bytes()[..], &[0, 8, 1, 2, 3, 4]].concat();
        assert_eq!(out.windows(report.len()).any(|window| window == report), is_reported);
    }
}

#[test]
fn an_init_with_impossible_numbers_is_refused() {
    let good = [0, 0, 0, 9, 0, 1, 0, 0, 0, 5, 0, 5, 0, 0, 0, 7];
    for (field, len) in [(8, 2), (10, 2), (4, 4)] {
        let mut sim = Sim::new(Link::default(), Config::default(), 3);
        let mut packet = vec![0x13, 0x88, 0x13, 0x88, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 20];
        packet.extend_from_slice(&good);
        packet[16 + field..16 + field + len].fill(0);
        assert_eq!(answers(&mut sim, packet)[12], 6, "an ABORT");
    }
}

#[test]
fn data_without_data_is_refused() {
    let mut sim = connected();
    let mut packet = header(&mut sim);
    packet.extend_from_slice(&[64, 3, 0, 20, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
    let out = answers(&mut sim, packet);
    assert_eq!(out[12..18], [6, 0, 0, 8, 0, 9]);
    assert_eq!(sim.b.association.state(), State::Closed);
}

#[test]
fn a_zero_checksum_is_taken_only_if_that_was_announced() {
    for zero_checksum in [true, false] {
        let config = Config { zero_checksum, mtu_discovery: false, ..Config::default() };
        let mut sim = Sim::connected(Link::default(), config, 4);
        sim.run_for(100 * MS);
        let mut packet = header(&mut sim);
        packet.extend_from_slice(&[4, 0, 0, 8, 0, 1, 0, 4]);
        assert_eq!(answers(&mut sim, packet).is_empty(), !zero_checksum);
    }
}

#[test]
fn packets_for_other_ports_or_tags_are_dropped() {
    let mut sim = connected();
    let good = header(&mut sim);
    for at in [0, 3, 5, 7] {
        let mut packet = good.clone();
        packet[at] ^= 1;
        packet.extend_from_slice(&[6, 0, 0, 4]);
        assert!(answers(&mut sim, packet).is_empty());
        assert_eq!(sim.b.association.state(), State::Established);
    }
}
