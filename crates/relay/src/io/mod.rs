//! The sockets of the relay. What is sent through them is decided by [`Turn`], behind a lock that is held for one batch of input at a
//! time and never while something is sent.

mod outbox;
mod port;
mod service;
mod socket;
mod stream;

use std::cell::RefCell;
use std::collections::HashSet;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use ossa_signaling::EventSink;
use parking_lot::Mutex;
use tokio::sync::{Notify, watch};

use crate::config::RelayConfig;
use crate::turn::{Client, Event, Now, RelayStats, Settings, Step, Turn};
use outbox::{Outbox, Way};
use port::Port;
use socket::Socket;
use stream::Streams;

/// How often it is looked whether something has come to its end: lifetimes count in seconds.
const TICK: Duration = Duration::from_secs(1);

/// After so many ticks the addresses of this host are asked for anew.
const TICKS_PER_LOOK: u32 = 10;

/// A running relay. Dropping it ends it.
#[derive(Debug)]
pub struct Relay(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    config: RelayConfig,
    /// Towards the clients that come by UDP.
    listener: Socket,
    turn: Mutex<Turn<Arc<Port>>>,
    streams: Streams,
    next_stream: AtomicU64,
    /// Where packets to the internet leave from, of both families.
    outward: [Option<IpAddr>; 2],
    /// Datagrams that were not taken.
    congested: AtomicU64,
    /// An allocation is gone.
    released: Notify,
    closed: watch::Sender<bool>,
    events: Option<Arc<EventSink>>,
}

thread_local! {
    /// Of the batch that the thread is at.
    static OUTBOX: RefCell<Outbox> = RefCell::default();
}

impl Relay {
    /// Listens on UDP; needs a tokio runtime with time and I/O enabled, on which everything runs.
    ///
    /// # Errors
    /// Those of binding the address.
    pub fn bind(config: RelayConfig, events: Option<Arc<EventSink>>) -> io::Result<Self> {
        let listener = Socket::bind(config.listen)?;
        let mut seed = [0; 32];
        SystemRandom::new().fill(&mut seed).map_err(|_| io::Error::other("the system has no randomness"))?;
        let settings = Settings {
            secret: config.secret.clone(),
            seed,
            limits: config.limits.clone(),
            allow_peers: config.allow_peers.clone(),
            deny_peers: config.deny_peers.clone(),
            never_fragments: listener.never_fragments(),
        };
        let inner = Arc::new(Inner {
            turn: Mutex::new(Turn::new(settings, Instant::now())),
            listener,
            streams: Streams::default(),
            next_stream: AtomicU64::new(0),
            outward: outward(),
            congested: AtomicU64::new(0),
            released: Notify::new(),
            closed: watch::Sender::new(false),
            events,
            config,
        });
        inner.look_at_addresses()?;
        tokio::spawn(inner.clone().run());
        Ok(Self(inner))
    }

    /// The address that UDP is listened on, with the port that was chosen.
    pub fn local_addr(&self) -> SocketAddr {
        self.0.listener.local()
    }

    /// Counters at this moment.
    pub fn stats(&self) -> RelayStats {
        self.0.stats()
    }
}

impl Drop for Relay {
    fn drop(&mut self) {
        self.0.close();
    }
}

impl Inner {
    async fn run(self: Arc<Self>) {
        let mut closed = self.closed.subscribe();
        let listening = async {
            loop {
                self.listener
                    .recv(|datagrams| {
                        self.batch(|turn, outbox, now| {
                            for datagram in datagrams {
                                let client =
                                    Client { remote: datagram.from, local: datagram.to, stream: None };
                                self.step(turn, outbox, client, datagram.data, now);
                            }
                        });
                    })
                    .await;
            }
        };
        let ticking = async {
            let mut ticks = tokio::time::interval(TICK);
            for count in 1.. {
                ticks.tick().await;
                self.batch(|turn, _, now| turn.handle_timeout(now.instant));
                if count % TICKS_PER_LOOK == 0 {
                    // What is known stays until it can be asked for again.
                    let _ = self.look_at_addresses();
                }
            }
        };
        tokio::select! {
            () = listening => {}
            () = ticking => {}
            _ = closed.wait_for(|closed| *closed) => {}
        }
    }

    /// One batch of input of a relayed port.
    async fn take_from_peers(self: &Arc<Self>, socket: &Socket, relayed: SocketAddr) {
        socket
            .recv(|datagrams| {
                self.batch(|turn, outbox, now| {
                    for datagram in datagrams {
                        let deliver = turn.handle_peer(relayed, datagram.from, datagram.data, now.instant);
                        if let Some((client, via)) = deliver {
                            outbox.for_client(&client, via, datagram.data);
                        }
                    }
                });
            })
            .await;
    }

    /// Asks the protocol something, and sends what comes of it when the lock is released.
    fn batch<R>(&self, f: impl FnOnce(&mut Turn<Arc<Port>>, &mut Outbox, Now) -> R) -> R {
        OUTBOX.with_borrow_mut(|outbox| {
            let now = Now {
                instant: Instant::now(),
                // A clock before 1970 makes nothing expire; nothing worse.
                unix: SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs()),
            };
            let mut turn = self.turn.lock();
            let result = f(&mut turn, outbox, now);
            let events: Vec<_> = std::iter::from_fn(|| turn.poll_event()).collect();
            drop(turn);
            let mut lost = 0;
            outbox.drain(|run, bytes| lost += self.send(&run.way, run.to, bytes, run.segment));
            if lost > 0 {
                self.congested.fetch_add(lost, Ordering::Relaxed);
            }
            for event in events {
                self.report(event);
            }
            result
        })
    }

    /// Returns how many datagrams were not taken.
    fn send(&self, way: &Way, to: SocketAddr, bytes: &[u8], segment: usize) -> u64 {
        match way {
            Way::Client(from) => self.listener.send(to, Some(*from), bytes, segment),
            Way::Port(port) => port.socket.send(to, None, bytes, segment),
            Way::Stream(id) if self.streams.send(*id, bytes) => 0,
            Way::Stream(_) => bytes.len().div_ceil(segment) as u64,
        }
    }

    /// A message of a client.
    fn step(
        self: &Arc<Self>,
        turn: &mut Turn<Arc<Port>>,
        outbox: &mut Outbox,
        client: Client,
        data: &[u8],
        now: Now,
    ) {
        match turn.handle_client(client, data, now) {
            Step::Done => {}
            Step::Answer(answer) => outbox.answer(&client, &answer),
            Step::ToPeer { socket, peer, data } => outbox.for_peer(socket, peer, data),
            Step::ToClient { client, via, data } => outbox.for_client(&client, via, data),
            Step::Allocate(wanted) => {
                let (ports, next) = self.open(turn, &wanted);
                let answer = turn.allocated(*wanted, ports, next, now.instant);
                outbox.answer(&client, &answer);
            }
        }
    }

    fn report(&self, event: Event) {
        if matches!(event, Event::Released { .. }) {
            self.released.notify_waiters();
        }
        if let Some(events) = &self.events {
            events.emit(service::described(event));
        }
    }

    fn stats(&self) -> RelayStats {
        RelayStats { congested: self.congested.load(Ordering::Relaxed), ..self.turn.lock().stats() }
    }

    fn close(&self) {
        self.batch(|turn, _, _| turn.close());
        self.closed.send_replace(true);
    }

    /// What is this server must be known, so that it is not taken for a peer.
    fn look_at_addresses(&self) -> io::Result<()> {
        let interfaces = if_addrs::get_if_addrs()?;
        let given = [&self.config.addresses[..], &self.config.announce[..]].concat();
        let own: HashSet<_> = interfaces.iter().map(if_addrs::Interface::ip).chain(given).collect();
        self.turn.lock().set_own_addresses(own);
        Ok(())
    }
}

/// The addresses that datagrams to the internet leave from: the system chooses one when a socket is connected, without sending
/// anything. The goals are root name servers, which are certain to be elsewhere.
fn outward() -> [Option<IpAddr>; 2] {
    let towards = |from: IpAddr, to: IpAddr| {
        let socket = UdpSocket::bind((from, 0)).ok()?;
        socket.connect((to, 53)).ok()?;
        socket.local_addr().ok().map(|address| address.ip())
    };
    [
        towards(Ipv4Addr::UNSPECIFIED.into(), Ipv4Addr::new(198, 41, 0, 4).into()),
        towards(Ipv6Addr::UNSPECIFIED.into(), Ipv6Addr::new(0x2001, 0x503, 0xba3e, 0, 0, 0, 2, 0x30).into()),
    ]
}
