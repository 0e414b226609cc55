//! From an address to a stream of bytes: TCP, proxies, TLS. Nothing in here knows what is spoken on it.

mod dialer;
mod proxy;
mod socks;
mod stream;
mod tunnel;

pub(in crate::client) use dialer::{Dialer, Forward};
pub(in crate::client) use proxy::Proxies;
pub use proxy::{ProxyConfig, ProxySetting};
pub(in crate::client) use stream::{Aborted, Stream};
