//! What operators and their tools ask: health, readiness, metrics and the status page.

use std::fmt::Write;
use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Request, Response, StatusCode};

use super::address::came_through_a_proxy;
use super::origin::{Origins, host_of, is_loopback};
use super::registry::same_secret;
use super::reply::{Body, plain, text_of, with_body};
use super::upgrade::decoded;
use super::visit::Visit;
use super::{Shared, status};

/// What is here.
pub(super) fn is_ours(path: &str) -> bool {
    matches!(path, "/health" | "/ready" | "/metrics" | "/status" | "/status.json")
        || path.starts_with("/status/")
}

/// Answers a request for one of the paths of operators.
pub(super) fn answer<B>(visit: &Visit, path: &str, request: &Request<B>) -> Response<Body> {
    let (shared, headers) = (&visit.shared, request.headers());
    let address = visit.address(headers);
    match path {
        "/health" => plain(StatusCode::OK, "ok\n"),
        "/ready" => match shared.not_ready() {
            None => plain(StatusCode::OK, "ready\n"),
            Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        // With a token the page asks for it, and has nothing to show without.
        _ if shared.config.admin_token.is_some()
            && let Some(asset) = status::asset(path) =>
        {
            asset
        }
        _ if !may_see(shared, headers, address) => {
            let mut response = plain(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED: for clients on this machine, or with the adminToken of the server\n",
            );
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        "/metrics" => with_body(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(shared)),
        "/status.json" => match search(request.uri().query()) {
            Ok(search) => status::json(shared, search.as_deref()),
            Err(()) => plain(StatusCode::BAD_REQUEST, "INVALID_MESSAGE: \"search\" is not UTF-8\n"),
        },
        "/status/events" => status::events(shared, &visit.shutdown),
        _ => status::asset(path)
            .unwrap_or_else(|| plain(StatusCode::NOT_FOUND, "there is nothing at this path\n")),
    }
}

/// With a token the token decides, otherwise where the client is: on this machine, and asking for this machine. The latter
/// keeps out web pages whose host name was made to point here, the former whoever comes through a proxy on this machine. Pages
/// of other hosts in a browser on this machine are kept out as well, also where they may use signaling.
fn may_see(shared: &Shared, headers: &HeaderMap, address: IpAddr) -> bool {
    if let Some(token) = &shared.config.admin_token {
        return text_of(headers, header::AUTHORIZATION).and_then(|value| value.split_once(' ')).is_some_and(
            |(scheme, given)| {
                scheme.eq_ignore_ascii_case("bearer") && same_secret(given.trim(), token.reveal())
            },
        );
    }
    let host = text_of(headers, header::HOST);
    address.is_loopback()
        && !came_through_a_proxy(headers)
        && host.is_none_or(|host| is_loopback(host_of(host)))
        && headers
            .get(header::ORIGIN)
            .is_none_or(|page| page.to_str().is_ok_and(|page| Origins::SameHost.allow(page, host)))
}

/// The text in `search=...`, if there is any.
fn search(query: Option<&str>) -> Result<Option<String>, ()> {
    let value = query.and_then(|query| query.split('&').find_map(|pair| pair.strip_prefix("search=")));
    let text = value.map(|value| decoded(value).ok_or(())).transpose()?;
    Ok(text.filter(|text| !text.is_empty()))
}

fn metrics(shared: &Shared) -> String {
    let stats = shared.stats();
    let mut text = String::with_capacity(4096);
    let mut add = |name: &str, kind: &str, help: &str, value: u64| {
        let _ = write!(
            text,
            "# HELP ossa_signaling_{name} {help}\n# TYPE ossa_signaling_{name} {kind}\nossa_signaling_{name} {value}\n"
        );
    };
    for (name, help, value) in stats.gauges() {
        add(name, "gauge", help, value);
    }
    add("ready", "gauge", "1 if the server takes new clients.", u64::from(shared.not_ready().is_none()));
    add("half_open", "gauge", "Connections without a request so far.", shared.half_open.len() as u64);
    for (name, help, value) in stats.totals() {
        add(name, "counter", help, value);
    }
    if let Some(relay) = &shared.config.relay {
        for (name, help, value) in relay.gauges() {
            add(name, "gauge", help, value);
        }
        for (name, help, value) in relay.totals() {
            add(name, "counter", help, value);
        }
    }
    if let Some(cluster) = shared.cluster_stats() {
        for (name, help, value) in cluster.gauges() {
            add(name, "gauge", help, value);
        }
        for (name, help, value) in cluster.totals() {
            add(name, "counter", help, value);
        }
    }
    text
}
