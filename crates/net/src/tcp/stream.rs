//! The sending side of a TCP connection, and what its task and the peer tell each other.

use std::cell::RefCell;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};
use std::time::{Duration, Instant};

use parking_lot::Mutex;
use tokio::net::TcpStream;
use tokio::sync::Notify;

use super::framing::write_frames;
use crate::socket::Sent;

/// Bytes that wait for a connection to be opened: the checks of a few retransmissions. More are lost, as over UDP.
const CONNECTING_BYTES: usize = 2_048;

/// From one attempt to connect to the next. Checks come more often, and a host that refuses needs no more of them.
const RETRY_TIME: Duration = Duration::from_millis(500);

/// A connection over which nothing has come for so long, though checks are answered every few seconds, is opened anew by the next check.
/// A NAT has forgotten it, or the other side has without being able to say so.
const SILENCE: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(crate) struct Stream {
    pub(crate) remote: SocketAddr,
    begun: Instant,
    state: Mutex<State>,
    /// Signalled when the task has something to do: to write, or to end.
    pub(crate) changed: Notify,
}

#[derive(Debug)]
struct State {
    /// Once it is connected.
    io: Option<Arc<TcpStream>>,
    /// Frames that the socket has not taken, from `start` on. A run of datagrams at most: before it is gone nothing is added.
    queue: Vec<u8>,
    start: usize,
    heard: Instant,
    closed: bool,
    stalled: bool,
    /// The driver, if it waits for room.
    waiting: Option<Waker>,
}

thread_local! {
    /// Frames in the making: per thread, as each connection having one would be 64 KiB times thousands.
    static FRAMES: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

impl Stream {
    /// A connection that is still to be opened, or one that is there.
    pub(crate) fn new(remote: SocketAddr, io: Option<Arc<TcpStream>>) -> Self {
        let now = Instant::now();
        let state = State {
            io,
            queue: Vec::new(),
            start: 0,
            heard: now,
            closed: false,
            stalled: false,
            waiting: None,
        };
        Self { remote, begun: now, state: Mutex::new(state), changed: Notify::new() }
    }

    /// Sends datagrams of `segment` bytes each (the last may be shorter).
    pub(crate) fn try_send(&self, data: &[u8], segment: usize) -> Sent {
        let mut state = self.state.lock();
        if state.closed {
            return Sent::Done;
        }
        let Some(io) = state.io.clone() else {
            if state.queue.len() + data.len() <= CONNECTING_BYTES {
                write_frames(&mut state.queue, data, segment);
            }
            return Sent::Done;
        };
        if !state.queue.is_empty() {
            // Whoever takes nothing for a second must not stop the peer's other paths: its datagrams are lost.
            return if state.stalled { Sent::Done } else { Sent::Blocked(0) };
        }
        let left = FRAMES.with_borrow_mut(|frames| {
            frames.clear();
            write_frames(frames, data, segment);
            let written = write(&io, frames);
            written.map(|written| frames[written..].to_vec())
        });
        match left {
            Ok(left) if left.is_empty() => {}
            Ok(left) => {
                (state.queue, state.start) = (left, 0);
                drop(state);
                self.changed.notify_one();
            }
            Err(error) => {
                tracing::debug!(%error, "a TCP connection can't be written to");
                drop(state);
                self.close();
            }
        }
        Sent::Done
    }

    /// Sends like [`Self::try_send`] as soon as there is room.
    pub(crate) fn poll_send(&self, cx: &mut Context<'_>, data: &[u8], segment: usize) -> Poll<()> {
        match self.try_send(data, segment) {
            Sent::Done | Sent::Refused => Poll::Ready(()),
            Sent::Blocked(_) => {
                let mut state = self.state.lock();
                if state.queue.is_empty() || state.closed || state.stalled {
                    // It has become so between the two locks.
                    cx.waker().wake_by_ref();
                }
                state.waiting = Some(cx.waker().clone());
                Poll::Pending
            }
        }
    }

    /// It is connected: what waits can be written.
    pub(super) fn connected(&self, io: Arc<TcpStream>) {
        let mut state = self.state.lock();
        state.io = Some(io);
        state.heard = Instant::now();
    }

    /// Writes what waits, as far as the socket takes it. Returns how much that was, and whether anything is left.
    pub(super) fn flush(&self) -> io::Result<(usize, bool)> {
        let mut state = self.state.lock();
        let Some(io) = state.io.clone().filter(|_| !state.queue.is_empty()) else { return Ok((0, false)) };
        let written = write(&io, &state.queue[state.start..])?;
        state.start += written;
        if state.start < state.queue.len() {
            return Ok((written, true));
        }
        (state.queue, state.start, state.stalled) = (Vec::new(), 0, false);
        wake(&mut state);
        Ok((written, false))
    }

    /// While stalled, what does not fit is lost.
    pub(super) fn set_stalled(&self, stalled: bool) {
        let mut state = self.state.lock();
        if state.stalled != stalled {
            state.stalled = stalled;
            wake(&mut state);
        }
    }

    /// Something has come.
    pub(super) fn heard(&self, now: Instant) {
        self.state.lock().heard = now;
    }

    pub(super) fn last_heard(&self) -> Instant {
        self.state.lock().heard
    }

    /// Whether a check should open another connection in place of this one.
    pub(super) fn is_spent(&self, now: Instant) -> bool {
        let state = self.state.lock();
        let since = |time| now.saturating_duration_since(time);
        match (state.closed, &state.io) {
            (true, _) => since(self.begun) >= RETRY_TIME,
            (false, Some(_)) => since(state.heard) >= SILENCE,
            (false, None) => false,
        }
    }

    /// Lets go of the socket, after everything has been written.
    pub(super) fn release(&self) {
        self.state.lock().io = None;
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.state.lock().closed
    }

    /// Ends the connection, after what waits has been written if that is possible soon.
    pub(crate) fn close(&self) {
        let mut state = self.state.lock();
        state.closed = true;
        wake(&mut state);
        drop(state);
        self.changed.notify_one();
    }
}

fn wake(state: &mut State) {
    if let Some(waiting) = state.waiting.take() {
        waiting.wake();
    }
}

/// Writes as much as the socket takes.
fn write(io: &TcpStream, data: &[u8]) -> io::Result<usize> {
    let mut written = 0;
    while written < data.len() {
        match io.try_write(&data[written..]) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(bytes) => written += bytes,
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => break,
            Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(written)
}
