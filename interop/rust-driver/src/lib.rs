//! A Rust stack behind the calls of `interop/w3c-driver.cjs`: one JSON object per line, `{id, method, params}` in on stdin, `{id, result}` or
//! `{id, error}` out on stdout. A stack implements [`Stack`], [`Peer`] and [`Channel`]; calls, messages and measurements are here.

mod calls;
mod connection;
mod message;
mod meter;
mod slot;
mod stack;

pub use calls::serve;
pub use connection::{CandidateInit, Events};
pub use message::Kind;
pub use slot::Slot;
pub use stack::{Channel, Init, Peer, Stack, View};

use std::net::{IpAddr, Ipv4Addr};

/// What a call may fail with: shown to the test as text.
pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// The addresses of this host that others may reach it at, for stacks that leave it to their user to find them: all of its interfaces but
/// the loopback's, which is what is left on a machine without a network.
pub fn host_addresses() -> Result<Vec<IpAddr>, Failure> {
    let mut found: Vec<IpAddr> = if_addrs::get_if_addrs()?
        .into_iter()
        .filter(|interface| !interface.is_loopback() && !interface.is_link_local())
        .map(|interface| interface.ip())
        .collect();
    found.dedup();
    if found.is_empty() {
        found.push(Ipv4Addr::LOCALHOST.into());
    }
    Ok(found)
}

/// The version of a crate that this workspace is built with, from its lock file; `?` if that has none.
pub fn version_of(name: &str) -> &'static str {
    let head = format!("name = \"{name}\"\nversion = \"");
    let lock = include_str!("../../../Cargo.lock");
    lock.split_once(&head).and_then(|(_, rest)| rest.split('"').next()).unwrap_or("?")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_names_the_version_that_was_built() {
        assert_eq!(version_of("ossa-interop-driver"), env!("CARGO_PKG_VERSION"));
        assert_eq!(version_of("no such crate"), "?");
    }

    #[test]
    fn a_host_has_an_address_to_be_reached_at() {
        let addresses = host_addresses().expect("the system lists its interfaces");
        assert!(!addresses.is_empty());
        assert!(addresses.len() == 1 || addresses.iter().all(|address| !address.is_loopback()));
    }
}
