//! What operators and their tools ask: health, readiness, metrics and the status page.

use std::fmt::Write;
use std::net::IpAddr;

use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::{Response, StatusCode};
use serde_json::json;

use super::address::came_through_a_proxy;
use super::origin::{Origins, host_of, is_loopback};
use super::registry::same_secret;
use super::reply::{Body, plain, text_of, with_body};
use super::{Phase, Shared};

/// Agents and rooms in `status.json`: a page for people, not an export.
const MAX_LISTED: usize = 200;

/// Answers a request for one of the paths of operators.
pub(super) fn answer(shared: &Shared, path: &str, headers: &HeaderMap, address: IpAddr) -> Response<Body> {
    match path {
        "/health" => plain(StatusCode::OK, "ok\n"),
        "/ready" => match shared.not_ready() {
            None => plain(StatusCode::OK, "ready\n"),
            Some(why) => plain(StatusCode::SERVICE_UNAVAILABLE, format!("{why}\n")),
        },
        // With a token the page asks for it, and has nothing to show without.
        "/status" if shared.config.admin_token.is_some() => page(),
        _ if !may_see(shared, headers, address) => {
            let mut response = plain(
                StatusCode::UNAUTHORIZED,
                "UNAUTHORIZED: for clients on this machine, or with the adminToken of the server\n",
            );
            response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
            response
        }
        "/metrics" => with_body(StatusCode::OK, "text/plain; version=0.0.4; charset=utf-8", metrics(shared)),
        "/status.json" => with_body(StatusCode::OK, "application/json", status(shared).to_string()),
        _ => page(),
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

fn status(shared: &Shared) -> serde_json::Value {
    let stats = shared.stats();
    let (agents, rooms) = shared.registry.listing(MAX_LISTED);
    let counts: serde_json::Map<_, _> = stats
        .gauges()
        .into_iter()
        .chain(stats.totals())
        .chain(shared.config.relay.iter().flat_map(|relay| [relay.gauges(), relay.totals()].concat()))
        .map(|(name, _, value)| (name.to_owned(), value.into()))
        .collect();
    json!({
        "version": env!("CARGO_PKG_VERSION"),
        "uptimeSeconds": shared.started.elapsed().as_secs(),
        "ready": shared.not_ready().is_none(),
        "draining": !matches!(*shared.phase.borrow(), Phase::Serving),
        "counts": counts,
        "cluster": shared.cluster_stats().map(|cluster| cluster.to_json()),
        "agents": agents,
        "rooms": rooms.into_iter().map(|(room, members)| json!({ "room": room, "members": members })).collect::<Vec<_>>(),
    })
}

/// The page loads nothing and talks to nobody but this server; only its own script and style run.
fn page() -> Response<Body> {
    let nonce = uuid::Uuid::new_v4().simple().to_string();
    let html = include_str!("status.html").replace("NONCE", &nonce);
    let policy = format!(
        "default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; connect-src 'self'; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    let mut response = with_body(StatusCode::OK, "text/html; charset=utf-8", html);
    let headers = response.headers_mut();
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        headers.insert(header::CONTENT_SECURITY_POLICY, policy);
    }
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    response
}
