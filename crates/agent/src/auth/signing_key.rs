//! Private keys: what tokens are signed with.

use std::fmt;

use jsonwebtoken::EncodingKey;
use jsonwebtoken::jwk::Jwk;

use super::algorithm::Algorithm;
use super::der;
use super::key::{KeyError, MAX_TEXT, PublicKey};

/// A private key with its public part. Wiped from memory when dropped; never printed.
pub struct SigningKey {
    key: EncodingKey,
    public: PublicKey,
}

impl SigningKey {
    /// Reads PEM with the label `PRIVATE KEY` (PKCS#8, RFC 5958), not encrypted.
    pub fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::TooLong);
        }
        let der = der::from_pem(text, "PRIVATE KEY").ok_or(KeyError::Malformed)?;
        let (algorithm, inner) = der::private_key(&der).ok_or(KeyError::Unsupported)?;
        let key = match algorithm {
            Algorithm::EdDsa => EncodingKey::from_ed_der(&der),
            Algorithm::Es256 => EncodingKey::from_ec_der(&der),
            Algorithm::Rs256 => EncodingKey::from_rsa_der(inner),
        };
        let jwk = Jwk::from_encoding_key(&key, algorithm.jwt()).map_err(|_| KeyError::Malformed)?;
        let jwk = serde_json::to_string(&jwk).map_err(|_| KeyError::Malformed)?;
        Ok(Self { key, public: PublicKey::parse(&jwk)? })
    }

    /// The public part.
    pub fn public(&self) -> &PublicKey {
        &self.public
    }

    /// The signature of `message`, base64url.
    pub(super) fn sign(&self, message: &str) -> Option<String> {
        jsonwebtoken::crypto::sign(message.as_bytes(), &self.key, self.public.algorithm().jwt()).ok()
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey").field("public", &self.public).finish_non_exhaustive()
    }
}
