//! The files that a browser loads.

use hyper::header::{self, HeaderValue};
use hyper::{Response, StatusCode};

use super::super::reply::{Body, with_body};

/// The page loads its script and its style from here, and talks to nobody but this server; nothing that stands in the page itself runs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; \
                      base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

/// The page, and what belongs to it. There is nothing of this server in them.
pub(in crate::server) fn asset(path: &str) -> Option<Response<Body>> {
    let (kind, text) = match path {
        "/status" => ("text/html; charset=utf-8", include_str!("page.html")),
        "/status/page.css" => ("text/css; charset=utf-8", include_str!("page.css")),
        "/status/page.js" => ("text/javascript; charset=utf-8", include_str!("page.js")),
        "/status/charts.js" => ("text/javascript; charset=utf-8", include_str!("charts.js")),
        "/status/picture.js" => ("text/javascript; charset=utf-8", include_str!("picture.js")),
        _ => return None,
    };
    let mut response = with_body(StatusCode::OK, kind, text);
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    Some(response)
}
