//! The server's side of `wss:` and `https:`.

use std::fmt;
use std::sync::Arc;

use rustls::ServerConfig as TlsConfig;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject};

/// A certificate with its key, ready for use.
#[derive(Clone)]
pub struct TlsIdentity(pub(super) Arc<TlsConfig>);

impl fmt::Debug for TlsIdentity {
    /// Without the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TlsIdentity")
    }
}

/// Why certificate and key are of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TlsError {
    /// No certificate in the PEM text, or one that cannot be read.
    #[error("\"tls.cert\" is not a PEM certificate: {0}")]
    Certificate(String),
    /// No key in the PEM text, or one that cannot be read.
    #[error("\"tls.key\" is not a PEM private key: {0}")]
    Key(String),
    /// Both can be read, but do not belong together or are of a kind that TLS does not know.
    #[error("\"tls.cert\" and \"tls.key\" cannot be used: {0}")]
    Unusable(String),
}

impl TlsIdentity {
    /// Reads a certificate chain, the server's own certificate first, and its key (PKCS #8, PKCS #1 or SEC1), both PEM.
    pub fn from_pem(cert: &str, key: &str) -> Result<Self, TlsError> {
        let chain = CertificateDer::pem_slice_iter(cert.as_bytes())
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| TlsError::Certificate(error.to_string()))?;
        if chain.is_empty() {
            return Err(TlsError::Certificate("there is none in it".into()));
        }
        let key = PrivateKeyDer::from_pem_slice(key.as_bytes())
            .map_err(|error| TlsError::Key(error.to_string()))?;
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = TlsConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| TlsError::Unusable(error.to_string()))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }

    /// Also for clients that ask for TURN by ALPN (RFC 7443).
    pub(super) fn with_turn(self) -> Self {
        let mut config = TlsConfig::clone(&self.0);
        config.alpn_protocols.push(b"stun.turn".to_vec());
        Self(Arc::new(config))
    }
}
