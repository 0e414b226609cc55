//! The signaling server and client as `ts/signaling` sees them; nothing in here knows a connection or a link. All clients run on one
//! thread of their own, started with the first of them: signaling is rare and small, and must not wait for data traffic. Each
//! server has its own threads.

mod ask;
mod auth;
mod client;
mod client_options;
mod cluster;
mod embedded;
mod prover;
mod relay;
mod server;
mod server_options;
mod service_manager;

use std::sync::OnceLock;

use napi::bindgen_prelude::FnArgs;
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::base::agent_error::coded;

/// Type of an event, and its content as JSON where it has one.
type EventArgs = FnArgs<(String, Option<String>)>;

/// Keeps the process alive while the server or client is open, as a socket does.
type Callback = ThreadsafeFunction<EventArgs, (), EventArgs, Status, false>;

fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::io::Result<Runtime>> = OnceLock::new();
    RUNTIME
        .get_or_init(|| {
            tokio::runtime::Builder::new_multi_thread()
                .worker_threads(1)
                .thread_name("ossa-signaling")
                .enable_all()
                .build()
        })
        .as_ref()
        .map_err(|error| {
            coded("INTERNAL_ERROR", format!("the signaling thread could not be started: {error}"))
        })
}

/// Calls JavaScript and waits until it has returned. False if its thread has ended.
async fn tell(callback: &Callback, kind: &str, content: Option<String>) -> bool {
    let (returned, done) = oneshot::channel();
    let status = callback.call_with_return_value(
        (kind.to_owned(), content).into(),
        ThreadsafeFunctionCallMode::NonBlocking,
        move |_, _| {
            let _ = returned.send(());
            Ok(())
        },
    );
    status == Status::Ok && done.await.is_ok()
}
