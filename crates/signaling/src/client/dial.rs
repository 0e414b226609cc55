//! From an address to a stream of bytes: TCP, proxies, TLS.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpStream, lookup_host};
use tokio::task::{JoinHandle, JoinSet};
use tokio_rustls::TlsConnector;

use super::address::{Address, Transport};
use super::proxy::{Proxies, Proxy, tunnel};

/// Anything that carries bytes in both directions.
pub(super) trait Io: AsyncRead + AsyncWrite + Send + Unpin {}
impl<T: AsyncRead + AsyncWrite + Send + Unpin> Io for T {}

pub(super) type Stream = Box<dyn Io>;

/// Addresses of a host that are tried: enough for both families and a few servers behind one name.
const MAX_ADDRESSES: usize = 8;

/// The next address of a host is tried when the last has not answered for so long (RFC 8305, 5).
const STAGGER: Duration = Duration::from_millis(250);

/// A task that ends with its owner.
#[derive(Debug)]
pub(super) struct Aborted(JoinHandle<()>);

impl Aborted {
    pub(super) fn spawn(task: impl Future<Output = ()> + Send + 'static) -> Self {
        Self(tokio::spawn(task))
    }
}

impl Drop for Aborted {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Opens connections to servers.
pub(super) struct Dialer {
    pub(super) tls: Option<TlsConnector>,
    pub(super) proxies: Proxies,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// A connection to a server, or to a proxy that wants to be given whole URLs.
pub(super) struct Dialed {
    pub(super) stream: Stream,
    /// Requests go to this proxy, which forwards them (RFC 9112, 3.2.2).
    pub(super) forward: Option<Proxy>,
}

impl Dialer {
    pub(super) async fn open(&self, address: &Address) -> Result<Dialed, String> {
        let Some(proxy) = self.proxies.of(address) else {
            let stream = tcp(&address.host, address.port).await?;
            let stream = self.secure(stream, address.secure, &address.host).await?;
            return Ok(Dialed { stream, forward: None });
        };
        let reached = match tcp(&proxy.host, proxy.port).await {
            Ok(stream) => self.secure(stream, proxy.secure, &proxy.host).await,
            Err(error) => Err(error),
        };
        let stream = reached.map_err(|error| format!("the proxy cannot be reached: {error}"))?;
        if address.transport == Transport::Http && !address.secure {
            // What proxies are made for; many allow tunnels to port 443 only.
            return Ok(Dialed { stream, forward: Some(proxy) });
        }
        let stream = tunnel(stream, &proxy, address).await?;
        let stream = self.secure(stream, address.secure, &address.host).await?;
        Ok(Dialed { stream, forward: None })
    }

    async fn secure(&self, stream: Stream, wanted: bool, host: &str) -> Result<Stream, String> {
        let tls = match &self.tls {
            Some(tls) if wanted => tls,
            None if wanted => return Err("TLS was not set up".to_owned()),
            _ => return Ok(stream),
        };
        let name = ServerName::try_from(host.to_owned())
            .map_err(|error| format!("{host:?} cannot be the name of a TLS server: {error}"))?;
        let stream =
            tls.connect(name, stream).await.map_err(|error| format!("TLS with {host} failed: {error}"))?;
        Ok(Box::new(stream))
    }
}

/// Connects to the first address of the host that answers: one that swallows packets must not cost all the time.
async fn tcp(host: &str, port: u16) -> Result<Stream, String> {
    let failed = |error: std::io::Error| format!("{host}:{port}: {error}");
    let addresses: Vec<_> = lookup_host((host, port)).await.map_err(failed)?.take(MAX_ADDRESSES).collect();
    let mut attempts = JoinSet::new();
    for (address, position) in addresses.into_iter().zip(0u32..) {
        attempts.spawn(async move {
            tokio::time::sleep(STAGGER * position).await;
            TcpStream::connect(address).await
        });
    }
    let mut last = format!("{host}:{port}: the name has no address");
    while let Some(attempt) = attempts.join_next().await {
        match attempt {
            Ok(Ok(stream)) => {
                // Signaling is small messages that somebody waits for.
                let _ = stream.set_nodelay(true);
                return Ok(Box::new(stream));
            }
            Ok(Err(error)) => last = failed(error),
            Err(error) => last = format!("{host}:{port}: {error}"),
        }
    }
    Err(last)
}
