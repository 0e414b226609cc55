//! The DCEP codec.

use ossa_peer::dcep::{Message, Open, parse, write_open};
use proptest::prelude::*;

fn open() -> impl Strategy<Value = Open> {
    let limits = prop_oneof![
        Just((None, None)),
        any::<u16>().prop_map(|n| (Some(n), None)),
        any::<u16>().prop_map(|t| (None, Some(t))),
    ];
    (any::<bool>(), limits, any::<u16>(), ".{0,40}", ".{0,40}").prop_map(
        |(ordered, (max_retransmits, max_packet_life_time), priority, label, protocol)| Open {
            ordered,
            max_retransmits,
            max_packet_life_time,
            priority,
            label,
            protocol,
        },
    )
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(open in open()) {
        prop_assert_eq!(parse(&write_open(&open)), Ok(Message::Open(open)));
    }

    #[test]
    fn nothing_makes_the_parser_panic(bytes in proptest::collection::vec(any::<u8>(), 0..80)) {
        let _ = parse(&bytes);
    }

    #[test]
    fn damaged_messages_are_refused_or_read(open in open(), cut in 0usize..100, flip in any::<(usize, u8)>()) {
        let mut bytes = write_open(&open);
        let n = bytes.len();
        bytes[flip.0 % n] ^= flip.1;
        bytes.truncate(cut.min(n));
        let _ = parse(&bytes);
    }
}

#[test]
fn the_example_of_a_browser_is_understood() {
    // Chromium: unordered, maxRetransmits 3, priority 256, label "x", protocol "".
    let bytes = [3, 0x81, 1, 0, 0, 0, 0, 3, 0, 1, 0, 0, b'x'];
    let Ok(Message::Open(open)) = parse(&bytes) else { panic!("not understood") };
    assert!(!open.ordered);
    assert_eq!((open.max_retransmits, open.max_packet_life_time), (Some(3), None));
    assert_eq!((open.label.as_str(), open.protocol.as_str(), open.priority), ("x", "", 256));
}

#[test]
fn labels_of_the_longest_length_fit() {
    let open = Open {
        ordered: true,
        max_retransmits: None,
        max_packet_life_time: None,
        priority: 128,
        label: "l".repeat(65_535),
        protocol: "p".repeat(65_535),
    };
    assert_eq!(parse(&write_open(&open)), Ok(Message::Open(open)));
}

#[test]
fn an_acknowledgement_may_be_padded() {
    assert_eq!(parse(&[2]), Ok(Message::Ack));
    assert_eq!(parse(&[2, 0, 0, 0]), Ok(Message::Ack));
    assert!(parse(&[]).is_err());
    assert!(parse(&[7]).is_err());
}
