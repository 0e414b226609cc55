//! `rtc-srtp` reads what we write, and the other way round.

use rtc_crypto::RTCCryptoProvider;
use rtc_crypto::providers::AwsLcRsProvider;
use rtc_srtp::context::Context;
use rtc_srtp::protection_profile::ProtectionProfile;

use super::*;
use crate::types::SrtpProfile;

const PROFILES: [(SrtpProfile, ProtectionProfile); 3] = [
    (SrtpProfile::Aes128CmSha1_80, ProtectionProfile::Aes128CmHmacSha1_80),
    (SrtpProfile::AeadAes128Gcm, ProtectionProfile::AeadAes128Gcm),
    (SrtpProfile::AeadAes256Gcm, ProtectionProfile::AeadAes256Gcm),
];

fn judge(ours: SrtpProfile, theirs: ProtectionProfile) -> (Context, Outbound, Inbound) {
    let key: Vec<u8> = (0..ours.key_len() as u8).collect();
    let salt: Vec<u8> = (100..100 + ours.salt_len() as u8).collect();
    let context = Context::new(&key, &salt, theirs, None, None, AwsLcRsProvider::new().crypto()).unwrap();
    (context, Outbound::new(ours, &key, &salt).unwrap(), Inbound::new(ours, &key, &salt, 4).unwrap())
}

/// A packet with a contributing source, a header extension and a marker.
fn packet(sequence: u16) -> (Vec<u8>, usize) {
    let mut packet = vec![0x91, 0xe0];
    packet.extend(sequence.to_be_bytes());
    packet.extend([1, 2, 3, 4, 0xde, 0xca, 0xfb, 0xad, 9, 9, 9, 9, 0xbe, 0xde, 0, 1, 0x10, b'a', 0, 0]);
    let header = packet.len();
    packet.extend(b"what it carries");
    (packet, header)
}

#[test]
fn rtp_is_understood_both_ways_across_two_wraps() {
    for (ours, theirs) in PROFILES {
        let (mut context, outbound, mut inbound) = judge(ours, theirs);
        for index in (60_000..150_000u64).step_by(1000) {
            let (plain, header) = packet(index as u16);
            let mut written = plain.clone();
            outbound.seal_rtp(&mut written, header, 0xdeca_fbad, index);
            assert_eq!(context.decrypt_rtp(&written).unwrap(), plain, "{ours:?}: {index}");
        }
        let (mut context, _, _) = judge(ours, theirs);
        for index in (60_000..150_000u64).step_by(1000) {
            let (plain, header) = packet(index as u16);
            let mut written = context.encrypt_rtp(&plain).unwrap().to_vec();
            assert_eq!(inbound.open_rtp(&mut written, header), Ok(index), "{ours:?}");
            assert_eq!(written, plain);
        }
    }
}

#[test]
fn rtcp_is_understood_both_ways() {
    for (ours, theirs) in PROFILES {
        let (mut context, mut outbound, mut inbound) = judge(ours, theirs);
        let plain = [0x81, 206, 0, 2, 0xde, 0xca, 0xfb, 0xad, 0, 0, 0, 7];
        for _ in 0..3 {
            let mut written = plain.to_vec();
            assert!(outbound.seal_rtcp(&mut written));
            assert_eq!(context.decrypt_rtcp(&written).unwrap(), &plain[..], "{ours:?}");
        }
        for _ in 0..3 {
            let mut written = context.encrypt_rtcp(&plain).unwrap().to_vec();
            assert_eq!(inbound.open_rtcp(&mut written), Ok(()), "{ours:?}");
            assert_eq!(written, plain);
        }
    }
}
