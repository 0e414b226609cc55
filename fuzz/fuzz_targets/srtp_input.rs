//! Nothing that was not sealed with the keys is opened, and what was sealed and then changed is not opened either.
#![no_main]
use libfuzzer_sys::fuzz_target;
use ossa_media::SrtpProfile;
use ossa_media::rtp::header_len;
use ossa_media::srtp::{Inbound, Outbound};

fuzz_target!(|input: (u8, Vec<Vec<u8>>)| {
    let (choice, packets) = input;
    let profile =
        [SrtpProfile::Aes128CmSha1_80, SrtpProfile::AeadAes128Gcm, SrtpProfile::AeadAes256Gcm][usize::from(choice % 3)];
    let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
    let mut outbound = Outbound::new(profile, &key, &salt).expect("the lengths are right");
    let mut inbound = Inbound::new(profile, &key, &salt, 4).expect("the lengths are right");
    for mut packet in packets {
        assert!(inbound.open_rtcp(&mut packet.clone()).is_err());
        if let Some(header) = header_len(&packet) {
            assert!(inbound.open_rtp(&mut packet.clone(), header).is_err());
        }
        let plain = packet.clone();
        if outbound.seal_rtcp(&mut packet) {
            let mut changed = packet.clone();
            let at = usize::from(choice) % changed.len();
            changed[at] ^= 1 << (choice % 8);
            assert!(inbound.open_rtcp(&mut changed).is_err());
            if inbound.open_rtcp(&mut packet).is_ok() {
                assert_eq!(packet, plain);
            }
        }
    }
});
