//! Shards: a fixed number of threads, each with a single-threaded tokio runtime. A peer lives on one shard.
//!
//! Threads start with the first peer that needs them and end a while after the last one left. Nothing ever joins them: a process
//! that exits, or a JavaScript worker that is terminated, must not wait for the network.

use std::io;
use std::sync::{Arc, Weak};
use std::time::Duration;

use parking_lot::Mutex;
use tokio::runtime::Handle;
use tokio::sync::Notify;

use crate::error::Error;
use crate::interfaces::InterfaceCache;
use crate::names::Names;

/// More shards than this gain nothing for one Node process: JavaScript is the bottleneck long before.
const MAX_DEFAULT_SHARDS: usize = 4;

/// How long an idle shard keeps its thread, so that a peer made now and then doesn't start a thread each time.
const IDLE_TIME: Duration = Duration::from_secs(5);

/// Threads per shard for what blocks: reading the certificate store, once for all. Names are looked up on threads of their own.
const BLOCKING_THREADS: usize = 1;

/// Settings of a [`Runtime`].
#[derive(Debug, Clone, Default)]
pub struct RuntimeConfig {
    /// Number of shard threads, 1 to 64. Default: the processor's cores less one, at least 1 and at most 4.
    pub shards: Option<usize>,
}

/// The threads that peers run on. Dropping the last reference stops them.
#[derive(Debug)]
pub struct Runtime {
    shards: Vec<Arc<Shard>>,
    pub(crate) interfaces: InterfaceCache,
    pub(crate) names: Names,
}

#[derive(Debug)]
struct Shard {
    name: String,
    state: Mutex<ShardState>,
    /// Signalled when the shard became idle or has to stop.
    changed: Notify,
}

#[derive(Debug, Default)]
struct ShardState {
    /// Present while the thread runs.
    handle: Option<Handle>,
    /// Leases out, for peers.
    peers: usize,
    /// And for ports that peers share.
    ports: usize,
    shut_down: bool,
}

impl ShardState {
    fn count(&mut self, is_port: bool) -> &mut usize {
        if is_port { &mut self.ports } else { &mut self.peers }
    }

    fn is_idle(&self) -> bool {
        self.peers + self.ports == 0
    }
}

/// The place of a peer, or of a port, on a shard; the thread outlives it.
#[derive(Debug)]
pub(crate) struct Lease {
    shard: Arc<Shard>,
    pub(crate) handle: Handle,
    is_port: bool,
}

impl Runtime {
    /// Makes a runtime. No thread is started yet.
    ///
    /// # Errors
    /// [`Error::Config`] if the number of shards is out of range.
    pub fn new(config: RuntimeConfig) -> Result<Arc<Self>, Error> {
        let shards = config.shards.unwrap_or_else(default_shards);
        if !(1..=64).contains(&shards) {
            return Err(Error::Config { setting: "shards", reason: format!("{shards} is not from 1 to 64") });
        }
        let shard = |i| {
            Arc::new(Shard { name: format!("ossa-net-{i}"), state: Mutex::default(), changed: Notify::new() })
        };
        Ok(Arc::new(Self {
            shards: (0..shards).map(shard).collect(),
            interfaces: InterfaceCache::default(),
            names: Names::default(),
        }))
    }

    /// The runtime that this copy of the library shares between all who don't bring their own.
    ///
    /// # Errors
    /// As [`Runtime::new`].
    pub fn shared() -> Result<Arc<Self>, Error> {
        static SHARED: Mutex<Weak<Runtime>> = Mutex::new(Weak::new());
        let mut shared = SHARED.lock();
        if let Some(runtime) = shared.upgrade() {
            return Ok(runtime);
        }
        let runtime = Self::new(RuntimeConfig::default())?;
        *shared = Arc::downgrade(&runtime);
        Ok(runtime)
    }

    /// Stops all shards. Peers on them go silent at once, without a goodbye to the other side: close them first if that
    /// matters. Returns without waiting for the threads.
    pub fn shutdown(&self) {
        for shard in &self.shards {
            shard.state.lock().shut_down = true;
            shard.changed.notify_one();
        }
    }

    /// Number of shard threads that are running now.
    pub fn running_shards(&self) -> usize {
        self.shards.iter().filter(|s| s.state.lock().handle.is_some()).count()
    }

    /// Number of peers whose I/O has not ended yet.
    pub fn peers(&self) -> usize {
        self.shards.iter().map(|s| s.state.lock().peers).sum()
    }

    /// A place on the least loaded shard.
    pub(crate) fn lease(&self) -> Result<Lease, Error> {
        let shard = self.shards.iter().min_by_key(|s| s.state.lock().peers).ok_or(Error::ShutDown)?;
        Shard::lease(shard, false)
    }

    /// A place for a port that peers share.
    pub(crate) fn lease_port(&self) -> Result<Lease, Error> {
        let load = |shard: &&Arc<Shard>| {
            let state = shard.state.lock();
            (state.ports, state.peers)
        };
        let shard = self.shards.iter().min_by_key(load).ok_or(Error::ShutDown)?;
        Shard::lease(shard, true)
    }
}

impl Drop for Runtime {
    fn drop(&mut self) {
        self.shutdown();
    }
}

impl Shard {
    fn lease(shard: &Arc<Self>, is_port: bool) -> Result<Lease, Error> {
        let mut state = shard.state.lock();
        if state.shut_down {
            return Err(Error::ShutDown);
        }
        let handle = match &state.handle {
            Some(handle) => handle.clone(),
            None => {
                Self::start(shard).map_err(|e| Error::io(format!("starting the thread {}", shard.name), e))?
            }
        };
        state.handle = Some(handle.clone());
        *state.count(is_port) += 1;
        Ok(Lease { shard: shard.clone(), handle, is_port })
    }

    fn start(shard: &Arc<Self>) -> io::Result<Handle> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_io()
            .enable_time()
            .max_blocking_threads(BLOCKING_THREADS)
            .thread_name(format!("{}-files", shard.name))
            .thread_keep_alive(IDLE_TIME)
            .build()?;
        let handle = runtime.handle().clone();
        let shard = shard.clone();
        std::thread::Builder::new().name(shard.name.clone()).spawn(move || {
            runtime.block_on(shard.until_idle());
            // Drops the tasks that are left, and leaves what blocks alone: it can't be interrupted.
            runtime.shutdown_background();
        })?;
        Ok(handle)
    }

    /// Returns when the thread has to end. After that no lease refers to it, unless the runtime was shut down.
    async fn until_idle(&self) {
        loop {
            let idle = {
                let state = self.state.lock();
                if state.shut_down {
                    break;
                }
                state.is_idle()
            };
            if !idle {
                self.changed.notified().await;
            } else if tokio::time::timeout(IDLE_TIME, self.changed.notified()).await.is_err() {
                // Checked and cleared under one lock: whoever takes a lease after this starts a new thread.
                let mut state = self.state.lock();
                if state.is_idle() {
                    state.handle = None;
                    return;
                }
            }
        }
        self.state.lock().handle = None;
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        let mut state = self.shard.state.lock();
        *state.count(self.is_port) -= 1;
        if state.is_idle() {
            self.shard.changed.notify_one();
        }
    }
}

fn default_shards() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, |n| n.get());
    cores.saturating_sub(1).clamp(1, MAX_DEFAULT_SHARDS)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn threads_start_with_the_first_peer_and_are_shared_by_load() {
        let runtime = Runtime::new(RuntimeConfig { shards: Some(2) }).unwrap();
        assert_eq!(runtime.running_shards(), 0);
        let leases: Vec<_> = (0..10).map(|_| runtime.lease().unwrap()).collect();
        assert_eq!((runtime.running_shards(), runtime.peers()), (2, 10));
        assert!(runtime.shards.iter().all(|s| s.state.lock().peers == 5));
        drop(leases);
        assert_eq!(runtime.peers(), 0);
    }

    #[test]
    fn a_runtime_that_was_shut_down_takes_no_more_peers() {
        let runtime = Runtime::new(RuntimeConfig::default()).unwrap();
        let _lease = runtime.lease().unwrap();
        runtime.shutdown();
        assert!(matches!(runtime.lease(), Err(Error::ShutDown)));
    }

    #[test]
    fn the_shared_runtime_is_one_while_somebody_uses_it() {
        let first = Runtime::shared().unwrap();
        assert!(Arc::ptr_eq(&first, &Runtime::shared().unwrap()));
    }

    #[test]
    fn an_impossible_number_of_shards_is_refused() {
        assert!(matches!(Runtime::new(RuntimeConfig { shards: Some(0) }), Err(Error::Config { .. })));
        assert!(matches!(Runtime::new(RuntimeConfig { shards: Some(65) }), Err(Error::Config { .. })));
    }
}
