//! Certificates from and to PEM. The fixtures were made with the openssl command.

use std::time::Duration;

use ossa_peer::{Certificate, ErrorKind};

const P256: &str = include_str!("certificates/p256.pem");
const P256_KEY: &str = include_str!("certificates/p256-key-sec1.pem");
const P384: &str = include_str!("certificates/p384.pem");
const P384_KEY: &str = include_str!("certificates/p384-key.pem");
const RSA: &str = include_str!("certificates/rsa.pem");
const RSA_KEY: &str = include_str!("certificates/rsa-key.pem");

/// As `openssl x509 -fingerprint -sha384` prints it.
const FINGERPRINT_384: &str = "sha-384 01:60:2C:16:EE:5D:59:C7:93:E5:BE:EC:58:1C:4E:5C:46:28:34:B7:07:39:F4:38:\
    66:8F:2A:E8:F8:0C:3C:54:37:92:C5:5B:19:93:E8:54:10:26:79:66:1C:64:46:38";

const NOW_MS: u64 = 1_790_000_000_123;

#[test]
fn generated_certificates_differ_and_expire_when_asked() {
    let make = || Certificate::generate(NOW_MS, Duration::from_secs(86_400)).unwrap();
    let (a, b) = (make(), make());
    assert_ne!(a, b);
    assert_ne!(a.fingerprints(), b.fingerprints());
    assert_eq!(a.expires_ms(), NOW_MS + 86_400_000);
    assert_eq!(a.fingerprints()[0].algorithm, "sha-256");
    assert_eq!(a.fingerprints()[0].value.len(), 32);
}

#[test]
fn an_endless_lifetime_is_cut_at_the_end_of_time() {
    let c = Certificate::generate(NOW_MS, Duration::MAX).unwrap();
    assert_eq!(c.expires_ms(), 253_402_300_799_000);
    assert!(Certificate::generate(u64::MAX, Duration::ZERO).is_ok());
}

#[test]
fn a_certificate_survives_export_and_import() {
    let c = Certificate::generate(NOW_MS, Duration::from_secs(3600)).unwrap();
    let again = Certificate::from_pem(&c.certificate_pem(), &c.private_key_pem()).unwrap();
    assert_eq!(again, c);
    assert_eq!(again.fingerprints(), c.fingerprints());
    // X.509 counts in whole seconds.
    assert_eq!(again.expires_ms() / 1000, c.expires_ms() / 1000);
    let both = format!("{}{}", c.private_key_pem(), c.certificate_pem());
    assert_eq!(Certificate::from_pem(&both, &both).unwrap(), c);
}

#[test]
fn keys_of_both_curves_in_both_forms_are_accepted() {
    let c = Certificate::from_pem(P256, P256_KEY).unwrap();
    assert!(c.expires_ms() > NOW_MS);
    let c = Certificate::from_pem(P384, P384_KEY).unwrap();
    assert_eq!(c.fingerprint("SHA-384").unwrap().to_string(), FINGERPRINT_384);
    assert_eq!(c.fingerprint("sha-512").unwrap().value.len(), 64);
    assert_eq!(c.fingerprint("sha-1"), None);
}

#[test]
fn what_cannot_be_used_is_refused_with_a_reason() {
    let refused = |cert: &str, key: &str| Certificate::from_pem(cert, key).unwrap_err();
    let rsa = refused(RSA, RSA_KEY);
    assert_eq!(rsa.kind, ErrorKind::NotSupported);
    assert!(rsa.message.contains("ECDSA"), "{}", rsa.message);
    assert_eq!(refused(P256, RSA_KEY).kind, ErrorKind::NotSupported);
    let foreign = refused(P256, P384_KEY);
    assert_eq!(foreign.kind, ErrorKind::Data);
    assert!(foreign.message.contains("does not belong"), "{}", foreign.message);
    for (cert, key) in [("", ""), (P256, ""), (P256, P256), (P256_KEY, P256_KEY), ("-----BEGIN", P256_KEY)] {
        assert_eq!(refused(cert, key).kind, ErrorKind::Data);
    }
    let damaged = P256.replacen('A', "B", 3);
    assert!(Certificate::from_pem(&damaged, P256_KEY).is_err());
}

#[test]
fn a_private_key_never_shows_in_debug_output() {
    let c = Certificate::from_pem(P256, P256_KEY).unwrap();
    assert!(format!("{c:?}").len() < 200);
}
