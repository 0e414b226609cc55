//! Private keys for the engine: loaded once for all connections that have the same certificate.
//!
//! The engine loads its key anew for each connection and keeps it for good. Most connections have the certificate of their process: for
//! them that would be a check of the same key in each set-up, and memory in each connection.

use std::sync::{Arc, Mutex, PoisonError, Weak};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, ECDSA_P384_SHA384_ASN1_SIGNING, EcdsaKeyPair};
use dimpl::crypto::{Buf, HashAlgorithm, KeyProvider, SignatureAlgorithm, SigningKey};
use dimpl::{CryptoError, CryptoOperation};

/// Loads what [`Certificate`](crate::Certificate) holds: PKCS#8, for one of two curves.
#[derive(Debug, Default)]
pub(super) struct Keys {
    /// The key that was loaded last, as long as somebody has it.
    last: Mutex<Weak<Loaded>>,
}

impl KeyProvider for Keys {
    fn load_private_key(&self, der: &[u8]) -> Result<Box<dyn SigningKey>, CryptoError> {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = last.upgrade().filter(|known| known.der == der) {
            return Ok(Box::new(Key(known)));
        }
        let loaded = Arc::new(Loaded::new(der).ok_or(CryptoError::InvalidPrivateKey)?);
        *last = Arc::downgrade(&loaded);
        Ok(Box::new(Key(loaded)))
    }
}

struct Loaded {
    der: Vec<u8>,
    pair: EcdsaKeyPair,
    hash: HashAlgorithm,
}

impl Loaded {
    fn new(der: &[u8]) -> Option<Self> {
        let curves = [
            (&ECDSA_P256_SHA256_ASN1_SIGNING, HashAlgorithm::SHA256),
            (&ECDSA_P384_SHA384_ASN1_SIGNING, HashAlgorithm::SHA384),
        ];
        curves.into_iter().find_map(|(algorithm, hash)| {
            let pair = EcdsaKeyPair::from_pkcs8(algorithm, der).ok()?;
            Some(Loaded { der: der.to_vec(), pair, hash })
        })
    }
}

impl std::fmt::Debug for Loaded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Nothing of it in a log.
        f.debug_struct("Loaded").field("hash", &self.hash).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct Key(Arc<Loaded>);

impl SigningKey for Key {
    fn sign(&mut self, data: &[u8], hash: HashAlgorithm, out: &mut Buf) -> Result<(), CryptoError> {
        let key_hash = self.hash_algorithm();
        if hash != key_hash {
            return Err(CryptoError::SigningKeyHashMismatch { key_hash, requested: hash });
        }
        let failed = |_| CryptoError::OperationFailed(CryptoOperation::Sign);
        let signature = self.0.pair.sign(&SystemRandom::new(), data).map_err(failed)?;
        out.clear();
        out.extend_from_slice(signature.as_ref());
        Ok(())
    }

    fn algorithm(&self) -> SignatureAlgorithm {
        SignatureAlgorithm::ECDSA
    }

    fn hash_algorithm(&self) -> HashAlgorithm {
        self.0.hash
    }

    fn supported_hash_algorithms(&self) -> &[HashAlgorithm] {
        std::slice::from_ref(&self.0.hash)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::certificate::Certificate;

    fn certificate() -> Certificate {
        Certificate::generate(0, Duration::from_secs(1_000_000)).expect("a certificate")
    }

    fn held(keys: &Keys) -> usize {
        keys.last.lock().expect("nobody panics").strong_count()
    }

    #[test]
    fn connections_with_one_certificate_have_one_key_and_others_their_own() {
        let keys = Keys::default();
        let (one, other) = (certificate().to_dtls().private_key, certificate().to_dtls().private_key);
        let load = |der: &[u8]| keys.load_private_key(der).expect("the key is good");
        let first = [load(&one), load(&one)];
        assert_eq!(held(&keys), 2);
        let second = load(&other);
        assert_eq!(held(&keys), 1, "another certificate has another key");
        for mut key in first.into_iter().chain([second]) {
            let mut signature = Buf::new();
            key.sign(b"text", HashAlgorithm::SHA256, &mut signature).expect("a signature");
            assert!(!signature.is_empty());
        }
        assert_eq!(held(&keys), 0, "nobody's key is kept");
    }

    #[test]
    fn what_is_no_key_is_refused() {
        assert!(Keys::default().load_private_key(&[1; 100]).is_err());
    }
}
