//! Look-ups of names by the system, each on a thread of its own: `getaddrinfo` blocks, for many seconds when a name server does not answer.

use std::collections::HashMap;
use std::io;
use std::net::{IpAddr, ToSocketAddrs};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};

/// Look-ups at once for the servers of this process's own configuration: as many as a gathering asks, so that names which nobody answers
/// for keep no other one waiting.
const SERVER_LOOKUPS: usize = 32;

/// And for the candidates of all peers. They are told by others, who must not be able to occupy more threads, or those for servers.
const CANDIDATE_LOOKUPS: usize = 16;

/// A name with more addresses than this is cut off: each one is a candidate to be checked.
const MAX_ADDRESSES: usize = 8;

/// Nothing until the system has answered.
type Answer = Option<Result<Vec<IpAddr>, String>>;

/// The look-ups of a process.
#[derive(Debug)]
pub(crate) struct Names {
    pub(crate) servers: Lookups,
    pub(crate) candidates: Lookups,
}

impl Default for Names {
    fn default() -> Self {
        Self { servers: Lookups::new(SERVER_LOOKUPS), candidates: Lookups::new(CANDIDATE_LOOKUPS) }
    }
}

/// Look-ups for one purpose. Of one name there is one at a time, whoever asks.
#[derive(Debug)]
pub(crate) struct Lookups {
    running: Arc<Mutex<HashMap<String, watch::Receiver<Answer>>>>,
    permits: Arc<Semaphore>,
}

impl Lookups {
    fn new(at_once: usize) -> Self {
        Self { running: Arc::default(), permits: Arc::new(Semaphore::new(at_once)) }
    }

    /// The addresses of a name. Takes as long as the system does: the caller has a time limit, and a look-up goes on without him.
    pub(crate) async fn find(&self, name: &str) -> Result<Vec<IpAddr>, String> {
        self.find_by(name, system).await
    }

    async fn find_by(
        &self,
        name: &str,
        look: impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static,
    ) -> Result<Vec<IpAddr>, String> {
        let known = self.running.lock().get(name).cloned();
        let mut answer = match known {
            Some(answer) => answer,
            None => {
                let permit = self.permits.clone().acquire_owned().await.map_err(|error| error.to_string())?;
                self.begin(name, permit, look)?
            }
        };
        match answer.wait_for(Option::is_some).await.as_deref() {
            Ok(Some(answer)) => answer.clone(),
            _ => Err(format!("the look-up of '{name}' has ended without an answer")),
        }
    }

    fn begin(
        &self,
        name: &str,
        permit: OwnedSemaphorePermit,
        look: impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static,
    ) -> Result<watch::Receiver<Answer>, String> {
        let mut running = self.running.lock();
        if let Some(answer) = running.get(name) {
            // Somebody else has begun it while this one waited for room.
            return Ok(answer.clone());
        }
        let (sender, receiver) = watch::channel(None);
        let end = End { running: self.running.clone(), name: name.to_owned(), _permit: permit };
        let task = move || {
            let found = look(&end.name).map_err(|e| format!("the name '{}' was not found: {e}", end.name));
            // Whoever asks from now on wants to know anew.
            drop(end);
            sender.send_replace(Some(found));
        };
        running.insert(name.to_owned(), receiver.clone());
        // Without the lock: a thread that can't be started ends what it was given.
        drop(running);
        let started = std::thread::Builder::new().name("ossa-net-dns".to_owned()).spawn(task);
        started.map(|_| receiver).map_err(|error| format!("no thread to look up '{name}': {error}"))
    }
}

/// However a look-up ends, it is no longer running.
struct End {
    running: Arc<Mutex<HashMap<String, watch::Receiver<Answer>>>>,
    name: String,
    _permit: OwnedSemaphorePermit,
}

impl Drop for End {
    fn drop(&mut self) {
        self.running.lock().remove(&self.name);
    }
}

fn system(name: &str) -> io::Result<Vec<IpAddr>> {
    Ok((name, 0).to_socket_addrs()?.map(|found| found.ip()).take(MAX_ADDRESSES).collect())
}

#[cfg(test)]
mod tests {
    use std::future::{Future, poll_fn};
    use std::pin::pin;
    use std::sync::mpsc;
    use std::task::Poll;

    use super::*;

    const ADDRESS: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));

    /// Looks up until it is told to end.
    fn slow(until: mpsc::Receiver<()>) -> impl FnOnce(&str) -> io::Result<Vec<IpAddr>> + Send + 'static {
        move |_| {
            let _ = until.recv();
            Err(io::Error::other("no answer"))
        }
    }

    fn quick(_: &str) -> io::Result<Vec<IpAddr>> {
        Ok(vec![ADDRESS])
    }

    /// Asks, without waiting for the answer.
    async fn started(asking: std::pin::Pin<&mut impl Future>) {
        let mut asking = asking;
        poll_fn(|cx| {
            assert!(asking.as_mut().poll(cx).is_pending());
            Poll::Ready(())
        })
        .await;
    }

    #[tokio::test]
    async fn names_that_nobody_answers_for_keep_no_other_one_waiting() {
        let names = Names::default();
        let mut ends = Vec::new();
        for i in 1..SERVER_LOOKUPS {
            let (end, until) = mpsc::channel();
            ends.push(end);
            started(pin!(names.servers.find_by(&format!("dead{i}.example"), slow(until)))).await;
        }
        assert_eq!(names.servers.find_by("alive.example", quick).await, Ok(vec![ADDRESS]));
    }

    #[tokio::test]
    async fn names_that_others_have_told_of_leave_servers_alone_and_wait_for_each_other() {
        let names = Names::default();
        let mut ends = Vec::new();
        for i in 0..CANDIDATE_LOOKUPS {
            let (end, until) = mpsc::channel();
            ends.push(end);
            started(pin!(names.candidates.find_by(&format!("dead{i}.example"), slow(until)))).await;
        }
        assert_eq!(names.servers.find_by("alive.example", quick).await, Ok(vec![ADDRESS]));
        let mut waiting = pin!(names.candidates.find_by("alive.example", quick));
        started(waiting.as_mut()).await;
        drop(ends.pop());
        assert_eq!(waiting.await, Ok(vec![ADDRESS]));
    }

    #[tokio::test]
    async fn several_who_ask_for_one_name_share_one_look_up_and_the_next_gets_a_new_one() {
        let names = Names::default();
        let (end, until) = mpsc::channel();
        let mut first = pin!(names.servers.find_by("slow.example", slow(until)));
        started(first.as_mut()).await;
        let mut second = pin!(names.servers.find_by("slow.example", quick));
        started(second.as_mut()).await;
        drop(end);
        let refused = Err("the name 'slow.example' was not found: no answer".to_owned());
        assert_eq!((first.await, second.await), (refused.clone(), refused));
        assert_eq!(names.servers.find_by("slow.example", quick).await, Ok(vec![ADDRESS]));
        assert!(names.servers.running.lock().is_empty());
    }

    #[tokio::test]
    async fn a_look_up_that_panics_is_an_error_and_gives_its_place_back() {
        let names = Names::default();
        for _ in 0..=SERVER_LOOKUPS {
            let found = names.servers.find_by("bad.example", |_| panic!("made for a test")).await;
            assert!(found.unwrap_err().contains("without an answer"));
        }
    }
}
