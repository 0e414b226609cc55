//! The way through a proxy that speaks HTTP.

use http_body_util::{BodyExt, Empty, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderValue, PROXY_AUTHORIZATION};
use hyper_util::rt::TokioIo;

use super::proxy::Proxy;
use super::stream::{Aborted, Stream};
use crate::client::address::Address;

/// Asks the proxy at the other end of `stream` for a tunnel to the server (RFC 9110, 9.3.6).
pub(in crate::client) async fn tunnel(
    stream: Stream,
    proxy: &Proxy,
    authorization: Option<&HeaderValue>,
    address: &Address,
) -> Result<Stream, String> {
    let failed = |error: hyper::Error| format!("the proxy {proxy} failed: {error}");
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await.map_err(failed)?;
    let _driver = Aborted::spawn(async move {
        // What goes wrong is told to whoever waits for the answer.
        let _ = connection.with_upgrades().await;
    });
    let target = address.host_and_port();
    let mut request = Request::connect(&target)
        .header(HOST, &target)
        .body(Empty::<Bytes>::new())
        .map_err(|error| format!("{target} cannot be asked of a proxy: {error}"))?;
    if let Some(authorization) = authorization {
        request.headers_mut().insert(PROXY_AUTHORIZATION, authorization.clone());
    }
    let response = sender.send_request(request).await.map_err(failed)?;
    if !response.status().is_success() {
        let status = response.status();
        // Its explanation is for people, and may be a whole page: none of it is needed.
        let _ = Limited::new(response.into_body(), 4096).collect().await;
        return Err(format!("the proxy {proxy} refuses a tunnel to {target}: HTTP {status}"));
    }
    let upgraded = hyper::upgrade::on(response).await.map_err(failed)?;
    Ok(Box::new(TokioIo::new(upgraded)))
}
