//! Connects to one server after another, as long as there is a reason to.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use super::address::Address;
use super::config::ClientConfig;
use super::dial::{Dialer, Proxies};
use super::end::End;
use super::event::ClientEvent;
use super::rotation::Rotation;
use super::session::{GOODBYE, Outcome, Session};
use super::state::State;
use super::tls;
use crate::error::{ErrorBody, code};

/// The task behind a [`Client`](crate::Client).
pub(super) async fn run(
    mut state: State,
    servers: Vec<Arc<Address>>,
    proxies: Proxies,
    mut closing: watch::Receiver<bool>,
) {
    let error = tokio::select! {
        error = stay_registered(&mut state, &servers, proxies, closing.clone()) => error,
        // Nobody takes the events, perhaps, so that the session cannot say goodbye. The sender is gone when the `Client`
        // was dropped: that closes as well.
        () = async {
            let _ = closing.wait_for(|closing| *closing).await;
            sleep(GOODBYE).await;
        } => None,
    };
    // Nobody may be listening any more, and `close()` must not wait for them.
    let _ = state.events.try_send(ClientEvent::Closed(error));
}

/// Connects again and again; returns when that makes no sense any more.
async fn stay_registered(
    state: &mut State,
    servers: &[Arc<Address>],
    proxies: Proxies,
    closing: watch::Receiver<bool>,
) -> Option<ErrorBody> {
    let dialer = match dialer(&state.config, servers, proxies).await {
        Ok(dialer) => Arc::new(dialer),
        Err(error) => return Some(ErrorBody::new(code::PROTOCOL_ERROR, error)),
    };
    let mut rotation = Rotation::new(servers.len());
    let mut failures = Failures::default();
    let mut ready = None;
    loop {
        let address = servers[rotation.current()].clone();
        let (url, shown) = (address.text.clone(), address.shown());
        if ready.is_none() {
            state.emit(ClientEvent::Connecting { url: url.clone() }).await;
        }
        let preferred = (rotation.current() != 0).then(|| servers[0].clone());
        let mut session = Session { state, dialer: dialer.clone(), address, preferred, registered: false };
        let outcome = session.run(ready.take(), closing.clone()).await;
        let registered = session.registered;
        let (error, going_away) = match outcome {
            Outcome::Closed => return None,
            Outcome::Ended(End::Refused(error)) => return Some(error),
            Outcome::Ended(End::Lost { error, going_away }) => (error, going_away),
            Outcome::Moved(connection) => {
                rotation.restart(0);
                ready = Some(*connection);
                failures = Failures::after_registration();
                continue;
            }
        };
        let retry_in = if registered {
            failures = Failures::after_registration();
            if going_away {
                rotation.restart(rotation.current() + 1);
                state.config.reconnect.delay_after_goodbye(random())
            } else {
                // The preferred one first, which may be the one that has just been lost.
                rotation.restart(0);
                failures.rounds = 1;
                state.config.reconnect.delay(1, random())
            }
        } else {
            failures.add(&shown, &error);
            if rotation.next() {
                Duration::ZERO
            } else {
                failures.rounds += 1;
                if state.config.reconnect.is_enough(failures.rounds, failures.ever_registered) {
                    return Some(ErrorBody::new(code::AGENT_UNREACHABLE, failures.text()));
                }
                state.config.reconnect.delay(failures.rounds, random())
            }
        };
        state.emit(ClientEvent::Disconnected { url, error, retry_in }).await;
        let mut closing = closing.clone();
        let hurry = state.hurry.clone();
        tokio::select! {
            () = sleep(retry_in) => {}
            () = hurry.notified() => {}
            _ = closing.wait_for(|closing| *closing) => return None,
        }
    }
}

async fn dialer(config: &ClientConfig, servers: &[Arc<Address>], proxies: Proxies) -> Result<Dialer, String> {
    let secure = servers
        .iter()
        .any(|server| server.secure || proxies.of(server).is_some_and(|proxy| proxy.speaks_tls()));
    let tls = if secure { Some(tls::connector(config).await?) } else { None };
    Ok(Dialer { tls, proxies })
}

/// Attempts in a row that have led to nothing.
#[derive(Debug, Default)]
struct Failures {
    ever_registered: bool,
    /// Of attempts with all servers.
    rounds: u32,
    /// The last one with each server.
    last: Vec<(String, String)>,
}

impl Failures {
    fn after_registration() -> Self {
        Self { ever_registered: true, ..Self::default() }
    }

    fn add(&mut self, url: &str, error: &str) {
        self.last.retain(|(known, _)| known != url);
        self.last.push((url.to_owned(), error.to_owned()));
    }

    fn text(&self) -> String {
        let each: Vec<_> =
            self.last.iter().map(|(url, error)| format!("{url} could not be reached: {error}")).collect();
        each.join("; ")
    }
}

/// From 0 to 1.
fn random() -> f64 {
    f64::from(uuid::Uuid::new_v4().as_bytes()[0]) / 256.0
}
