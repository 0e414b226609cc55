//! DTLS certificates: generation, PEM import and export, fingerprints.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _,
};
use bytes::Bytes;
use rcgen::{CertificateParams, DistinguishedName, DnType, KeyPair};
use x509_parser::oid_registry::OID_KEY_TYPE_EC_PUBLIC_KEY;
use x509_parser::prelude::{FromDer, X509Certificate};

use crate::error::{Error, ErrorKind};
use crate::sdp::Fingerprint;

/// Certificates are valid from a day before their creation, for peers whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::from_secs(24 * 60 * 60);
/// The last moment an X.509 certificate can name (31 December 9999), in Unix milliseconds.
const END_OF_TIME_MS: u64 = 253_402_300_799_000;

/// A certificate with its private key. Cloning is cheap.
#[derive(Clone)]
pub struct Certificate {
    inner: Arc<Inner>,
}

struct Inner {
    der: Bytes,
    /// PKCS#8.
    key: Vec<u8>,
    expires_ms: u64,
    fingerprint: Fingerprint,
}

impl Certificate {
    /// Generates an ECDSA P-256 key and a self-signed certificate for it, valid for `lifetime` from `now_ms`
    /// (Unix time in milliseconds). The subject says nothing about the machine; the serial number is random,
    /// because Firefox refuses two different certificates with the same one.
    ///
    /// # Errors
    /// `OperationError` if the system's random generator fails.
    pub fn generate(now_ms: u64, lifetime: Duration) -> Result<Self, Error> {
        let failed = |e: rcgen::Error| operation(format!("cannot generate a certificate: {e}"));
        let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256).map_err(failed)?;
        let mut serial = [0u8; 16];
        aws_lc_rs::rand::fill(&mut serial)
            .map_err(|_| operation("cannot generate a certificate: the system has no random numbers"))?;
        // A serial number is a positive integer without a leading zero byte (RFC 5280 section 4.1.2.2).
        serial[0] = (serial[0] & 0x7f) | 0x40;

        let lifetime_ms = u64::try_from(lifetime.as_millis()).unwrap_or(u64::MAX);
        let expires_ms = now_ms.saturating_add(lifetime_ms).min(END_OF_TIME_MS);
        let epoch = rcgen::date_time_ymd(1970, 1, 1);
        let now_ms = now_ms.min(END_OF_TIME_MS);
        let mut params = CertificateParams::new(Vec::new()).map_err(failed)?;
        params.distinguished_name = DistinguishedName::new();
        params.distinguished_name.push(DnType::CommonName, "WebRTC");
        params.serial_number = Some(serial.to_vec().into());
        params.not_before = epoch + Duration::from_millis(now_ms).saturating_sub(CLOCK_SKEW);
        params.not_after = epoch + Duration::from_millis(expires_ms);
        let cert = params.self_signed(&key).map_err(failed)?;
        Ok(Self::from_parts(Bytes::copy_from_slice(cert.der()), key.serialize_der(), expires_ms))
    }

    /// Imports a certificate and its private key (PKCS#8 or SEC1) from PEM. They may be in one string or two, and in
    /// any order; the first certificate is taken. Only ECDSA with P-256 or P-384 is supported.
    ///
    /// # Errors
    /// `DataError` if something is missing, malformed or does not belong together; `NotSupportedError` for any other
    /// kind of key, RSA among them.
    pub fn from_pem(certificate: &str, private_key: &str) -> Result<Self, Error> {
        let der = find_block(certificate, "certificate", |tag| tag == "CERTIFICATE")?;
        let key = find_block(private_key, "private key", |tag| tag.ends_with("PRIVATE KEY"))?;
        let (rest, x509) = X509Certificate::from_der(&der.1)
            .map_err(|e| data(format!("the certificate is not valid X.509: {e}")))?;
        if !rest.is_empty() {
            return Err(data(format!("the certificate is followed by {} unexpected bytes", rest.len())));
        }
        let spki = x509.public_key();
        if key.0 == "RSA PRIVATE KEY" || spki.algorithm.algorithm != OID_KEY_TYPE_EC_PUBLIC_KEY {
            return Err(unsupported(format!(
                "only ECDSA certificates (P-256 or P-384) are supported, and this one has a key of type {}",
                spki.algorithm.algorithm
            )));
        }
        let key = load_key(&key.1)?;
        if key.public_key().as_ref() != &*spki.subject_public_key.data {
            return Err(data("the private key does not belong to the certificate"));
        }
        let expires_ms = u64::try_from(x509.validity().not_after.timestamp()).unwrap_or(0) * 1000;
        let pkcs8 = key.to_pkcs8v1().map_err(|_| data("the private key cannot be written as PKCS#8"))?;
        Ok(Self::from_parts(Bytes::from(der.1), pkcs8.as_ref().to_vec(), expires_ms))
    }

    fn from_parts(der: Bytes, key: Vec<u8>, expires_ms: u64) -> Self {
        let fingerprint = fingerprint_of(&der, Hash::Sha256);
        Certificate { inner: Arc::new(Inner { der, key, expires_ms, fingerprint }) }
    }

    /// The certificate in DER.
    pub fn der(&self) -> &Bytes {
        &self.inner.der
    }

    /// `RTCCertificate.expires`, in Unix milliseconds.
    pub fn expires_ms(&self) -> u64 {
        self.inner.expires_ms
    }

    /// `RTCCertificate.getFingerprints()`, and what goes into our descriptions: SHA-256, which everybody supports.
    pub fn fingerprints(&self) -> Vec<Fingerprint> {
        vec![self.inner.fingerprint.clone()]
    }

    /// The fingerprint with any supported hash; `None` for others, `sha-1` and `md5` among them.
    pub fn fingerprint(&self, algorithm: &str) -> Option<Fingerprint> {
        Hash::from_name(algorithm).map(|hash| fingerprint_of(&self.inner.der, hash))
    }

    /// The certificate as PEM.
    pub fn certificate_pem(&self) -> String {
        encode("CERTIFICATE", &self.inner.der)
    }

    /// The private key as PEM (PKCS#8). Keep it secret.
    pub fn private_key_pem(&self) -> String {
        encode("PRIVATE KEY", &self.inner.key)
    }

    /// The pair in the form the DTLS library takes.
    pub(crate) fn to_dtls(&self) -> dimpl::DtlsCertificate {
        dimpl::DtlsCertificate { certificate: self.inner.der.to_vec(), private_key: self.inner.key.clone() }
    }
}

impl fmt::Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Certificate({})", self.inner.fingerprint)
    }
}

impl PartialEq for Certificate {
    fn eq(&self, other: &Self) -> bool {
        self.inner.der == other.inner.der
    }
}

impl Eq for Certificate {}

/// Hash functions we verify fingerprints with, from weak to strong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    fn from_name(name: &str) -> Option<Self> {
        match name.to_ascii_lowercase().as_str() {
            "sha-256" => Some(Hash::Sha256),
            "sha-384" => Some(Hash::Sha384),
            "sha-512" => Some(Hash::Sha512),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Hash::Sha256 => "sha-256",
            Hash::Sha384 => "sha-384",
            Hash::Sha512 => "sha-512",
        }
    }
}

/// The fingerprint of a certificate in DER.
fn fingerprint_of(der: &[u8], hash: Hash) -> Fingerprint {
    let algorithm = match hash {
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
    };
    let value = digest::digest(algorithm, der).as_ref().to_vec();
    Fingerprint { algorithm: hash.name().to_owned(), value }
}

/// The SHA-256 fingerprint of a certificate in DER.
pub(crate) fn sha256_fingerprint(der: &[u8]) -> Fingerprint {
    fingerprint_of(der, Hash::Sha256)
}

/// Whether a certificate is the one that was signaled. Of several fingerprints only those with the strongest hash
/// count, and one of them must match (RFC 8122 section 5.1); hashes that can be forged (SHA-1, MD5) never do.
pub(crate) fn matches_fingerprints(der: &[u8], signaled: &[Fingerprint]) -> bool {
    let Some(strongest) = signaled.iter().filter_map(|f| Hash::from_name(&f.algorithm)).max() else {
        return false;
    };
    let actual = fingerprint_of(der, strongest);
    signaled.iter().any(|f| Hash::from_name(&f.algorithm) == Some(strongest) && f.value == actual.value)
}

/// The first PEM block whose tag fits.
fn find_block(pem: &str, what: &str, fits: impl Fn(&str) -> bool) -> Result<(String, Vec<u8>), Error> {
    let blocks = ::pem::parse_many(pem).map_err(|e| data(format!("the {what} is not valid PEM: {e}")))?;
    let tags: Vec<String> = blocks.iter().map(|b| b.tag().to_owned()).collect();
    match blocks.into_iter().find(|b| fits(b.tag())) {
        Some(block) if block.tag() == "ENCRYPTED PRIVATE KEY" => {
            Err(unsupported("the private key is encrypted; decrypt it first"))
        }
        Some(block) => Ok((block.tag().to_owned(), block.into_contents())),
        None if tags.is_empty() => Err(data(format!("the PEM has no {what}, and nothing else"))),
        None => Err(data(format!("the PEM has no {what}, only: {}", tags.join(", ")))),
    }
}

fn load_key(der: &[u8]) -> Result<EcdsaKeyPair, Error> {
    [&ECDSA_P256_SHA256_ASN1_SIGNING, &ECDSA_P384_SHA384_ASN1_SIGNING]
        .into_iter()
        .find_map(|algorithm| {
            EcdsaKeyPair::from_pkcs8(algorithm, der)
                .or_else(|_| EcdsaKeyPair::from_private_key_der(algorithm, der))
                .ok()
        })
        .ok_or_else(|| {
            unsupported("the private key is not an ECDSA key on P-256 or P-384 in PKCS#8 or SEC1 form")
        })
}

fn encode(tag: &str, der: &[u8]) -> String {
    let config = ::pem::EncodeConfig::new().set_line_ending(::pem::LineEnding::LF);
    ::pem::encode_config(&::pem::Pem::new(tag, der), config)
}

fn operation(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Operation, message)
}

fn data(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::Data, message)
}

fn unsupported(message: impl Into<String>) -> Error {
    Error::new(ErrorKind::NotSupported, message)
}
