//! TCP and TLS connections to TURN servers.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use ossa_peer::Fault;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpSocket, TcpStream};
use tokio_rustls::TlsConnector;

use super::server::TurnError;
use crate::url::Host;

/// A connection of either kind.
pub(super) trait ByteStream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> ByteStream for T {}

/// What a TLS connection needs.
pub(super) struct Tls<'a> {
    /// The name in the URL, which the certificate has to be for.
    pub(super) host: &'a Host,
    pub(super) extra_ca_pem: Option<&'a str>,
}

/// Connects. Returns our own address, too.
pub(super) async fn connect(
    server: SocketAddr,
    bind: SocketAddr,
    tls: Option<Tls<'_>>,
) -> Result<(Box<dyn ByteStream>, SocketAddr), TurnError> {
    let failed = |e: io::Error| TurnError::unreachable(format!("connecting to {server} failed: {e}"));
    let tcp = connect_tcp(server, bind).await.map_err(failed)?;
    let local = tcp.local_addr().map_err(failed)?;
    let Some(tls) = tls else {
        return Ok((Box::new(tcp), local));
    };
    let stream = handshake(tcp, tls).await.map_err(|failed| TurnError {
        local: Some(local),
        fault: failed.fault,
        ..TurnError::unreachable(format!("TLS with {server} failed: {}", failed.text))
    })?;
    Ok((Box::new(stream), local))
}

async fn connect_tcp(server: SocketAddr, bind: SocketAddr) -> io::Result<TcpStream> {
    let socket = if server.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    if !bind.ip().is_unspecified() {
        socket.bind(bind)?;
    }
    let stream = socket.connect(server).await?;
    // What is written is a batch already; waiting for more only delays it.
    stream.set_nodelay(true)?;
    Ok(stream)
}

async fn handshake(
    tcp: TcpStream,
    tls: Tls<'_>,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, TlsError> {
    let roots = roots(tls.extra_ca_pem).await?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|e| e.to_string())?
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = match tls.host {
        Host::Ip(ip) => ServerName::from(*ip),
        Host::Name(name) => {
            ServerName::try_from(name.clone()).map_err(|_| format!("'{name}' can't be in a certificate"))?
        }
    };
    Ok(TlsConnector::from(Arc::new(config)).connect(name, tcp).await?)
}

/// Why there is no TLS.
struct TlsError {
    text: String,
    fault: Fault,
}

/// What this machine itself has against it.
impl From<String> for TlsError {
    fn from(text: String) -> Self {
        Self { text, fault: Fault::Local }
    }
}

impl From<io::Error> for TlsError {
    fn from(error: io::Error) -> Self {
        let inner = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
        let untrusted = matches!(inner, Some(rustls::Error::InvalidCertificate(_)));
        let fault = if untrusted { Fault::Untrusted } else { Fault::Unreachable };
        Self { text: error.to_string(), fault }
    }
}

/// The system's certificate authorities and Mozilla's (a slim container has no store of its own), and those of the application.
async fn roots(extra_pem: Option<&str>) -> Result<Arc<RootCertStore>, String> {
    static ROOTS: OnceLock<Arc<RootCertStore>> = OnceLock::new();
    let common = match ROOTS.get() {
        Some(roots) => roots.clone(),
        // Reads some hundred files: not on the shard's thread.
        None => tokio::task::spawn_blocking(|| ROOTS.get_or_init(load_roots).clone())
            .await
            .map_err(|e| format!("reading the certificate store failed: {e}"))?,
    };
    let Some(pem) = extra_pem else {
        return Ok(common);
    };
    let mut roots = (*common).clone();
    let mut added = 0;
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        let certificate = certificate.map_err(|e| format!("tls_ca_pem is not PEM: {e}"))?;
        roots.add(certificate).map_err(|e| format!("tls_ca_pem holds no usable certificate: {e}"))?;
        added += 1;
    }
    if added == 0 {
        return Err("tls_ca_pem holds no certificate".to_owned());
    }
    Ok(Arc::new(roots))
}

fn load_roots() -> Arc<RootCertStore> {
    let mut roots = RootCertStore::empty();
    roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
    // Files that can't be read or parsed are left out, as every TLS library does.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    Arc::new(roots)
}
