//! An RTP packet that parses is written in a form that parses to the same packet.
#![no_main]
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ossa_media::Extension;
use ossa_media::rtp::{ExtensionMap, header_len, parse, write};

fuzz_target!(|bytes: &[u8]| {
    let mut map = ExtensionMap::default();
    let ids: Vec<_> = Extension::ALL.into_iter().zip(1..).collect();
    map.add(&ids);
    let header = header_len(bytes);
    assert!(header.is_none_or(|len| len <= bytes.len()));
    let Some(packet) = parse(&Bytes::copy_from_slice(bytes), &map) else { return };
    assert!(header.expect("what parses has a header") + packet.data.len() <= bytes.len());
    let mut out = Vec::new();
    write(&packet, &[], 0, &map, &mut out).expect("what was read can be written");
    assert_eq!(parse(&Bytes::from(out), &map), Some(packet));
});
