//! Opens connections to Redis.

use std::sync::Arc;

use redis::AsyncConnectionConfig;
use redis::aio::MultiplexedConnection;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig as TlsConfig, RootCertStore};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio_rustls::TlsConnector;

use super::config::{ClusterConfig, Target};
use super::trouble::{self, said};

/// Anything that carries bytes both ways.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin + 'static {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin + 'static> Stream for T {}

/// A connection and the task that moves its bytes, which ends with it.
pub(super) struct Connection {
    pub(super) redis: MultiplexedConnection,
    driver: JoinHandle<()>,
}

impl Drop for Connection {
    fn drop(&mut self) {
        self.driver.abort();
    }
}

impl Connection {
    /// Waits until the connection has ended.
    pub(super) async fn ended(driver: &mut JoinHandle<()>) {
        // An error would mean that it was aborted or panicked: it has ended either way.
        let _ = driver.await;
    }

    /// What to send commands through, and what to wait for.
    pub(super) fn parts(&mut self) -> (&mut MultiplexedConnection, &mut JoinHandle<()>) {
        (&mut self.redis, &mut self.driver)
    }
}

/// Connects and logs in; `pushed` is called for every message of a subscription, in order, and must not block. Errors have no
/// password in them.
pub(super) async fn connect(
    config: &ClusterConfig,
    pushed: impl Fn(&[u8]) + Send + Sync + 'static,
) -> Result<Connection, String> {
    let stream: Box<dyn Stream> = match &config.place.target {
        #[cfg(unix)]
        Target::Unix(path) => {
            Box::new(tokio::net::UnixStream::connect(path).await.map_err(|error| error.to_string())?)
        }
        Target::Tcp { host, port, tls } => {
            let address = (host.as_str(), *port);
            let stream = TcpStream::connect(address).await.map_err(|error| error.to_string())?;
            stream.set_nodelay(true).map_err(|error| error.to_string())?;
            if *tls { Box::new(secure(config, host, stream).await?) } else { Box::new(stream) }
        }
    };
    let sender = move |push: redis::PushInfo| -> Result<(), std::convert::Infallible> {
        if let (redis::PushKind::Message, [_, redis::Value::BulkString(payload)]) =
            (&push.kind, push.data.as_slice())
        {
            pushed(payload);
        }
        Ok(())
    };
    // Every wait has its own limit, which covers whole batches.
    let settings = AsyncConnectionConfig::new().set_response_timeout(None).set_push_sender(sender);
    let (redis, driver) = MultiplexedConnection::new_with_config(&config.place.login, stream, settings)
        .await
        .map_err(|error| said(&error))?;
    Ok(Connection { redis, driver: tokio::spawn(driver) })
}

async fn secure(
    config: &ClusterConfig,
    host: &str,
    stream: TcpStream,
) -> Result<tokio_rustls::client::TlsStream<TcpStream>, String> {
    let mut roots = RootCertStore::empty();
    for certificate in &config.extra_roots {
        roots
            .add(certificate.clone())
            .map_err(|error| format!("a certificate in \"ca\" is not usable: {error}"))?;
    }
    // Reads many files: not on the thread that serves the sockets.
    let system = tokio::task::spawn_blocking(rustls_native_certs::load_native_certs)
        .await
        .map_err(|error| format!("the system's certificates could not be loaded: {error}"))?;
    roots.add_parsable_certificates(system.certs);
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = TlsConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?
        .with_root_certificates(roots);
    let tls = match &config.identity {
        None => builder.with_no_client_auth(),
        Some(identity) => builder
            .with_client_auth_cert(identity.chain.clone(), identity.key.clone_key())
            .map_err(|error| format!("\"cert\" and \"key\" are not usable: {error}"))?,
    };
    let name = ServerName::try_from(host.to_owned()).map_err(|error| error.to_string())?;
    let connecting = TlsConnector::from(Arc::new(tls)).connect(name, stream);
    connecting.await.map_err(|error| trouble::of_tls(&error, host))
}
