//! The vectors of RFC 3711 and RFC 7714, and what is refused.

use super::cipher::{Cipher, ENCRYPTED};
use super::derive::{Label, derive};
use super::*;
use crate::types::SrtpProfile;

const PROFILES: [SrtpProfile; 3] =
    [SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm];

fn hex(text: &str) -> Vec<u8> {
    let digits: Vec<u8> = text
        .chars()
        .filter(|letter| !letter.is_whitespace())
        .map(|letter| letter.to_digit(16).expect("hexadecimal") as u8)
        .collect();
    digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
}

fn pair(profile: SrtpProfile, max_streams: usize) -> (Outbound, Inbound) {
    let (key, salt) = (vec![7; profile.key_len()], vec![9; profile.salt_len()]);
    let inbound = Inbound::new(profile, &key, &salt, max_streams).unwrap();
    (Outbound::new(profile, &key, &salt).unwrap(), inbound)
}

fn rtp(ssrc: u32, sequence: u16) -> Vec<u8> {
    let mut packet = vec![0x80, 96];
    packet.extend(sequence.to_be_bytes());
    packet.extend([0; 4]);
    packet.extend(ssrc.to_be_bytes());
    packet.extend(b"what it carries");
    packet
}

fn sealed(outbound: &Outbound, ssrc: u32, index: u64) -> Vec<u8> {
    let mut packet = rtp(ssrc, index as u16);
    outbound.seal_rtp(&mut packet, 12, ssrc, index);
    packet
}

fn rtcp(ssrc: u32) -> Vec<u8> {
    let mut packet = vec![0x80, 201, 0, 1];
    packet.extend(ssrc.to_be_bytes());
    packet
}

#[test]
fn a_packet_that_is_sealed_behind_others_goes_out_as_if_it_were_alone() {
    let plain: Vec<u8> = (0..60).map(|at| if at == 0 { 0x80 } else { at }).collect();
    for profile in PROFILES {
        let (outbound, _) = pair(profile, 1);
        let mut alone = plain.clone();
        outbound.seal_rtp(&mut alone, 12, 7, 65_537);
        let mut batch = b"the packets before".to_vec();
        let start = batch.len();
        batch.extend_from_slice(&plain);
        outbound.seal_rtp_at(&mut batch, start, 12, 7, 65_537);
        assert_eq!(batch, [&b"the packets before"[..], &alone].concat());
    }
}

#[test]
fn session_keys_are_those_of_rfc_3711_b_3() {
    let key = hex("E1F97A0D3E018BE0D64FA32C06DE4139");
    let salt = hex("0EC675AD498AFEEBB6960B3AABE6");
    let of = |label, len| derive(&key, &salt, label, len).unwrap();
    assert_eq!(of(Label::RtpEncryption, 16), hex("C61E7A93744F39EE10734AFE3FF7A087"));
    assert_eq!(of(Label::RtpSalt, 14), hex("30CBBC08863D8C85D49DB34A9AE1"));
    assert_eq!(
        of(Label::RtpAuthentication, 94),
        hex("CEBE321F6FF7716B6FD4AB49AF256A156D38BAA48F0A0ACF3C34E2359E6CDBCE
             E049646C43D9327AD175578EF72270986371C10C9A369AC2F94A8C5FBCDDDC25
             6D6E919A48B610EF17C2041E474035766B68642C59BBFC2F34DB60DBDFB2")
    );
}

#[test]
fn session_keys_of_256_bits_are_those_of_rfc_6188_7_2() {
    let key = hex("F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6");
    let salt = hex("3B04803DE51EE7C96423AB5B78D2");
    assert_eq!(
        derive(&key, &salt, Label::RtpEncryption, 32).unwrap(),
        hex("5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4")
    );
    assert_eq!(derive(&key, &salt, Label::RtpSalt, 14).unwrap(), hex("FA31791685CA444A9E07C6C64E93"));
}

const GCM_SALT: &str = "517569642070726f2071756f";
const GCM_KEY: &str = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";

/// RFC 7714 gives session keys: key and salt as they are, without derivation.
fn gcm(bytes: usize) -> Cipher {
    Cipher::with_gcm_session(&hex(GCM_KEY)[..bytes], &hex(GCM_SALT))
}

#[test]
fn rtp_in_gcm_is_that_of_rfc_7714_16() {
    let plain = hex("8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976
                     69736120 696e2070 61727465 73207472 6573");
    let cases = [
        (
            16,
            "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a
              51c7d19b 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
        ),
        (
            32,
            "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02
              76ffae0f 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
        ),
    ];
    for (bytes, expected) in cases {
        let mut packet = plain.clone();
        gcm(bytes).seal_rtp(&mut packet, 0, 12, 0x5501_a0b2, 0xf17b);
        assert_eq!(packet, hex(expected));
        gcm(bytes).open_rtp(&mut packet, 12, 0x5501_a0b2, 0xf17b).unwrap();
        assert_eq!(packet, plain);
    }
}

#[test]
fn rtcp_in_gcm_is_that_of_rfc_7714_17() {
    let plain = hex("81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61
                     deadbeef deadbeef deadbeef deadbeef deadbeef");
    let cases = [
        (
            16,
            "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda
              4ce09b46 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
        ),
        (
            32,
            "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be
              8415f658 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
        ),
    ];
    for (bytes, expected) in cases {
        let mut packet = plain.clone();
        gcm(bytes).seal_rtcp(&mut packet, 0x4d61_7273, 0x5d4);
        assert_eq!(packet, hex(expected));
        assert_eq!(gcm(bytes).rtcp_word(&packet), Ok(0x5d4 | ENCRYPTED));
        gcm(bytes).open_rtcp(&mut packet, 0x4d61_7273, 0x5d4).unwrap();
        assert_eq!(packet, plain);
    }
}

#[test]
fn a_packet_comes_in_once_and_its_repetition_is_refused() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile, 10);
        let mut packet = sealed(&outbound, 5, 1000);
        let again = packet.clone();
        assert_eq!(inbound.open_rtp(&mut packet, 12), Ok(1000));
        assert_eq!(packet, rtp(5, 1000));
        assert_eq!(inbound.open_rtp(&mut again.clone(), 12), Err(SrtpError::Replayed));
        // The numbers of another stream are its own.
        assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 6, 1000), 12), Ok(1000));
    }
}

#[test]
fn a_stream_goes_on_across_the_wraps_of_its_numbers_and_takes_late_packets() {
    for profile in PROFILES {
        let (outbound, mut inbound) = pair(profile, 10);
        for index in (65_000..300_000u64).step_by(500) {
            assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 5, index), 12), Ok(index));
            assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 5, index - 400), 12), Ok(index - 400));
        }
    }
}

#[test]
fn each_flipped_bit_is_noticed_and_changes_nothing_for_what_is_genuine() {
    for profile in PROFILES {
        let (mut outbound, mut inbound) = pair(profile, 10);
        let genuine = sealed(&outbound, 5, 1);
        for bit in 0..genuine.len() * 8 {
            let mut packet = genuine.clone();
            packet[bit / 8] ^= 1 << (bit % 8);
            assert!(inbound.open_rtp(&mut packet, 12).is_err(), "{profile:?}: bit {bit}");
        }
        assert_eq!(inbound.open_rtp(&mut genuine.clone(), 12), Ok(1));

        let mut genuine = rtcp(5);
        assert!(outbound.seal_rtcp(&mut genuine));
        for bit in 0..genuine.len() * 8 {
            let mut packet = genuine.clone();
            packet[bit / 8] ^= 1 << (bit % 8);
            assert!(inbound.open_rtcp(&mut packet).is_err(), "{profile:?}: bit {bit}");
        }
        assert_eq!(inbound.open_rtcp(&mut genuine.clone()), Ok(()));
        assert_eq!(inbound.open_rtcp(&mut genuine), Err(SrtpError::Replayed));
    }
}

#[test]
fn a_million_forged_streams_leave_nothing_behind_and_genuine_ones_stop_at_the_bound() {
    let (outbound, mut inbound) = pair(SrtpProfile::Aes128CmSha1_80, 2);
    for ssrc in 0..1_000_000u32 {
        let mut forged = rtp(ssrc, 1);
        forged.extend([0; 10]);
        assert_eq!(inbound.open_rtp(&mut forged, 12), Err(SrtpError::Unauthentic));
    }
    assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 1, 1), 12), Ok(1));
    assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 2, 1), 12), Ok(1));
    assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 3, 1), 12), Err(SrtpError::TooManyStreams));
    inbound.retain(|ssrc| ssrc != 1);
    assert_eq!(inbound.open_rtp(&mut sealed(&outbound, 3, 2), 12), Ok(2));
}

#[test]
fn reports_that_are_not_encrypted_are_refused() {
    let (_, mut inbound) = pair(SrtpProfile::Aes128CmSha1_80, 2);
    let mut packet = rtcp(1);
    packet.extend([0, 0, 0, 1]);
    packet.extend([0; 10]);
    assert_eq!(inbound.open_rtcp(&mut packet), Err(SrtpError::Unauthentic));
}

#[test]
fn keys_of_a_wrong_length_are_refused_with_what_is_needed() {
    let error = Outbound::new(SrtpProfile::AeadAes256Gcm, &[0; 16], &[0; 12]).err().unwrap();
    assert_eq!(
        error.to_string(),
        "the SRTP keys do not fit SRTP_AEAD_AES_256_GCM: the master key has 16 bytes, 32 are needed"
    );
    assert!(Inbound::new(SrtpProfile::AeadAes128Gcm, &[0; 16], &[0; 14], 1).is_err());
}
