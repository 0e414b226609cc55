//! Any bytes are read as RTCP without a panic, and what they say is bounded by their number.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_media::rtcp::{Compound, Feedback, read};

fuzz_target!(|bytes: Vec<u8>| {
    let mut found = Vec::new();
    read(&mut bytes.clone(), 64, |feedback| found.push(feedback));
    for feedback in found {
        match feedback {
            Feedback::Nack { ssrc, sequences } => {
                assert!(sequences.len() <= 4096 && sequences.len() <= 17 * bytes.len() / 4);
                let mut compound = Compound::new(1200);
                compound.nack(1, ssrc, &sequences[..sequences.len().min(32)]);
            }
            Feedback::TransportCc { count, reference, base, deltas } => {
                assert!(deltas.len() <= 8192);
                let mut compound = Compound::new(1200);
                let told = compound.transport_cc(1, 2, (count, reference, base), &deltas);
                assert!(told <= deltas.len());
            }
            _ => {}
        }
    }
});
