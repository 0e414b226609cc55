//! The handle that the rest of the program holds.

use std::sync::{Arc, Weak};
use std::time::Instant;

use ossa_peer::{Connection, IceTransportPolicy};

use crate::config::{IceServer, PeerConfig};
use crate::core::Core;
use crate::crash::{self, Crash};
use crate::driver::Driver;
use crate::error::Error;
use crate::foreground::Foreground;
use crate::interfaces;
use crate::listen::Ports;
use crate::runtime::Runtime;
use crate::shared::Shared;
use crate::sink::{OutMessage, Sink};

/// One peer connection with its sockets and timers. Clones are the same peer; when the last one is dropped the peer is closed.
#[derive(Clone)]
pub struct Peer {
    handle: Arc<Handle>,
}

struct Handle {
    shared: Arc<Shared>,
}

/// A handle that keeps no peer open: for what the peer itself leads to, such as its sink.
#[derive(Clone)]
pub struct WeakPeer {
    handle: Weak<Handle>,
}

impl WeakPeer {
    /// The peer, if somebody still has it.
    pub fn upgrade(&self) -> Option<Peer> {
        Some(Peer { handle: self.handle.upgrade()? })
    }
}

impl Peer {
    /// A handle that does not keep it open.
    pub fn downgrade(&self) -> WeakPeer {
        WeakPeer { handle: Arc::downgrade(&self.handle) }
    }

    /// Makes a peer on the least loaded shard. No socket is opened before gathering starts, except a shared port.
    ///
    /// # Errors
    /// [`Error::Config`] and [`Error::Connection`] for bad settings, [`Error::Io`] if the shard's thread can't be started or another program has the port,
    /// [`Error::ShutDown`].
    pub fn new(runtime: &Arc<Runtime>, config: PeerConfig, sink: Arc<dyn Sink>) -> Result<Self, Error> {
        config.check()?;
        let mut seed = [0; 32];
        aws_lc_rs::rand::fill(&mut seed)
            .map_err(|_| Error::io("reading random bytes", std::io::Error::other("the system has none")))?;
        let connection = Connection::new(config.connection.clone(), seed, Instant::now())?;
        let ports = open_ports(runtime, &config)?;
        let lease = runtime.lease()?;
        let executor = lease.handle.clone();
        let shared = Arc::new(Shared::new(
            Core::new(connection, config, ports),
            sink,
            runtime.clone(),
            executor.clone(),
        ));
        executor.spawn(Driver::new(shared.clone(), lease));
        Ok(Self { handle: Arc::new(Handle { shared }) })
    }

    /// Runs `f` on the connection and carries out what follows from it: datagrams are sent on this thread, events go to the
    /// sink, the timer is set. Waits while another thread works on this peer, for about a millisecond at most.
    ///
    /// `f` must not use the peer itself.
    ///
    /// # Errors
    /// [`ErrorKind::Internal`](ossa_peer::ErrorKind::Internal) if anything panics. That is the end of the connection, as the sink is told.
    pub fn with<R>(&self, f: impl FnOnce(&mut Connection, Instant) -> R) -> Result<R, ossa_peer::Error> {
        self.try_run(|core, now| f(&mut core.connection, now))
    }

    fn try_run<R>(&self, f: impl FnOnce(&mut Core, Instant) -> R) -> Result<R, ossa_peer::Error> {
        crash::catch(|| self.handle.shared.run(f)).map_err(Crash::into_error)
    }

    /// Queues messages and sends them, without ever waiting for another thread: if one is working on this peer, it sends
    /// them as soon as it is done. A lot of data is left to the shard, so that the caller isn't busy encrypting it.
    ///
    /// Messages that can't be sent are reported to [`Sink::send_failed`].
    pub fn send_batch(&self, batch: impl IntoIterator<Item = OutMessage>) {
        // Of a panic the sink knows already, and so do the channels.
        let _ = crash::catch(|| self.handle.shared.send_batch(batch));
    }

    /// The sink is ready for messages again.
    pub fn resume(&self) {
        self.handle.shared.wake_driver();
    }

    /// The loop of `foreground` has just taken messages of this peer and is about to wait: in a quiet exchange it may wait for the
    /// peer's socket as well. Called by the loop's own thread. Costs next to nothing when it changes nothing.
    pub fn attend(&self, foreground: &Arc<Foreground>) {
        // Of a panic the sink knows already.
        let _ = crash::catch(|| self.handle.shared.attend(foreground));
    }

    /// Uses other servers from the next gathering on, that is after an ICE restart.
    ///
    /// # Errors
    /// As [`Self::with`].
    pub fn set_ice_servers(&self, servers: Vec<IceServer>) -> Result<(), ossa_peer::Error> {
        self.try_run(|core, _| core.set_ice_servers(servers))
    }

    /// Uses another transport policy from the next gathering on. W3C `setConfiguration()`.
    ///
    /// # Errors
    /// `InvalidStateError` when closed; as [`Self::with`].
    pub fn set_ice_transport_policy(&self, policy: IceTransportPolicy) -> Result<(), ossa_peer::Error> {
        self.try_run(|core, _| core.set_ice_transport_policy(policy)).flatten()
    }

    /// Closes the connection: tells the other side, then closes sockets and TURN allocations. What could be sent without
    /// blocking has left when this returns. Idempotent.
    pub fn close(&self) {
        self.handle.close();
    }

    /// Whether all sockets are closed and no task of this peer is left, after [`Peer::close`].
    pub fn is_finished(&self) -> bool {
        self.handle.shared.is_finished()
    }
}

/// The shared ports at the addresses that the peer would gather.
fn open_ports(runtime: &Arc<Runtime>, config: &PeerConfig) -> Result<Ports, Error> {
    let Some(listen) = &config.listen else { return Ok(Ports::default()) };
    let all = runtime.interfaces.get().map_err(|e| Error::io("listing the network interfaces", e))?;
    let wanted = interfaces::select(&all, &config.selection()).used;
    let addresses: Vec<_> = wanted.iter().map(|address| address.with_port(listen.port)).collect();
    Ports::open(runtime, &addresses, config.tcp.passive)
}

impl std::fmt::Debug for Peer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Peer").finish_non_exhaustive()
    }
}

impl Handle {
    fn close(&self) {
        // After a panic there is nothing left to close.
        let _ = crash::catch(|| self.shared.close());
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.close();
    }
}
