//! Trust for `wss:`.

use std::sync::Arc;

use rustls::{ClientConfig as TlsConfig, RootCertStore};
use tokio_tungstenite::Connector;

use super::ClientConfig;

/// The TLS set-up for `wss:`, none for `ws:`. The system's certificates are read once per client.
pub(super) async fn connector(config: &ClientConfig) -> Result<Option<Connector>, String> {
    if !config.is_secure() {
        return Ok(None);
    }
    let mut roots = RootCertStore::empty();
    for certificate in &config.extra_roots {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("a certificate in the option \"ca\" is not usable: {error}"))?;
    }
    // Reads many files: not on the thread that serves the sockets.
    let system = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
        .await
        .map_err(|error| format!("the system's certificates could not be loaded: {error}"))?;
    // One unreadable file must not take the others' trust away.
    roots.add_parsable_certificates(system.certs);
    if roots.is_empty() {
        return Err(format!("no trusted certificates found: {:?}", system.errors));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let tls = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Some(Connector::Rustls(Arc::new(tls))))
}
