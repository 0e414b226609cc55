//! As little of a WebSocket client as will do: text frames, answers to pings, nothing allocated per message.

use std::io;
use std::net::SocketAddr;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpSocket, TcpStream};

use crate::Failure;
use crate::options::Options;

/// Read at once: all that a busy recipient has waiting.
const READ: usize = 64 * 1024;

const TEXT: u8 = 1;
const CLOSE: u8 = 8;
const PING: u8 = 9;
const PONG: u8 = 10;

/// A connection after its upgrade.
pub(crate) struct Socket {
    pub(crate) stream: TcpStream,
    /// Received, not yet a whole frame.
    received: Vec<u8>,
    /// Frames to be written.
    out: Vec<u8>,
    written: usize,
    pub(crate) closed: bool,
}

/// Appends a masked text frame, as clients must send them. The mask is the same for all: it guards against proxies, not spies.
pub(crate) fn encode(out: &mut Vec<u8>, payload: &[u8]) {
    frame(out, TEXT, payload);
}

fn frame(out: &mut Vec<u8>, opcode: u8, payload: &[u8]) {
    const MASK: [u8; 4] = [0x37, 0xfa, 0x21, 0x3d];
    out.push(0x80 | opcode);
    match payload.len() {
        short @ 0..126 => out.push(0x80 | short as u8),
        long => {
            out.push(0x80 | 126);
            out.extend_from_slice(
                &u16::try_from(long).expect("messages of a benchmark are short").to_be_bytes(),
            );
        }
    }
    out.extend_from_slice(&MASK);
    out.extend(payload.iter().zip(MASK.iter().cycle()).map(|(byte, mask)| byte ^ mask));
}

/// A TCP connection from the source address.
pub(crate) async fn connect(options: &Options) -> io::Result<TcpStream> {
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    socket.bind(SocketAddr::from((options.next_source(), 0)))?;
    let stream = socket.connect(options.server).await?;
    stream.set_nodelay(true)?;
    Ok(stream)
}

impl Socket {
    /// Connects and upgrades.
    pub(crate) async fn open(options: &Options, agent: &str) -> Result<Self, Failure> {
        let mut stream = connect(options).await?;
        let protocol = match options.protocol.subprotocol() {
            Some(name) => format!("Sec-WebSocket-Protocol: {name}\r\n"),
            None => String::new(),
        };
        let request = format!(
            "GET {} HTTP/1.1\r\nHost: {}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n\
             Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{protocol}\r\n",
            options.protocol.target(agent),
            options.server
        );
        stream.write_all(request.as_bytes()).await?;
        let mut received = Vec::new();
        let end = loop {
            if let Some(end) = received.windows(4).position(|bytes| bytes == b"\r\n\r\n") {
                break end + 4;
            }
            if stream.read_buf(&mut received).await? == 0 {
                return Err("the server hung up during the upgrade".into());
            }
        };
        if !received.starts_with(b"HTTP/1.1 101") {
            return Err(format!("refused: {}", String::from_utf8_lossy(&received[..end])).into());
        }
        received.drain(..end);
        Ok(Self { stream, received, out: Vec::new(), written: 0, closed: false })
    }

    /// Connects, upgrades and registers.
    pub(crate) async fn register(options: &Options, agent: &str) -> Result<Self, Failure> {
        let mut socket = Self::open(options, agent).await?;
        if let Some(text) = options.protocol.register(agent) {
            socket.queue(text.as_bytes());
        }
        let answer = socket.receive().await?;
        if !options.protocol.is_welcome(&answer) {
            return Err(format!("{agent} was not registered: {}", String::from_utf8_lossy(&answer)).into());
        }
        // Thousands of idle agents shall cost the generator little.
        socket.received.shrink_to_fit();
        socket.out = Vec::new();
        Ok(socket)
    }

    pub(crate) fn queue(&mut self, payload: &[u8]) {
        encode(&mut self.out, payload);
    }

    /// Appends frames that [`encode`] has made.
    pub(crate) fn queue_encoded(&mut self, frames: &[u8]) {
        self.out.extend_from_slice(frames);
    }

    pub(crate) fn unwritten(&self) -> usize {
        self.out.len() - self.written
    }

    /// Writes what the kernel takes.
    pub(crate) fn try_flush(&mut self) -> io::Result<()> {
        while self.written < self.out.len() {
            match self.stream.try_write(&self.out[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        self.out.clear();
        self.written = 0;
        Ok(())
    }

    /// Reads what is there and calls `on_text` for each text frame. Returns whether the connection still stands.
    pub(crate) fn try_receive(&mut self, mut on_text: impl FnMut(&[u8])) -> io::Result<bool> {
        thread_local! {
            // Shared by all connections of the thread, which are read one after the other.
            static BUFFER: std::cell::RefCell<Box<[u8]>> = std::cell::RefCell::new(vec![0; READ].into());
        }
        BUFFER.with_borrow_mut(|buffer| {
            let count = match self.stream.try_read(buffer) {
                Ok(0) => {
                    self.closed = true;
                    return Ok(false);
                }
                Ok(count) => count,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return Ok(true),
                Err(error) => return Err(error),
            };
            let arrived = &buffer[..count];
            if self.received.is_empty() {
                let used = self.parse(arrived, &mut on_text);
                self.received.extend_from_slice(&arrived[used..]);
            } else {
                let mut received = std::mem::take(&mut self.received);
                received.extend_from_slice(arrived);
                let used = self.parse(&received, &mut on_text);
                received.drain(..used);
                self.received = received;
            }
            Ok(!self.closed)
        })
    }

    /// Handles all whole frames and returns how many bytes they took.
    fn parse(&mut self, bytes: &[u8], on_text: &mut impl FnMut(&[u8])) -> usize {
        let mut at = 0;
        while let Some((header, length)) = head(&bytes[at..]) {
            let Some(payload) = bytes.get(at + header..at + header + length) else { break };
            match bytes[at] & 0x0f {
                TEXT => on_text(payload),
                PING => frame(&mut self.out, PONG, payload),
                CLOSE => self.closed = true,
                _ => {}
            }
            at += header + length;
        }
        at
    }

    /// The next text frame; the frames behind it in the same segment are lost.
    pub(crate) async fn receive(&mut self) -> Result<Vec<u8>, Failure> {
        let mut text = None;
        loop {
            let received = std::mem::take(&mut self.received);
            let used = self.parse(&received, &mut |payload: &[u8]| text = Some(payload.to_vec()));
            self.received = received[used..].to_vec();
            if let Some(text) = text {
                return Ok(text);
            }
            self.try_flush()?;
            self.stream.readable().await?;
            if !self.try_receive(|payload| text = Some(payload.to_vec()))? && text.is_none() {
                return Err("the server closed the connection".into());
            }
            if let Some(text) = text {
                return Ok(text);
            }
        }
    }
}

/// Lengths of header and payload of the frame that `bytes` begin with.
fn head(bytes: &[u8]) -> Option<(usize, usize)> {
    match *bytes.get(1)? & 0x7f {
        126 => Some((4, u16::from_be_bytes([*bytes.get(2)?, *bytes.get(3)?]).into())),
        127 => {
            let long = u64::from_be_bytes(bytes.get(2..10)?.try_into().ok()?);
            Some((10, usize::try_from(long).ok()?))
        }
        short => Some((2, short.into())),
    }
}
