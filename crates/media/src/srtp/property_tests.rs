use proptest::collection::vec;
use proptest::prelude::*;

use super::cipher::Cipher;
use super::*;
use crate::rtp::header_len;
use crate::types::SrtpProfile;

fn profile() -> impl Strategy<Value = SrtpProfile> {
    prop_oneof![
        Just(SrtpProfile::Aes128CmSha1_80),
        Just(SrtpProfile::AeadAes128Gcm),
        Just(SrtpProfile::AeadAes256Gcm),
    ]
}

proptest! {
    #[test]
    fn any_bytes_are_refused_without_a_panic(profile in profile(), mut bytes in vec(any::<u8>(), 0..100)) {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut inbound = Inbound::new(profile, &key, &salt, 4).unwrap();
        prop_assert!(inbound.open_rtcp(&mut bytes.clone()).is_err());
        if let Some(header) = header_len(&bytes) {
            prop_assert!(inbound.open_rtp(&mut bytes, header).is_err());
        }
    }

    #[test]
    fn what_is_sealed_is_opened(
        profile in profile(),
        body in vec(any::<u8>(), 0..100),
        csrcs in 0..4u8,
        index in 0..1u64 << 48,
        ssrc in any::<u32>(),
    ) {
        let (key, salt) = (vec![1; profile.key_len()], vec![2; profile.salt_len()]);
        let mut outbound = Outbound::new(profile, &key, &salt).unwrap();
        let cipher = Cipher::new(profile, &key, &salt).unwrap();
        let mut plain = vec![0x80 | csrcs, 96];
        plain.extend((index as u16).to_be_bytes());
        plain.extend([0; 4]);
        plain.extend(ssrc.to_be_bytes());
        plain.extend(vec![0; 4 * usize::from(csrcs)]);
        let header = plain.len();
        plain.extend(&body);
        let mut packet = plain.clone();
        outbound.seal_rtp(&mut packet, header, ssrc, index);
        prop_assert_eq!(packet.len(), plain.len() + Outbound::overhead(profile));
        prop_assert_eq!(cipher.open_rtp(&mut packet, header, ssrc, index), Ok(()));
        prop_assert_eq!(&packet, &plain);

        let mut packet = plain.clone();
        prop_assert!(outbound.seal_rtcp(&mut packet));
        prop_assert_eq!(packet.len(), plain.len() + Outbound::rtcp_overhead(profile));
        let mut inbound = Inbound::new(profile, &key, &salt, 4).unwrap();
        prop_assert_eq!(inbound.open_rtcp(&mut packet), Ok(()));
        prop_assert_eq!(packet, plain);
    }
}
