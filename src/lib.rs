//! The Node-API binding: the only place where napi types appear.

use napi_derive::napi;

/// The version of the native core, equal to the npm package's version.
#[napi]
pub fn version() -> &'static str {
    env!("CARGO_PKG_VERSION")
}
