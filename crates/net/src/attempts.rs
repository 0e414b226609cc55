//! Several addresses of one server, of which any will do.

use std::collections::VecDeque;
use std::future::Future;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::timeout;

/// How long an address has for itself before the next one is tried beside it (RFC 8305, section 5: "Connection Attempt Delay").
const DELAY: Duration = Duration::from_millis(250);

/// Attempts at the addresses of a server: a new one starts when the last has failed or has taken [`DELAY`].
pub(crate) struct Attempts<T> {
    left: VecDeque<SocketAddr>,
    running: JoinSet<T>,
}

impl<T: Send + 'static> Attempts<T> {
    /// IPv4 and IPv6 in turn, in the order given.
    pub(crate) fn new(addresses: &[SocketAddr]) -> Self {
        let of = |ipv4: bool| addresses.iter().copied().filter(move |a| a.is_ipv4() == ipv4);
        let (mut first, mut second) = (of(true), of(false));
        let mut left = VecDeque::new();
        while left.len() < addresses.len() {
            left.extend(first.next());
            left.extend(second.next());
        }
        Self { left, running: JoinSet::new() }
    }

    /// Tries this address next.
    pub(crate) fn insist(&mut self, address: SocketAddr) {
        self.left.push_front(address);
    }

    /// The next result, of whichever attempt; `None` when all have ended. Must be called within a tokio runtime.
    pub(crate) async fn next<F>(&mut self, attempt: impl Fn(SocketAddr) -> F) -> Option<T>
    where
        F: Future<Output = T> + Send + 'static,
    {
        loop {
            if let Some(address) = self.left.pop_front() {
                self.running.spawn(attempt(address));
            }
            let ended = match self.left.is_empty() {
                true => self.running.join_next().await,
                false => match timeout(DELAY, self.running.join_next()).await {
                    Ok(ended) => ended,
                    Err(_) => continue,
                },
            };
            // One that was aborted with the runtime has no result.
            match ended? {
                Ok(result) => return Some(result),
                Err(_) if self.left.is_empty() && self.running.is_empty() => return None,
                Err(_) => {}
            }
        }
    }

    /// Results of the attempts that are still running, without starting others.
    pub(crate) async fn rest(mut self, mut f: impl FnMut(T)) {
        while let Some(ended) = self.running.join_next().await {
            ended.into_iter().for_each(&mut f);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use super::*;

    fn addresses(list: &[&str]) -> Vec<SocketAddr> {
        list.iter().map(|a| a.parse().unwrap()).collect()
    }

    /// Of these addresses some are silent, others refuse, and the others answer with themselves.
    fn answer(
        silent: &'static [&'static str],
        refusing: &'static [&'static str],
    ) -> impl Fn(SocketAddr) -> std::pin::Pin<Box<dyn Future<Output = Result<SocketAddr, SocketAddr>> + Send>>
    {
        move |address| {
            Box::pin(async move {
                let is_in = |list: &[&str]| list.contains(&address.to_string().as_str());
                match (is_in(silent), is_in(refusing)) {
                    (true, _) => pending().await,
                    (_, true) => Err(address),
                    _ => Ok(address),
                }
            })
        }
    }

    #[tokio::test]
    async fn addresses_that_never_answer_do_not_keep_the_next_from_being_tried() {
        let all = addresses(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1", "192.0.2.3:1"]);
        for silent in [
            &["192.0.2.1:1"][..],
            &["192.0.2.1:1", "[2001:db8::1]:1"],
            &["192.0.2.1:1", "[2001:db8::1]:1", "192.0.2.2:1"],
        ] {
            let mut attempts = Attempts::new(&all);
            let first = attempts.next(answer(silent, &[])).await.unwrap().unwrap();
            assert!(!silent.contains(&first.to_string().as_str()), "{silent:?}: {first}");
        }
    }

    #[tokio::test]
    async fn families_take_turns_and_a_refusal_starts_the_next_address() {
        let all = addresses(&["192.0.2.1:1", "192.0.2.2:1", "[2001:db8::1]:1"]);
        let refusing = &["192.0.2.1:1", "[2001:db8::1]:1", "192.0.2.2:1"];
        let mut attempts = Attempts::new(&all);
        for expected in refusing {
            let refused = attempts.next(answer(&[], refusing)).await.unwrap().unwrap_err();
            assert_eq!(refused.to_string(), *expected);
        }
        assert_eq!(attempts.next(answer(&[], refusing)).await, None);
    }

    #[tokio::test]
    async fn an_address_that_a_server_sends_us_to_comes_before_its_others() {
        let mut attempts = Attempts::new(&addresses(&["192.0.2.1:1", "192.0.2.2:1"]));
        attempts.next(answer(&[], &["192.0.2.1:1"])).await.unwrap().unwrap_err();
        attempts.insist("198.51.100.9:1".parse().unwrap());
        let found = attempts.next(answer(&[], &[])).await.unwrap().unwrap();
        assert_eq!(found.to_string(), "198.51.100.9:1");
    }

    #[tokio::test]
    async fn a_server_without_addresses_ends_at_once() {
        let mut attempts = Attempts::new(&[]);
        assert_eq!(attempts.next(answer(&[], &[])).await, None);
        attempts.rest(|_| panic!("there was none")).await;
    }
}
