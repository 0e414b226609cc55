//! The shared ports of this process. Whoever names the same address and port gets the same socket, on whichever JavaScript thread.

use std::collections::HashMap;
use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, LazyLock, Weak};
use std::thread::sleep;
use std::time::Duration;

use parking_lot::Mutex;

use super::tcp_port::TcpPort;
use super::udp_port::UdpPort;
use crate::error::Error;
use crate::runtime::Runtime;

/// How long the port of a peer that has just gone may take to be closed: its thread is done with what it was doing by then.
const CLOSE_TIME: Duration = Duration::from_millis(100);

type Known<T> = LazyLock<Mutex<HashMap<SocketAddr, Weak<T>>>>;

static UDP: Known<UdpPort> = LazyLock::new(Mutex::default);
static TCP: Known<TcpPort> = LazyLock::new(Mutex::default);

/// The ports of one peer, which stay open as long as any peer has them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Ports {
    pub(crate) udp: Vec<Arc<UdpPort>>,
    pub(crate) tcp: Vec<Arc<TcpPort>>,
}

impl Ports {
    /// Opens the ports at these addresses, or takes part in them.
    ///
    /// # Errors
    /// [`Error::Io`] with the address, if another program has it; [`Error::ShutDown`].
    pub(crate) fn open(runtime: &Arc<Runtime>, addresses: &[SocketAddr], tcp: bool) -> Result<Self, Error> {
        let mut ports = Self::default();
        for &address in addresses {
            ports.udp.push(udp(runtime, address)?);
            if tcp {
                ports.tcp.push(self::tcp(runtime, address)?);
            }
        }
        Ok(ports)
    }
}

fn udp(runtime: &Arc<Runtime>, address: SocketAddr) -> Result<Arc<UdpPort>, Error> {
    shared(&UDP, address, "UDP", || {
        // The threads must not end with the peer that came first.
        let lease = runtime.lease_port()?;
        let executor = lease.handle.clone();
        UdpPort::bind(&executor, address, (lease, runtime.clone())).map_err(|e| Error::io("", e))
    })
}

fn tcp(runtime: &Arc<Runtime>, address: SocketAddr) -> Result<Arc<TcpPort>, Error> {
    shared(&TCP, address, "TCP", || {
        let lease = runtime.lease_port()?;
        let executor = lease.handle.clone();
        TcpPort::bind(&executor, address, (lease, runtime.clone()))
            .map(Arc::new)
            .map_err(|e| Error::io("", e))
    })
}

fn shared<T>(
    known: &Known<T>,
    address: SocketAddr,
    kind: &str,
    open: impl Fn() -> Result<Arc<T>, Error>,
) -> Result<Arc<T>, Error> {
    let mut known = known.lock();
    if let Some(port) = known.get(&address).and_then(Weak::upgrade) {
        return Ok(port);
    }
    // Ports that nobody has any more.
    known.retain(|_, port| port.strong_count() > 0);
    let mut result = open();
    let mut waited = Duration::ZERO;
    while waited < CLOSE_TIME
        && matches!(&result, Err(Error::Io { source, .. }) if source.kind() == io::ErrorKind::AddrInUse)
    {
        let step = Duration::from_millis(2);
        sleep(step);
        waited += step;
        result = open();
    }
    match result {
        Ok(port) => {
            known.insert(address, Arc::downgrade(&port));
            Ok(port)
        }
        Err(Error::Io { source, .. }) => Err(Error::io(format!("listening at {kind} {address}"), source)),
        Err(error) => Err(error),
    }
}
