//! Certificates as JavaScript holds them.

use std::time::Duration;

use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::base::error::{Result, from_peer};
use crate::base::system::unix_milliseconds;
use crate::base::values::integer;

/// W3C: user agents may limit the lifetime; a year is the usual limit.
const MAX_LIFETIME_MS: u64 = 365 * 24 * 60 * 60 * 1000;

/// A hash of a certificate.
#[napi(object)]
pub struct CertificateFingerprint {
    /// Hash function in lower case, for example `sha-256`.
    pub algorithm: String,
    /// Lower-case hex with colons.
    pub value: String,
}

/// Certificate and private key in PEM.
#[napi(object)]
pub struct CertificatePem {
    /// The certificate.
    pub certificate: String,
    /// The private key (PKCS#8).
    pub private_key: String,
}

/// A DTLS certificate with its private key.
#[napi]
pub struct Certificate {
    inner: ossa_peer::Certificate,
}

#[napi]
impl Certificate {
    /// Generates an ECDSA P-256 certificate that expires after `lifetime` milliseconds.
    #[napi(factory, catch_unwind)]
    pub fn generate(lifetime: f64) -> Result<Self> {
        let lifetime = integer("expires", lifetime.trunc(), 0, MAX_LIFETIME_MS)?;
        Self::lasting(Duration::from_millis(lifetime))
    }

    /// Imports a certificate and its private key from PEM.
    #[napi(factory, catch_unwind)]
    pub fn from_pem(certificate: String, private_key: String) -> Result<Self> {
        let inner = ossa_peer::Certificate::from_pem(&certificate, &private_key).map_err(from_peer)?;
        Ok(Certificate { inner })
    }

    /// Hashes of the certificate.
    #[napi(catch_unwind)]
    pub fn fingerprints(&self) -> Result<Vec<CertificateFingerprint>> {
        let hex = |value: &[u8]| {
            let pairs: Vec<_> = value.iter().map(|byte| format!("{byte:02x}")).collect();
            pairs.join(":")
        };
        let fingerprints = self.inner.fingerprints();
        let convert = |f: ossa_peer::Fingerprint| CertificateFingerprint {
            value: hex(&f.value),
            algorithm: f.algorithm,
        };
        Ok(fingerprints.into_iter().map(convert).collect())
    }

    /// Moment of expiry, in Unix milliseconds.
    #[napi(catch_unwind)]
    pub fn expires(&self) -> Result<f64> {
        Ok(self.inner.expires_ms() as f64)
    }

    /// The certificate in DER.
    #[napi(catch_unwind)]
    pub fn der(&self) -> Result<Buffer> {
        Ok(self.inner.der().to_vec().into())
    }

    /// Certificate and private key in PEM.
    #[napi(catch_unwind)]
    pub fn to_pem(&self) -> Result<CertificatePem> {
        Ok(CertificatePem {
            certificate: self.inner.certificate_pem(),
            private_key: self.inner.private_key_pem(),
        })
    }
}

impl Certificate {
    /// A new certificate for the given time.
    pub(crate) fn lasting(lifetime: Duration) -> Result<Self> {
        let now = unix_milliseconds();
        let inner = ossa_peer::Certificate::generate(now as u64, lifetime).map_err(from_peer)?;
        Ok(Certificate { inner })
    }

    /// The core's certificate.
    pub(crate) fn inner(&self) -> &ossa_peer::Certificate {
        &self.inner
    }
}
