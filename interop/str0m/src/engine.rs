//! The engine of one connection behind a lock, and its sockets.

use std::collections::{HashMap, VecDeque};
use std::io::ErrorKind;
use std::net::{SocketAddr, UdpSocket as StdSocket};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use ossa_interop_driver::{Failure, Kind, Slot, host_addresses};
use socket2::SockRef;
use str0m::channel::ChannelId;
use str0m::net::{Protocol, Receive, Transmit};
use str0m::{Candidate, Event, Input, Output, Rtc};
use tokio::net::UdpSocket;
use tokio::sync::Notify;

use crate::channel::Channel;

/// Bytes of all channels that are written and not acknowledged before a write is refused, instead of the crate's 128 KiB: what the
/// window of a peer takes (1 MiB), and the 1 MiB that the benchmark's other stacks keep besides.
const SEND_BUFFER: usize = 2 * 1024 * 1024;

/// How many bytes are left in it when refused writes are tried again: the largest message has room then.
const LOW_WATER: usize = SEND_BUFFER - MAX_MESSAGE;

/// The largest message, instead of the crate's 256 KiB, so that it takes part at 1 MiB.
pub(crate) const MAX_MESSAGE: usize = 1024 * 1024;

/// Asked of the kernel for each socket, which gives what it allows: a loop in user space is late now and then.
const SOCKET_BUFFER: usize = 2 * 1024 * 1024;

/// The engine has no clock, and times what is sent by its last input: no older than this when something is sent.
const STALE: Duration = Duration::from_millis(1);

/// Datagrams read in a row before timers and events have their turn.
const BATCH: usize = 32;

pub(crate) struct Socket {
    io: UdpSocket,
    address: SocketAddr,
}

/// What the lock guards.
pub(crate) struct Core {
    pub(crate) rtc: Rtc,
    /// The channels that the driver knows.
    pub(crate) channels: HashMap<ChannelId, Arc<Slot<Channel>>>,
    /// What the engine has told and nobody was told yet.
    happened: Vec<Event>,
    /// What the sockets had no room for. The congestion window bounds it.
    backlog: VecDeque<Transmit>,
    /// The time of the last input.
    now: Instant,
    /// When the engine wants the next one.
    deadline: Instant,
    /// Until when the task sleeps that drives the engine.
    sleeps_until: Instant,
    /// A write was refused and waits for room.
    refused: bool,
}

pub(crate) struct Engine {
    core: Mutex<Core>,
    sockets: Vec<Socket>,
    /// There may be room for a refused write, or the connection is closed.
    room: Notify,
    /// The task that drives the engine has something to do.
    wake: Notify,
}

impl Engine {
    pub(crate) fn open() -> Result<Self, Failure> {
        let now = Instant::now();
        let mut rtc = Rtc::builder()
            .set_sctp_max_buffered_amount(SEND_BUFFER)
            .set_sctp_max_message_size(MAX_MESSAGE as u32)
            .build(now);
        let mut sockets = Vec::new();
        for ip in host_addresses()? {
            let socket = StdSocket::bind((ip, 0))?;
            let options = SockRef::from(&socket);
            options.set_recv_buffer_size(SOCKET_BUFFER)?;
            options.set_send_buffer_size(SOCKET_BUFFER)?;
            socket.set_nonblocking(true)?;
            let address = socket.local_addr()?;
            rtc.add_local_candidate(Candidate::host(address, "udp")?);
            sockets.push(Socket { io: UdpSocket::from_std(socket)?, address });
        }
        let core = Core {
            rtc,
            channels: HashMap::new(),
            happened: Vec::new(),
            backlog: VecDeque::new(),
            now,
            deadline: now,
            sleeps_until: now,
            refused: false,
        };
        Ok(Self { core: Mutex::new(core), sockets, room: Notify::new(), wake: Notify::new() })
    }

    fn lock(&self) -> MutexGuard<'_, Core> {
        self.core.lock().expect("no code panics while it holds the engine")
    }

    /// Changes the engine from outside of the task that drives it. After each single change all of its output has to be taken.
    pub(crate) fn change<T>(
        &self,
        change: impl FnOnce(&mut Core) -> Result<T, Failure>,
    ) -> Result<T, Failure> {
        let mut core = self.lock();
        let now = Instant::now();
        if now - core.now > STALE {
            self.input(&mut core, Input::Timeout(now), now);
        }
        let result = change(&mut core);
        self.drain(&mut core);
        let told = !core.happened.is_empty() || !core.rtc.is_alive();
        if told || !core.backlog.is_empty() || core.deadline < core.sleeps_until {
            self.wake.notify_one();
        }
        result
    }

    /// Writes a message; false if there is no room for it. `room` says when it is worth another try.
    pub(crate) fn write(&self, id: ChannelId, kind: Kind, data: &[u8]) -> Result<bool, Failure> {
        self.change(|core| {
            let mut channel = core.rtc.channel(id).ok_or("the channel is closed")?;
            let taken = core.backlog.is_empty() && channel.write(kind == Kind::Binary, data)?;
            core.refused |= !taken;
            Ok(taken)
        })
    }

    /// To be made before a write, and awaited if that is refused.
    pub(crate) fn room(&self) -> impl Future<Output = ()> + '_ {
        self.room.notified()
    }

    fn input(&self, core: &mut Core, input: Input<'_>, now: Instant) {
        core.now = now;
        if core.rtc.handle_input(input).is_err() {
            core.rtc.disconnect(); // as the crate's examples do
        }
        self.drain(core);
    }

    fn drain(&self, core: &mut Core) {
        loop {
            match core.rtc.poll_output() {
                Ok(Output::Timeout(deadline)) => {
                    core.deadline = deadline;
                    return;
                }
                Ok(Output::Transmit(transmit)) => {
                    if !core.backlog.is_empty() || !self.sent(&transmit) {
                        core.backlog.push_back(transmit);
                    }
                }
                Ok(Output::Event(event)) => core.happened.push(event),
                Err(_) => core.rtc.disconnect(), // whose next output is a timeout
            }
        }
    }

    /// Whether a datagram is gone. One that the system refuses is lost, as on the network.
    fn sent(&self, transmit: &Transmit) -> bool {
        let Some(socket) = self.socket(transmit) else { return true };
        let result = socket.io.try_send_to(&transmit.contents, transmit.destination);
        !result.is_err_and(|error| error.kind() == ErrorKind::WouldBlock)
    }

    fn socket(&self, transmit: &Transmit) -> Option<&Socket> {
        self.sockets.iter().find(|socket| socket.address == transmit.source)
    }
}

/// For the task that drives the engine.
impl Engine {
    pub(crate) fn sockets(&self) -> &[Socket] {
        &self.sockets
    }

    /// What has happened since the last call.
    pub(crate) fn happened(&self) -> Vec<Event> {
        std::mem::take(&mut self.lock().happened)
    }

    /// Until when to sleep, and the socket that is to send more first; nothing when all is over.
    pub(crate) fn next(&self) -> Option<(Instant, Option<&Socket>)> {
        let mut core = self.lock();
        core.sleeps_until = core.deadline;
        let blocked = core.backlog.front().and_then(|transmit| self.socket(transmit));
        (core.rtc.is_alive() || blocked.is_some()).then_some((core.deadline, blocked))
    }

    pub(crate) fn woken(&self) -> impl Future<Output = ()> + '_ {
        self.wake.notified()
    }

    pub(crate) fn time_has_come(&self) {
        let mut core = self.lock();
        let now = Instant::now();
        self.input(&mut core, Input::Timeout(now), now);
        self.make_room(&mut core);
    }

    /// Reads what is there.
    pub(crate) fn read(&self, socket: &Socket, buffer: &mut [u8]) {
        let mut core = self.lock();
        for _ in 0..BATCH {
            match socket.io.try_recv_from(buffer) {
                Ok((size, source)) => {
                    let received = Receive::new(Protocol::Udp, source, socket.address, &buffer[..size]);
                    let Ok(received) = received else { continue }; // nothing that belongs to WebRTC
                    let now = Instant::now();
                    self.input(&mut core, Input::Receive(now, received), now);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => {} // about a datagram that was sent
            }
        }
        self.make_room(&mut core);
    }

    /// Sends what has waited for room in the sockets.
    pub(crate) fn flush(&self) {
        let mut core = self.lock();
        while core.backlog.front().is_some_and(|transmit| self.sent(transmit)) {
            core.backlog.pop_front();
        }
        self.make_room(&mut core);
    }

    /// The limit counts the bytes of all channels, the crate's event those of one: so the sum is looked at.
    fn make_room(&self, core: &mut Core) {
        let Core { rtc, channels, backlog, refused, .. } = core;
        if *refused && backlog.is_empty() {
            let buffered =
                |id: &ChannelId| rtc.channel(*id).map_or(0, |mut channel| channel.buffered_amount());
            if channels.keys().map(buffered).sum::<usize>() <= LOW_WATER {
                *refused = false;
                self.room.notify_waiters();
            }
        }
    }

    /// The slot of a channel that is open now: one of this side has it already, for one of the other side it is made.
    pub(crate) fn slot(
        &self,
        id: ChannelId,
        make: impl FnOnce() -> Arc<Slot<Channel>>,
    ) -> Arc<Slot<Channel>> {
        self.lock().channels.entry(id).or_insert_with(make).clone()
    }

    pub(crate) fn known(&self, id: ChannelId) -> Option<Arc<Slot<Channel>>> {
        self.lock().channels.get(&id).cloned()
    }

    /// A channel is closed.
    pub(crate) fn forget(&self, id: ChannelId) {
        let slot = self.lock().channels.remove(&id);
        if let Some(slot) = slot {
            slot.closed();
            self.room.notify_waiters();
        }
    }

    /// The connection is over: its channels are closed, and nothing refers to anything any more.
    pub(crate) fn end(&self) {
        let channels = std::mem::take(&mut self.lock().channels);
        for slot in channels.into_values() {
            slot.closed();
        }
        self.room.notify_waiters();
    }
}

impl Socket {
    pub(crate) fn io(&self) -> &UdpSocket {
        &self.io
    }
}
