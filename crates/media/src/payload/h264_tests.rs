use super::*;

const SPS: &[u8] = &[0x67, 0x42, 0xe0, 0x1f];
const PPS: &[u8] = &[0x68, 0xce, 0x3c, 0x80];
const MODE_1: &str = "level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f";

/// A slice of `size` bytes in which no start code can be seen.
fn slice(header: u8, size: usize) -> Vec<u8> {
    let mut unit = vec![header, 0x88];
    unit.extend((0..size - 2).map(|at| at as u8 | 1));
    unit
}

fn stream(units: &[&[u8]]) -> Bytes {
    units.iter().flat_map(|unit| [&START_CODE[..], unit]).flatten().copied().collect::<Vec<_>>().into()
}

fn packets(packetizer: &mut Packetizer, frame: &Bytes, room: usize) -> Vec<Bytes> {
    let mut out = Vec::new();
    packetizer.packetize(frame, room, &mut out).expect("it fits");
    out
}

fn joined(payloads: &[Bytes]) -> Result<Bytes, Malformed> {
    assemble(payloads.iter(), &mut ParameterSets::default())
}

#[test]
fn a_key_frame_comes_back_from_the_packets_that_carry_it() {
    let frame = stream(&[SPS, PPS, &slice(0x65, 5_000), &slice(0x65, 40)]);
    let packets = packets(&mut Packetizer::new(MODE_1), &frame, 1_200);
    assert!(packets.iter().all(|packet| packet.len() <= 1_200));
    // the parameter sets together, five parts of the large slice, the small one
    assert_eq!(
        packets.iter().map(|packet| packet[0] & TYPE).collect::<Vec<_>>(),
        [24, 28, 28, 28, 28, 28, 5]
    );
    assert_eq!(joined(&packets), Ok(frame));
    assert_eq!(inspect(&packets[0]), Ok(PayloadInfo { start: Start::Yes, key_frame: false, layer: None }));
    assert_eq!(inspect(&packets[1]), Ok(PayloadInfo { start: Start::Unknown, key_frame: true, layer: None }));
    assert_eq!(inspect(&packets[2]), Ok(PayloadInfo { start: Start::No, key_frame: true, layer: None }));
}

#[test]
fn start_codes_of_three_bytes_and_zeros_between_units_are_read() {
    let frame = [&[0, 0, 1][..], SPS, &[0, 0, 0, 0, 1], PPS, &[0, 0, 1, 0x65, 0x88, 0x00]].concat();
    let packets = packets(&mut Packetizer::new(MODE_1), &frame.into(), 1_200);
    assert_eq!(joined(&packets), Ok(stream(&[SPS, PPS, &[0x65, 0x88]])));
}

#[test]
fn who_joins_late_gets_the_parameter_sets_with_every_key_frame() {
    let mut packetizer = Packetizer::new(MODE_1);
    packets(&mut packetizer, &stream(&[SPS, PPS, &slice(0x65, 20)]), 1_200);
    packets(&mut packetizer, &stream(&[&slice(0x41, 20)]), 1_200);
    let later = packets(&mut packetizer, &stream(&[&slice(0x65, 20)]), 1_200);
    assert_eq!(joined(&later), Ok(stream(&[SPS, PPS, &slice(0x65, 20)])));
}

#[test]
fn a_receiver_adds_the_parameter_sets_that_a_sender_leaves_out() {
    let key = Bytes::from(slice(0x65, 20));
    let mut from_description = ParameterSets::from_fmtp("sprop-parameter-sets=Z0LgHw==,aM48gA==");
    let expected = stream(&[SPS, PPS, &key]);
    assert_eq!(assemble([&key].into_iter(), &mut from_description), Ok(expected.clone()));

    let mut from_stream = ParameterSets::default();
    let sent = packets(&mut Packetizer::new(MODE_1), &expected, 1_200);
    assemble(sent.iter(), &mut from_stream).expect("a frame");
    assert_eq!(assemble([&key].into_iter(), &mut from_stream), Ok(expected));
}

#[test]
fn without_packetization_mode_1_each_unit_has_a_packet_or_is_refused() {
    let mut packetizer = Packetizer::new("profile-level-id=42e01f");
    let frame = stream(&[SPS, PPS, &slice(0x65, 1_200)]);
    assert_eq!(packets(&mut packetizer, &frame, 1_200), [SPS, PPS, &slice(0x65, 1_200)]);
    let mut out = Vec::new();
    let refused = packetizer.packetize(&frame, 1_199, &mut out);
    assert_eq!(refused, Err(PacketizeError::TooLarge { codec: Codec::H264, size: 1_200, room: 1_199 }));
    assert!(out.is_empty());
}

#[test]
fn delimiters_and_fillers_take_no_packets() {
    let frame = stream(&[&[0x09, 0xf0], &slice(0x41, 20), &[0x0c, 0xff, 0x80]]);
    assert_eq!(packets(&mut Packetizer::new(MODE_1), &frame, 1_200), [slice(0x41, 20)]);
}

#[test]
fn what_is_not_annex_b_is_refused_with_the_reason() {
    let mut packetizer = Packetizer::new(MODE_1);
    for wrong in
        [&[0, 0, 0, 4, 0x65, 1, 2, 3][..], &[0x65, 1, 2], &[0, 0, 1], &[0, 0, 1, 0x78, 1], &[0, 0, 0]]
    {
        let refused = packetizer.packetize(&Bytes::copy_from_slice(wrong), 1_200, &mut Vec::new());
        assert!(matches!(refused, Err(PacketizeError::NotAFrame { .. })), "{wrong:?}: {refused:?}");
    }
}

#[test]
fn a_slice_in_the_middle_of_a_picture_starts_no_frame() {
    assert_eq!(inspect(&[0x41, 0x40]).expect("a slice").start, Start::No);
    assert_eq!(inspect(&[0x41, 0x88]).expect("a slice").start, Start::Unknown);
    assert_eq!(inspect(&[0x7c, 0x81, 0x40]).expect("a part").start, Start::No);
    assert_eq!(inspect(&[0x09, 0xf0]).expect("a delimiter").start, Start::Yes);
}

#[test]
fn what_breaks_the_rules_of_the_format_is_malformed() {
    let wrong: [&[u8]; 8] = [
        &[0x60],                // type 0
        &[0x79, 1, 2],          // STAP-B
        &[0x78],                // a STAP-A with nothing in it
        &[0x78, 0, 0],          // an empty unit
        &[0x78, 0, 2, 1],       // a unit longer than the packet
        &[0x78, 0, 1, 0x78],    // a STAP-A in a STAP-A
        &[0x7c],                // a part without its header
        &[0x78, 0, 1, 0x41, 0], // half a length
    ];
    for payload in wrong {
        assert!(inspect(payload).is_err(), "{payload:?}");
        assert!(joined(&[Bytes::from_static(payload)]).is_err(), "{payload:?}");
    }
    let part = |flags: u8| Bytes::copy_from_slice(&[0x7c, flags | 1, 7]);
    assert!(joined(&[part(0x80), part(0x40)]).is_ok());
    for wrong in [&[part(0x40)][..], &[part(0x80)], &[part(0x80), part(0x80)], &[part(0x80), part(0)], &[]] {
        assert!(joined(wrong).is_err(), "{wrong:?}");
    }
}
