//! Keys that are read and written, and keys for the tests of tokens.

use std::sync::OnceLock;

use aws_lc_rs::encoding::AsDer;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, Ed25519KeyPair};
use proptest::prelude::*;

use super::der;
use super::*;

/// PEM of new keys: Ed25519, P-256, RSA, and an attacker's Ed25519. RSA takes a while, so all tests share them.
pub(super) fn keys() -> &'static [String; 4] {
    static KEYS: OnceLock<[String; 4]> = OnceLock::new();
    KEYS.get_or_init(|| {
        let random = SystemRandom::new();
        let ed25519 = || Ed25519KeyPair::generate_pkcs8v1(&random).unwrap().as_ref().to_vec();
        let p256 = EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, &random).unwrap();
        let rsa = aws_lc_rs::rsa::KeyPair::generate(aws_lc_rs::rsa::KeySize::Rsa2048).unwrap();
        let rsa = AsDer::<aws_lc_rs::encoding::Pkcs8V1Der<'_>>::as_der(&rsa).unwrap();
        [ed25519(), p256.as_ref().to_vec(), rsa.as_ref().to_vec(), ed25519()]
            .map(|der| der::to_pem(&der, "PRIVATE KEY"))
    })
}

pub(super) fn key(index: usize) -> SigningKey {
    SigningKey::from_pem(&keys()[index]).unwrap()
}

#[test]
fn keys_survive_being_written_and_read_and_have_one_thumbprint() {
    for index in 0..3 {
        let public = key(index).public().clone();
        assert_eq!(PublicKey::parse(&public.to_pem()), Ok(public.clone()));
        assert_eq!(PublicKey::parse(&public.to_jwk()), Ok(public.clone()));
    }
    // RFC 8037, A.3.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    assert_eq!(PublicKey::parse(jwk).unwrap().thumbprint(), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

#[test]
fn what_is_no_public_key_for_signatures_is_refused_with_the_reason() {
    let private = PublicKey::parse(&keys()[0]).unwrap_err();
    assert_eq!(private, KeyError::Private);
    for (text, error) in [
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","d":"AA"}"#,
            KeyError::Private,
        ),
        (r#"{"kty":"oct","k":"AAAA"}"#, KeyError::Private),
        (
            r#"{"kty":"OKP","crv":"X25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#,
            KeyError::Unsupported,
        ),
        (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#, KeyError::Malformed),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","use":"enc"}"#,
            KeyError::Purpose,
        ),
        (
            r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","alg":"HS256"}"#,
            KeyError::Purpose,
        ),
        (r#"{"kty":"RSA","n":"AQAB","e":"AQAB"}"#, KeyError::Unsupported),
        ("", KeyError::Malformed),
        ("-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----", KeyError::Malformed),
    ] {
        assert_eq!(PublicKey::parse(text), Err(error), "{text}");
    }
    assert_eq!(PublicKey::parse(&"x".repeat(8193)), Err(KeyError::TooLong));
}

#[test]
fn a_key_is_read_in_the_one_form_that_der_gives_it() {
    for index in 0..3 {
        let pem = key(index).public().to_pem();
        assert_eq!(PublicKey::parse(&pem.replace('\n', "\r\n")), PublicKey::parse(&pem));
        let bytes = der::from_pem(&pem, "PUBLIC KEY").unwrap();
        let info = &bytes[if bytes[1] > 0x80 { 4 } else { 2 }..];
        let trailing = [&bytes[..], &[0]].concat();
        let long_length = [&[0x30, 0x83, 0, (info.len() >> 8) as u8, info.len() as u8], info].concat();
        let truncated = bytes[..bytes.len() - 1].to_vec();
        for wrong in [trailing, long_length, truncated] {
            assert_eq!(PublicKey::parse(&der::to_pem(&wrong, "PUBLIC KEY")), Err(KeyError::Malformed));
        }
    }
}

#[test]
fn neither_errors_nor_debug_output_show_a_private_key() {
    let pem = &keys()[0];
    let secret = pem.lines().nth(1).unwrap();
    assert!(!format!("{:?} {:?}", key(0), key(1)).contains(secret));
    let broken = SigningKey::from_pem(&pem.replace("PRIVATE", "SECRET")).unwrap_err();
    assert!(!format!("{broken} {broken:?}").contains(secret));
}

proptest! {
    #[test]
    fn any_bytes_in_pem_are_decided_without_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = PublicKey::parse(&der::to_pem(&bytes, "PUBLIC KEY"));
        let _ = SigningKey::from_pem(&der::to_pem(&bytes, "PRIVATE KEY"));
    }
}
