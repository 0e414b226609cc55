//! Tokio I/O that drives [`ossa_peer::Connection`]s.

mod error;
mod interfaces;
mod runtime;
mod socket;
mod url;

pub use error::Error;
pub use interfaces::InterfaceFilter;
pub use runtime::{Runtime, RuntimeConfig};
pub use url::{Host, IceServerUrl, Scheme, ServerTransport, UrlError, parse_ice_server_url};
