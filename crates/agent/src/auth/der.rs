//! The three kinds of keys in DER (X.690) and PEM (RFC 7468).

use der::asn1::{AnyRef, BitStringRef, ObjectIdentifier, UintRef};
use der::{Decode, Encode, Sequence};
use pem::{EncodeConfig, LineEnding, Pem};
use pkcs8::PrivateKeyInfoRef;
use spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::algorithm::Algorithm;

/// RFC 8410.
const ED25519: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.3.101.112");
/// RFC 5480: an EC key, and the curve P-256.
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");
const P256: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7");
/// RFC 3279.
const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");

/// An RSAPublicKey (RFC 8017, A.1.1).
#[derive(Sequence)]
struct RsaPublicKey<'a> {
    n: UintRef<'a>,
    e: UintRef<'a>,
}

fn identifier(algorithm: Algorithm) -> AlgorithmIdentifierRef<'static> {
    let (oid, parameters) = match algorithm {
        Algorithm::EdDsa => (ED25519, None),
        Algorithm::Es256 => (EC, Some(AnyRef::from(&P256))),
        Algorithm::Rs256 => (RSA, Some(AnyRef::NULL)),
    };
    AlgorithmIdentifierRef { oid, parameters }
}

fn algorithm(found: &AlgorithmIdentifierRef<'_>) -> Option<Algorithm> {
    [Algorithm::EdDsa, Algorithm::Es256, Algorithm::Rs256]
        .into_iter()
        .find(|algorithm| identifier(*algorithm) == *found)
}

/// The key in a SubjectPublicKeyInfo (RFC 5280, 4.1.2.7), and its kind if it is one of the three. `None` if it is no such thing.
pub(super) fn public_key(der: &[u8]) -> Option<(Option<Algorithm>, &[u8])> {
    let info = SubjectPublicKeyInfoRef::from_der(der).ok()?;
    Some((algorithm(&info.algorithm), info.subject_public_key.as_bytes()?))
}

/// The SubjectPublicKeyInfo of a key.
pub(super) fn public_key_info(kind: Algorithm, key: &[u8]) -> Vec<u8> {
    let subject_public_key =
        BitStringRef::from_bytes(key).expect("a key is not as long as a BIT STRING may be");
    let info = SubjectPublicKeyInfoRef { algorithm: identifier(kind), subject_public_key };
    info.to_der().expect("what has a length that was checked is written")
}

/// The kind of a PKCS#8 key (RFC 5958) that is one of the three, and the key inside it.
pub(super) fn private_key(der: &[u8]) -> Option<(Algorithm, &[u8])> {
    let info = PrivateKeyInfoRef::from_der(der).ok()?;
    Some((algorithm(&info.algorithm)?, info.private_key.as_bytes()))
}

/// Modulus and exponent of an RSAPublicKey, without leading zeros.
pub(super) fn rsa_numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let RsaPublicKey { n, e } = RsaPublicKey::from_der(der).ok()?;
    Some((n.as_bytes(), e.as_bytes()))
}

/// The RSAPublicKey of both.
pub(super) fn rsa_key(n: &[u8], e: &[u8]) -> Vec<u8> {
    let number = |bytes| UintRef::new(bytes).expect("a key is not as long as an INTEGER may be");
    let key = RsaPublicKey { n: number(n), e: number(e) };
    key.to_der().expect("what has a length that was checked is written")
}

/// The bytes of a PEM text with this label.
pub(super) fn from_pem(text: &str, label: &str) -> Option<Vec<u8>> {
    let pem = pem::parse(text).ok()?;
    (pem.tag() == label).then(|| pem.into_contents())
}

/// PEM text with lines of 64 characters.
pub(super) fn to_pem(der: &[u8], label: &str) -> String {
    let config = EncodeConfig::new().set_line_ending(LineEnding::LF).set_line_wrap(64);
    pem::encode_config(&Pem::new(label, der), config)
}
