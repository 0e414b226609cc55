//! Which web pages may use the server. Browsers let every page connect to every WebSocket: only the server can refuse.

use std::net::IpAddr;

/// Which `Origin`s are served. Requests without one do not come from web pages and are always served.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Origins {
    /// Pages from the host that the request is for, whatever the port, and pages from this machine.
    #[default]
    SameHost,
    /// Any page.
    Any,
    /// Pages from exactly these origins: `https://example.com`, `http://localhost:8080`.
    Only(Vec<String>),
}

impl Origins {
    /// Whether pages from `origin` may send requests for `host`, the value of the header.
    pub(super) fn allow(&self, origin: &str, host: Option<&str>) -> bool {
        match self {
            Self::Any => true,
            Self::Only(list) => list.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin)),
            Self::SameHost => {
                let Some((scheme, authority)) = origin.split_once("://") else { return false };
                let page = host_of(authority);
                matches!(scheme, "http" | "https")
                    && !page.is_empty()
                    && (is_loopback(page)
                        || host.is_some_and(|host| host_of(host).eq_ignore_ascii_case(page)))
            }
        }
    }
}

/// The host of `host[:port]`.
pub(super) fn host_of(authority: &str) -> &str {
    match authority.rfind(':') {
        Some(colon) if !authority[colon..].contains(']') => &authority[..colon],
        _ => authority,
    }
}

/// Whether `host` names this machine whatever a name server says.
pub(super) fn is_loopback(host: &str) -> bool {
    let address = host.trim_start_matches('[').trim_end_matches(']');
    host.eq_ignore_ascii_case("localhost")
        || address.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_default_pages_of_the_same_host_and_of_this_machine_are_served() {
        let allow = |origin, host| Origins::SameHost.allow(origin, host);
        assert!(allow("https://example.com", Some("Example.com:8443")));
        assert!(allow("http://localhost:3000", Some("example.com")));
        assert!(allow("http://[::1]:3000", None));
        assert!(allow("http://127.0.0.1", None));
        assert!(!allow("https://evil.example", Some("example.com")));
        assert!(!allow("https://localhost.evil.example", Some("example.com")));
        assert!(!allow("null", Some("example.com")));
        assert!(!allow("file://", Some("example.com")));
        assert!(!allow("https://", Some("")));
    }

    #[test]
    fn a_list_is_exact() {
        let origins = Origins::Only(vec!["https://example.com".into()]);
        assert!(origins.allow("https://example.com", None));
        assert!(!origins.allow("https://example.com:444", Some("example.com")));
        assert!(!origins.allow("http://example.com", Some("example.com")));
        assert!(!origins.allow("http://localhost", None));
        assert!(Origins::Any.allow("null", None));
    }
}
