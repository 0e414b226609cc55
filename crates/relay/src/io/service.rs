//! The relay as the signaling server knows it.

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::atomic::Ordering;
use std::time::Duration;

use ossa_signaling::{AgentUri, IceServer, Level, ServerEvent, StunConnection, TurnServer, turn_credentials};
use serde_json::json;

use super::Relay;
use crate::turn::{Client, Event};

impl TurnServer for Relay {
    fn serve(&self, connection: StunConnection) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let StunConnection { stream, from, to, admitted } = connection;
        let client = Client {
            remote: SocketAddr::new(from.ip().to_canonical(), from.port()),
            local: to.ip().to_canonical(),
            stream: Some(self.0.next_stream.fetch_add(1, Ordering::Relaxed)),
        };
        Box::pin(self.0.clone().serve(stream, client, admitted))
    }

    fn ice_servers(&self, agent: &AgentUri, dialled: Option<&str>, unix_ms: u64) -> Vec<IceServer> {
        let config = &self.0.config;
        let usual_port = if config.tls { 443 } else { 80 };
        let place = config.host.as_deref().or(dialled).and_then(|host| with_port(host, usual_port));
        let Some(place) = place else { return Vec::new() };
        let mut urls = vec![format!("turn:{place}?transport=udp"), format!("turn:{place}?transport=tcp")];
        if config.tls {
            urls.push(format!("turns:{place}?transport=tcp"));
        }
        let (username, credential) =
            turn_credentials(&config.secret, config.user, config.ttl, agent, unix_ms);
        vec![IceServer { urls, username: Some(username), credential: Some(credential) }]
    }

    fn ttl(&self) -> Duration {
        self.0.config.ttl
    }

    fn allow_open(&self) -> bool {
        self.0.config.allow_open
    }

    fn gauges(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.stats().gauges().to_vec()
    }

    fn totals(&self) -> Vec<(&'static str, &'static str, u64)> {
        self.stats().totals().to_vec()
    }

    fn drain(&self) -> Pin<Box<dyn Future<Output = ()> + Send>> {
        let inner = self.0.clone();
        inner.turn.lock().drain();
        Box::pin(async move {
            loop {
                let released = inner.released.notified();
                tokio::pin!(released);
                // From here on none is missed.
                released.as_mut().enable();
                if inner.stats().allocations == 0 {
                    return;
                }
                released.await;
            }
        })
    }

    fn close(&self) {
        self.0.close();
    }
}

/// `host` or `host:port` as it may stand in a URL, with a port.
fn with_port(host: &str, usual: u16) -> Option<String> {
    let name_end = host.rfind(']').map_or_else(|| host.find(':').unwrap_or(host.len()), |end| end + 1);
    let (name, port) = host.split_at(name_end);
    let port: u16 = match port.strip_prefix(':') {
        Some(port) => port.parse().ok()?,
        None if port.is_empty() => usual,
        None => return None,
    };
    let is_address = name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
        .is_some_and(|inner| inner.parse::<std::net::Ipv6Addr>().is_ok());
    let is_name = !name.is_empty()
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-' | b'_'));
    (is_address || is_name).then(|| format!("{name}:{port}"))
}

/// An event for the operator.
pub(super) fn described(event: Event) -> ServerEvent {
    let (level, message, fields) = match event {
        Event::Allocated { client, agent, relayed } => (
            Level::Debug,
            "a client relays",
            json!({ "address": client.remote.ip(), "user": agent, "relayed": relayed }),
        ),
        Event::Released { client, agent } => {
            (Level::Debug, "a client relays no more", json!({ "address": client.remote.ip(), "user": agent }))
        }
        Event::Refused { client, agent, why } => (
            Level::Warn,
            "an allocation was refused",
            json!({ "address": client.remote.ip(), "user": agent, "why": why }),
        ),
    };
    ServerEvent::Relay { level, message, fields }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_client_has_dialled_becomes_a_url_only_if_it_can() {
        for (host, place) in [
            ("relay.example", "relay.example:443"),
            ("relay.example:8080", "relay.example:8080"),
            ("192.0.2.1", "192.0.2.1:443"),
            ("[2001:db8::1]", "[2001:db8::1]:443"),
            ("[::1]:99", "[::1]:99"),
        ] {
            assert_eq!(with_port(host, 443).as_deref(), Some(place));
        }
        for wrong in [
            "",
            ":80",
            "a b",
            "a?transport=udp",
            "a:b",
            "a:99999",
            "[::1",
            "[x]",
            "::1",
            "a/b",
            "u@h",
            "[::1]x",
        ] {
            assert_eq!(with_port(wrong, 443), None, "{wrong}");
        }
    }
}
