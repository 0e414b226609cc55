//! Lets the event loop of the JavaScript thread wait for the sockets of quiet connections, see [`Foreground`](ossa_net::Foreground).
//!
//! Raw libuv and Node-API on purpose: there is no other way into the loop.
//!
//! `watch` has the handles in the loop and what they call, by way of `libuv`; `busy_poll` tells it when to wait without sleeping. Other systems
//! have `elsewhere`.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod busy_poll;
#[cfg(any(target_os = "linux", target_os = "android"))]
mod libuv;
#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
mod watch;

#[cfg(not(any(target_os = "linux", target_os = "android")))]
#[path = "elsewhere.rs"]
mod watch;

pub(crate) use watch::LoopWatch;
