//! The way through a SOCKS5 proxy (RFC 1928), with a user and a password if it wants them (RFC 1929).

use std::net::{IpAddr, SocketAddr};

use tokio::net::lookup_host;
use tokio_socks::tcp::Socks5Stream;
use tokio_socks::{Error, TargetAddr};

use super::proxy::Proxy;
use super::stream::Stream;
use crate::client::address::Address;

/// What the proxy is asked for: the name of the server if the proxy is to look it up, its addresses otherwise.
pub(in crate::client) async fn targets(
    address: &Address,
    remote_names: bool,
) -> Result<Vec<TargetAddr<'static>>, String> {
    let (host, port) = (address.host.as_str(), address.port);
    if let Ok(ip) = host.parse::<IpAddr>() {
        return Ok(vec![TargetAddr::Ip(SocketAddr::new(ip, port))]);
    }
    if remote_names {
        return Ok(vec![TargetAddr::Domain(host.to_owned().into(), port)]);
    }
    let found = lookup_host((host, port)).await.map_err(|error| {
        format!("{host}:{port}: {error} (a proxy with socks5h:// instead of socks5:// looks names up itself)")
    })?;
    Ok(found.map(TargetAddr::Ip).collect())
}

/// Asks the proxy at the other end of `stream` for a connection to `target`.
pub(in crate::client) async fn connect(
    stream: Stream,
    proxy: &Proxy,
    credentials: Option<&(String, String)>,
    target: TargetAddr<'static>,
) -> Result<Stream, String> {
    let shown = match &target {
        TargetAddr::Ip(address) => address.to_string(),
        TargetAddr::Domain(name, port) if name.len() <= MAX_TEXT => format!("{name}:{port}"),
        TargetAddr::Domain(name, _) => {
            return Err(format!("the name of the server has {} bytes, SOCKS5 allows {MAX_TEXT}", name.len()));
        }
    };
    let connected = match credentials {
        None => Socks5Stream::connect_with_socket(stream, target).await,
        Some((user, password)) => {
            Socks5Stream::connect_with_password_and_socket(stream, target, user, password).await
        }
    };
    match connected {
        Ok(connected) => Ok(connected.into_inner()),
        Err(error) => Err(format!("the SOCKS proxy {proxy} does not connect to {shown}: {}", reason(&error))),
    }
}

/// Names have one byte for their length.
const MAX_TEXT: usize = 255;

fn reason(error: &Error) -> String {
    match error {
        Error::NoAcceptableAuthMethods | Error::AuthorizationRequired => {
            "it wants a user and a password, or another way to log in (RFC 1928, 3)".to_owned()
        }
        Error::PasswordAuthFailure(_) => "it refuses the user or the password".to_owned(),
        Error::InvalidAuthValues(_) => "user and password must have from 1 to 255 bytes each".to_owned(),
        Error::InvalidResponseVersion | Error::InvalidReservedByte | Error::UnknownAddressType => {
            "what listens there does not speak SOCKS5".to_owned()
        }
        error => error.to_string(),
    }
}
