//! Trust for `wss:` and `https:`.

use std::sync::Arc;

use rustls::{ClientConfig as TlsConfig, RootCertStore};
use tokio_rustls::TlsConnector;

use super::config::ClientConfig;

/// The TLS set-up of a client. The system's certificates are read once per client.
pub(super) async fn connector(config: &ClientConfig) -> Result<TlsConnector, String> {
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
        let errors: Vec<_> = system.errors.iter().map(ToString::to_string).collect();
        let why = if errors.is_empty() { "the system has none".to_owned() } else { errors.join("; ") };
        return Err(format!(
            "no trusted certificates found ({why}); give those to trust in the option \"ca\""
        ));
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let mut tls = match &config.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| format!("the client certificate (\"cert\", \"key\") is not usable: {error}"))?,
    };
    // Servers that speak HTTP/2 as well must not choose it.
    tls.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(TlsConnector::from(Arc::new(tls)))
}
