//! What goes to a TURN server: messages, collected and then sent with as few system calls as possible.

use std::collections::VecDeque;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncWrite, WriteHalf};

use super::stream::ByteStream;
use crate::socket::UdpSocket;

/// As long as this much waits, no more is taken from the relay's queue.
const HIGH_WATER: usize = 256 * 1024;

pub(super) struct Output {
    to: Destination,
    data: Vec<u8>,
    /// Bytes of `data` that are gone already.
    start: usize,
    /// Bytes sent so far.
    sent: u64,
    /// Datagrams only: how `data` is to be cut.
    runs: VecDeque<Run>,
}

pub(super) enum Destination {
    Udp { socket: Arc<UdpSocket>, server: SocketAddr },
    Stream(WriteHalf<Box<dyn ByteStream>>),
}

/// Datagrams of equal size, except that the last may be shorter.
struct Run {
    len: usize,
    segment: usize,
}

impl Run {
    fn takes(&self, len: usize) -> bool {
        len <= self.segment && self.len.is_multiple_of(self.segment)
    }
}

impl Output {
    pub(super) fn new(to: Destination) -> Self {
        Self { to, data: Vec::new(), start: 0, sent: 0, runs: VecDeque::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting().is_empty()
    }

    /// What is not sent yet.
    pub(super) fn waiting(&self) -> &[u8] {
        &self.data[self.start..]
    }

    /// Grows when something is sent.
    pub(super) fn sent(&self) -> u64 {
        self.sent
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting().len() < HIGH_WATER
    }

    /// Appends a message of `len` bytes, not 0, which `write` fills in.
    pub(super) fn push(&mut self, len: usize, write: impl FnOnce(&mut [u8])) {
        let at = self.data.len();
        self.data.resize(at + len, 0);
        write(&mut self.data[at..]);
        match self.to {
            // RFC 8656, section 12.5: in a stream, ChannelData is padded. STUN has such a length anyway.
            Destination::Stream(_) => self.data.resize(at + len.next_multiple_of(4), 0),
            Destination::Udp { .. } => match self.runs.back_mut() {
                Some(run) if run.takes(len) => run.len += len,
                _ => self.runs.push_back(Run { len, segment: len }),
            },
        }
    }

    /// Sends. Ready when nothing is left, or the connection has ended.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.to {
            Destination::Udp { socket, server } => {
                while let Some(run) = self.runs.front_mut() {
                    let data = &self.data[self.start..self.start + run.len];
                    let mut sent = 0;
                    let done = socket.poll_send(cx, *server, data, run.segment, &mut sent);
                    self.start += sent;
                    self.sent += sent as u64;
                    run.len -= sent;
                    ready!(done);
                    self.runs.pop_front();
                }
            }
            Destination::Stream(stream) => {
                while self.start < self.data.len() {
                    let written = ready!(Pin::new(&mut *stream).poll_write(cx, &self.data[self.start..]))?;
                    if written == 0 {
                        return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
                    }
                    self.start += written;
                    self.sent += written as u64;
                }
                ready!(Pin::new(stream).poll_flush(cx))?;
            }
        }
        self.data.clear();
        self.start = 0;
        Poll::Ready(Ok(()))
    }
}
