//! Protected alerts of DTLS 1.3.
//!
//! The engine sends no fatal alerts, and has the keys that would protect them. But it lets us choose its cryptography, and in DTLS 1.3
//! the type of a record's content is encrypted with it, followed by padding of any length (RFC 8446 section 5.4). So whatever the
//! engine protects next can become an alert of the same length. That is also how nothing of the handshake, our certificate among
//! it, reaches a peer whose certificate is the wrong one.
//!
//! Both switches are per thread and hold during one call of the engine only.

use std::cell::{Cell, RefCell};
use std::mem;
use std::sync::LazyLock;

use dimpl::CryptoError;
use dimpl::crypto::{
    Aad, Buf, Cipher, CryptoProvider, Dtls13CipherSuite, HashAlgorithm, Nonce, SignatureAlgorithm,
    SignatureVerifier, SupportedDtls13CipherSuite, TmpBuf, aws_lc_rs,
};

use super::alert;
use super::few::Few;
use super::keys::Keys;
use crate::certificate::matches_fingerprints;
use crate::sdp::Fingerprint;

const FATAL: u8 = 2;
const ALERT: u8 = 21;

thread_local! {
    /// The alert that takes the place of what is protected.
    static LAST_WORD: Cell<Option<u8>> = const { Cell::new(None) };
    /// Fingerprints that certificates are compared with.
    static EXPECTED: RefCell<Option<Vec<Fingerprint>>> = const { RefCell::new(None) };
}

/// The engine's cryptography, with the switches in it and keys that are loaded once.
pub(super) fn provider() -> CryptoProvider {
    static SUITES: LazyLock<Vec<Suite>> = LazyLock::new(|| {
        aws_lc_rs::default_provider().dtls13_cipher_suites.iter().map(|suite| Suite(*suite)).collect()
    });
    static REFERENCES: LazyLock<Vec<&'static dyn SupportedDtls13CipherSuite>> =
        LazyLock::new(|| SUITES.iter().map(|suite| suite as &dyn SupportedDtls13CipherSuite).collect());
    static VERIFIER: LazyLock<Verifier> =
        LazyLock::new(|| Verifier(aws_lc_rs::default_provider().signature_verification));
    static KEYS: LazyLock<Keys> = LazyLock::new(Keys::default);
    CryptoProvider {
        dtls13_cipher_suites: REFERENCES.as_slice(),
        signature_verification: &*VERIFIER,
        key_provider: &*KEYS,
        ..aws_lc_rs::default_provider()
    }
}

/// Lets the engine do something that protects a record, which becomes a fatal alert.
pub(super) fn say<R>(description: u8, f: impl FnOnce() -> R) -> R {
    LAST_WORD.set(Some(description));
    let result = f();
    LAST_WORD.set(None);
    result
}

/// Lets the engine go on with the handshake. If the peer's certificate has none of these fingerprints, all that is protected from
/// then on becomes an alert, and the second result is true.
pub(super) fn watch<R>(fingerprints: &mut Vec<Fingerprint>, f: impl FnOnce() -> R) -> (R, bool) {
    EXPECTED.set(Some(mem::take(fingerprints)));
    let result = f();
    *fingerprints = EXPECTED.take().unwrap_or_default();
    (result, LAST_WORD.take().is_some())
}

#[derive(Debug)]
struct Suite(&'static dyn SupportedDtls13CipherSuite);

impl SupportedDtls13CipherSuite for Suite {
    fn suite(&self) -> Dtls13CipherSuite {
        self.0.suite()
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash_algorithm()
    }

    fn key_len(&self) -> usize {
        self.0.key_len()
    }

    fn iv_len(&self) -> usize {
        self.0.iv_len()
    }

    fn tag_len(&self) -> usize {
        self.0.tag_len()
    }

    fn min_protected_fragment_len(&self) -> usize {
        self.0.min_protected_fragment_len()
    }

    fn create_cipher(&self, key: &[u8]) -> Result<Box<dyn Cipher>, CryptoError> {
        Ok(Box::new(Switched(Few::new(self.0, key))))
    }

    fn encrypt_sn(&self, sn_key: &[u8], sample: &[u8; 16]) -> [u8; 16] {
        self.0.encrypt_sn(sn_key, sample)
    }
}

#[derive(Debug)]
struct Switched(Few);

impl Cipher for Switched {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        if let Some(description) = LAST_WORD.get() {
            // The length is in the header already. What follows the type is padding.
            plaintext.fill(0);
            for (to, byte) in plaintext.iter_mut().zip([FATAL, description, ALERT]) {
                *to = byte;
            }
        }
        self.0.encrypt(plaintext, aad, nonce)
    }

    fn decrypt(&mut self, ciphertext: &mut TmpBuf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.0.decrypt(ciphertext, aad, nonce)
    }
}

#[derive(Debug)]
struct Verifier(&'static dyn SignatureVerifier);

impl SignatureVerifier for Verifier {
    fn verify_signature(
        &self,
        cert_der: &[u8],
        data: &[u8],
        signature: &[u8],
        hash_alg: HashAlgorithm,
        sig_alg: SignatureAlgorithm,
    ) -> Result<(), CryptoError> {
        self.0.verify_signature(cert_der, data, signature, hash_alg, sig_alg)?;
        let expected =
            EXPECTED.with_borrow(|e| e.as_ref().is_none_or(|prints| matches_fingerprints(cert_der, prints)));
        if !expected {
            LAST_WORD.set(Some(alert::BAD_CERTIFICATE));
        }
        Ok(())
    }
}
