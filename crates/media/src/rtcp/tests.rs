use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;

use super::*;

/// Everything that a datagram says.
fn all(mut datagram: Vec<u8>) -> Vec<Feedback> {
    let mut found = Vec::new();
    read(&mut datagram, 1000, |feedback| found.push(feedback));
    found
}

fn block(ssrc: u32, lost: i64) -> ReceptionReport {
    ReceptionReport { ssrc, fraction_lost: 12, lost, highest: 70_000, jitter: 160, last_sr: 1, delay: 2 }
}

#[test]
fn reports_and_feedback_of_one_compound_packet_are_all_read() {
    let info = SenderInfo { ntp: 0x1234_5678_9abc_def0, rtp_timestamp: 8000, packets: 50, octets: 8000 };
    let mut compound = Compound::new(1200);
    assert_eq!(compound.sender_report(1, info, &[block(7, -3), block(8, 1 << 40)]), Some(2));
    assert!(compound.names(&[1], "someone"));
    assert!(compound.nack(1, 7, &[65535, 0, 5]));
    assert!(compound.pli(1, 7));
    assert!(compound.fir(1, 8, 9));
    assert!(compound.bye(&[1, 2]));
    let found = all(compound.finish());
    assert!(matches!(
        found[0],
        Feedback::SenderReport { ssrc: 1, ntp: 0x1234_5678_9abc_def0, packets: 50, .. }
    ));
    assert!(matches!(found[1], Feedback::Report { ssrc: 7, lost: -3, highest: 70_000, jitter: 160, .. }));
    assert!(matches!(found[2], Feedback::Report { ssrc: 8, lost: 0x7f_ffff, .. }));
    assert_eq!(found[3], Feedback::Nack { ssrc: 7, sequences: vec![0, 5, 65535] });
    assert_eq!(found[4], Feedback::Pli { ssrc: 7 });
    assert_eq!(found[5], Feedback::Fir { ssrc: 8, number: 9 });
    assert_eq!(found[6], Feedback::Bye { ssrc: 1, reason: None });
    assert_eq!(found[7], Feedback::Bye { ssrc: 2, reason: None });
    assert_eq!(found.len(), 8);
}

#[test]
fn a_damaged_packet_costs_itself_and_not_those_behind_it() {
    // A BYE of 31 sources without any, then a PLI.
    let mut datagram = vec![0x80 | 31, 203, 0, 0];
    let mut compound = Compound::new(100);
    compound.pli(1, 2);
    datagram.extend(compound.finish());
    assert_eq!(all(datagram), [Feedback::Pli { ssrc: 2 }]);
}

/// As libwebrtc writes it: the last word is filled up, with the number of bytes that this took at its end, and the flag of padding is set.
#[test]
fn transport_wide_feedback_of_libwebrtc_is_read_whatever_its_last_word_is_filled_with() {
    for packets in 1..=8_u8 {
        let mut packet = vec![0xaf, 205, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        // From number 7 on, reference time 3, feedback 9; a run of small deltas.
        packet.extend([0, 7, 0, packets, 0, 0, 3, 9, 0x20, packets]);
        packet.extend((0..packets).map(|at| at * 4));
        let filled = packet.len().next_multiple_of(4) - packet.len();
        packet.resize(packet.len() + filled, 0);
        match filled {
            0 => packet[0] &= !0x20,
            filled => *packet.last_mut().expect("it has bytes") = filled as u8,
        }
        packet[3] = (packet.len() / 4 - 1) as u8;
        // What comes behind it is read as well.
        packet.extend([0x81, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 2]);
        let deltas = (0..packets).map(|at| Some(i16::from(at) * 4)).collect();
        let feedback = Feedback::TransportCc { count: 9, reference: 3, base: 7, deltas };
        assert_eq!(all(packet), [feedback, Feedback::Pli { ssrc: 2 }], "{packets} packets");
    }
}

#[test]
fn padding_is_not_taken_for_more_lost_packets() {
    let mut compound = Compound::new(100);
    compound.nack(1, 2, &[10]);
    let mut datagram = compound.finish();
    datagram[0] |= 0x20;
    datagram[3] += 2;
    datagram.extend([0, 0, 0, 0, 0, 0, 0, 8]);
    assert_eq!(all(datagram), [Feedback::Nack { ssrc: 2, sequences: vec![10] }]);
}

#[test]
fn an_estimate_of_more_than_there_is_means_no_limit() {
    let mut remb =
        vec![0x8f, 206, 0, 5, 0, 0, 0, 1, 0, 0, 0, 0, b'R', b'E', b'M', b'B', 1, 0, 0, 0, 0, 0, 0, 9];
    remb[17] = 3 << 2;
    remb[19] = 100;
    assert_eq!(all(remb.clone()), [Feedback::Remb { bps: 800 }]);
    remb[17] = 0xff;
    assert_eq!(all(remb), [Feedback::Remb { bps: u64::MAX }]);
}

#[test]
fn a_transport_feedback_for_more_packets_than_can_be_under_way_is_cut() {
    // Ten chunks of 8,191 packets that did not come.
    let mut feedback = vec![0x8f, 205, 0, 9, 0, 0, 0, 1, 0, 0, 0, 2, 0, 1, 0xff, 0xff, 0, 0, 1, 7];
    feedback.extend([0x1f, 0xff].repeat(10));
    let found = all(feedback);
    let [Feedback::TransportCc { base: 1, count: 7, deltas, .. }] = &found[..] else { panic!("{found:?}") };
    assert_eq!(deltas.len(), 8192);
}

#[test]
fn what_does_not_fit_is_refused_and_leaves_what_was_there() {
    let mut compound = Compound::new(60);
    assert_eq!(compound.receiver_report(1, &[block(1, 0), block(2, 0), block(3, 0)]), Some(2));
    assert!(!compound.pli(1, 2));
    assert_eq!(all(compound.finish()).len(), 2);
}

#[test]
fn what_is_over_the_limit_is_counted_and_not_looked_at() {
    let mut compound = Compound::new(1200);
    (0..10).for_each(|ssrc| assert!(compound.pli(1, ssrc)));
    let mut handed = 0;
    assert_eq!(read(&mut compound.finish(), 4, |_| handed += 1), Some(6));
    assert_eq!(handed, 4);
}

proptest! {
    #[test]
    fn any_bytes_are_read_without_a_panic(
        packets in vec((0..32u8, 199..208u8, vec(any::<u8>(), 0..80), any::<bool>()), 0..6),
        rest in vec(any::<u8>(), 0..20),
    ) {
        let mut datagram = Vec::new();
        for (count, kind, body, padded) in packets {
            let words = body.len() / 4;
            datagram.extend([0x80 | count | u8::from(padded) << 5, kind, 0, words as u8]);
            datagram.extend(&body[..4 * words]);
        }
        datagram.extend(rest);
        all(datagram);
    }

    #[test]
    fn arrival_times_read_back_as_they_were_told(
        base in any::<u16>(),
        deltas in vec(option::of(prop_oneof![3 => 0..256i16, 1 => any::<i16>()]), 1..400),
        room in 40..1200usize,
    ) {
        let mut compound = Compound::new(room);
        let told = compound.transport_cc(1, 2, (3, 0x00ab_cdef, base), &deltas);
        prop_assert!(told > 0);
        let found = all(compound.finish());
        prop_assert_eq!(&found[..], &[Feedback::TransportCc {
            count: 3,
            reference: 0x00ab_cdef,
            base,
            deltas: deltas[..told].to_vec(),
        }]);
    }

    #[test]
    fn lost_packets_read_back_as_they_were_told(media in any::<u32>(), mut sequences in vec(any::<u16>(), 1..100)) {
        let mut compound = Compound::new(1200);
        prop_assert!(compound.nack(1, media, &sequences));
        sequences.sort_unstable();
        sequences.dedup();
        prop_assert_eq!(&all(compound.finish())[..], &[Feedback::Nack { ssrc: media, sequences }]);
    }
}
