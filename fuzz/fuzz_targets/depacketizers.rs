//! Payloads of any bytes are read or refused, and frames of any bytes are sent or refused; what is sent comes back.
#![no_main]
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use ossa_media::Codec;
use ossa_media::payload::{Depacketizer, Packetizer};

const CODECS: [Codec; 5] = [Codec::Opus, Codec::Vp8, Codec::Vp9, Codec::H264, Codec::Av1];
const FMTP: &str = "packetization-mode=1;sprop-parameter-sets=Z0LgHw==,aM48gA==";

fuzz_target!(|input: (u8, u16, Vec<Vec<u8>>, Vec<u8>)| {
    let (codec, room, payloads, frame) = input;
    let codec = CODECS[usize::from(codec) % CODECS.len()];
    let mut depacketizer = Depacketizer::new(codec, FMTP).expect("a codec with frames");
    let payloads: Vec<Bytes> = payloads.into_iter().map(Bytes::from).collect();
    for payload in &payloads {
        let _ = depacketizer.inspect(payload);
    }
    if let Ok(joined) = depacketizer.assemble(payloads.iter()) {
        let total: usize = payloads.iter().map(Bytes::len).sum();
        assert!(joined.len() <= 3 * total + 8192, "{} bytes of {total}", joined.len());
    }

    let mut sent = Vec::new();
    let mut packetizer = Packetizer::new(codec, FMTP, room).expect("a codec with frames");
    if packetizer.packetize(&frame.into(), room.into(), &mut sent).is_ok() {
        assert!(sent.iter().all(|payload| payload.len() <= room.into()));
        depacketizer.assemble(sent.iter()).expect("our own packets can be read");
    }
});
