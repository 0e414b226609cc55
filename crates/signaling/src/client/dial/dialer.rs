//! From an address to a stream of bytes: TCP, proxies, TLS.

use std::fmt;
use std::time::Duration;

use hyper::header::HeaderValue;
use rustls::pki_types::ServerName;
use tokio::net::{TcpStream, lookup_host};
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use super::proxy::{Protocol, Proxies, Proxy};
use super::socks;
use super::stream::Stream;
use super::tunnel::tunnel;
use crate::client::address::{Address, Transport};

/// Addresses of a host that are tried: enough for both families and a few servers behind one name.
const MAX_ADDRESSES: usize = 8;

/// The next address of a host is tried when the last has not answered for so long (RFC 8305, 5).
const STAGGER: Duration = Duration::from_millis(250);

/// Opens connections to servers.
pub(in crate::client) struct Dialer {
    pub(in crate::client) tls: Option<TlsConnector>,
    pub(in crate::client) proxies: Proxies,
}

impl fmt::Debug for Dialer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialer").finish_non_exhaustive()
    }
}

/// A connection to a server, or to a proxy that wants to be given whole URLs.
pub(in crate::client) struct Dialed {
    pub(in crate::client) stream: Stream,
    /// Requests go to a proxy, which forwards them (RFC 9112, 3.2.2).
    pub(in crate::client) forward: Option<Forward>,
}

/// What a proxy wants of requests that it forwards.
#[derive(Debug)]
pub(in crate::client) struct Forward {
    pub(in crate::client) authorization: Option<HeaderValue>,
}

impl Dialer {
    pub(in crate::client) async fn open(&self, address: &Address) -> Result<Dialed, String> {
        let Some(proxy) = self.proxies.of(address) else {
            let stream = tcp(&address.host, address.port).await?;
            let stream = self.secure(stream, address.secure, &address.host).await?;
            return Ok(Dialed { stream, forward: None });
        };
        let stream = match &proxy.protocol {
            Protocol::Http { secure, authorization } => {
                let stream = self.reach(&proxy, *secure).await?;
                if address.transport == Transport::Http && !address.secure {
                    // What proxies are made for; many allow tunnels to port 443 only.
                    let forward = Forward { authorization: authorization.clone() };
                    return Ok(Dialed { stream, forward: Some(forward) });
                }
                tunnel(stream, &proxy, authorization.as_ref(), address).await?
            }
            Protocol::Socks5 { remote_names, credentials } => {
                self.through_socks(&proxy, *remote_names, credentials.as_ref(), address).await?
            }
        };
        let stream = self.secure(stream, address.secure, &address.host).await?;
        Ok(Dialed { stream, forward: None })
    }

    /// A connection to the proxy itself.
    async fn reach(&self, proxy: &Proxy, secure: bool) -> Result<Stream, String> {
        let reached = match tcp(&proxy.host, proxy.port).await {
            Ok(stream) => self.secure(stream, secure, &proxy.host).await,
            Err(error) => Err(error),
        };
        reached.map_err(|error| format!("the proxy cannot be reached: {error}"))
    }

    /// Tries the addresses of the server one after the other, each over a connection of its own, as the proxy ends one that it
    /// has refused something on.
    async fn through_socks(
        &self,
        proxy: &Proxy,
        remote_names: bool,
        credentials: Option<&(String, String)>,
        address: &Address,
    ) -> Result<Stream, String> {
        let mut last = format!("{}:{}: the name has no address", address.host, address.port);
        for target in socks::targets(address, remote_names).await?.into_iter().take(MAX_ADDRESSES) {
            let stream = self.reach(proxy, false).await?;
            match socks::connect(stream, proxy, credentials, target).await {
                Ok(stream) => return Ok(stream),
                Err(error) => last = error,
            }
        }
        Err(last)
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
