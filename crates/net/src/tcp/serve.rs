//! The task of a TCP connection: reads, and writes what did not fit at once.

use std::cell::RefCell;
use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use socket2::SockRef;
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};

use super::base::TcpBase;
use super::framing::Deframer;
use super::stream::Stream;
use crate::shared::Shared;
use crate::socket_options;

/// Read at once, and handed to the connection under one lock.
const READ_BYTES: usize = 256 * 1024;

/// Of a connection that has ended so many times as much is read: more than a system keeps for one.
const REST_READS: usize = 32;

/// A connection that takes nothing for so long is stalled: what comes then is lost, as over UDP.
const STALL_TIME: Duration = Duration::from_secs(1);

/// How long the end of a connection may take: the goodbye has to be written, and to be read.
const END_TIME: Duration = Duration::from_secs(1);

thread_local! {
    static BUFFER: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// What a connection of either direction is told.
pub(super) fn prepare(stream: &TcpStream) -> io::Result<()> {
    // What is written is a batch already; waiting for more only delays it.
    stream.set_nodelay(true)?;
    socket_options::limit_unsent(stream);
    Ok(())
}

/// Serves a connection that the peer has opened. `input` was read from it to learn whose it is, and begins with a whole message.
/// Must be called within the runtime of the peer's shard.
pub(crate) async fn accept(
    shared: Arc<Shared>,
    base: Arc<TcpBase>,
    remote: SocketAddr,
    stream: std::net::TcpStream,
    input: Vec<u8>,
) {
    let io = match TcpStream::from_std(stream).and_then(|io| prepare(&io).map(|()| io)) {
        Ok(io) => Arc::new(io),
        Err(error) => return tracing::debug!(%error, "a TCP connection can't be served"),
    };
    let stream = Arc::new(Stream::new(remote, Some(io.clone())));
    if !base.add(stream.clone()) {
        return;
    }
    let mut deframer = Deframer::default();
    // The answer to the check is written by this.
    let is_the_peers = hand_over(&shared, &base, &stream, &mut deframer, &input);
    if !is_the_peers {
        stream.close();
    }
    run(shared, base, stream, io, deframer).await;
}

/// Serves a connection until it ends or is closed.
pub(super) async fn run(
    shared: Arc<Shared>,
    base: Arc<TcpBase>,
    stream: Arc<Stream>,
    io: Arc<TcpStream>,
    mut deframer: Deframer,
) {
    let mut take = |bytes: &[u8]| {
        hand_over(&shared, &base, &stream, &mut deframer, bytes);
    };
    if let Err(error) = serve(&stream, &io, &mut take).await {
        tracing::debug!(%error, "a TCP connection has ended");
    }
    stream.close();
    base.ended(&stream);
    let (local, remote) = (base.local(), stream.remote);
    shared.run(|core, now| core.connection.tcp_closed(now, local, remote));
    drop(shared);
    // If it takes longer, the other side is gone.
    let _ = timeout(END_TIME, take_leave(&stream, io)).await;
}

/// Gives `take` what comes until the connection has ended, which is `Ok` if it was closed on either side.
async fn serve(stream: &Stream, io: &TcpStream, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let ended = exchange(stream, io, take).await;
    take_rest(io, take);
    ended
}

/// Reads what is left in a connection that has ended. Whoever says goodbye and closes its socket with something unread in it resets
/// the connection, and what we write next may find that out before the goodbye is read.
fn take_rest(io: &TcpStream, take: &mut impl FnMut(&[u8])) {
    // Not by `try_read`, which asks only for what the runtime has been told of.
    let socket = SockRef::from(io);
    with_buffer(|buffer| {
        for _ in 0..REST_READS {
            match (&*socket).read(buffer) {
                Ok(0) | Err(_) => return,
                Ok(bytes) => take(&buffer[..bytes]),
            }
        }
    });
}

async fn exchange(stream: &Stream, io: &TcpStream, take: &mut impl FnMut(&[u8])) -> io::Result<()> {
    let mut progress = Instant::now();
    let mut was_pending = false;
    while !stream.is_closed() {
        let (written, pending) = stream.flush()?;
        let now = Instant::now();
        if written > 0 || !was_pending {
            progress = now;
        }
        was_pending = pending;
        let stalled = pending && now.saturating_duration_since(progress) >= STALL_TIME;
        stream.set_stalled(stalled);
        tokio::select! {
            ready = io.readable() => {
                ready?;
                if !read(io, take)? {
                    return Ok(());
                }
                // Others of this shard have their turn after each buffer.
                tokio::task::yield_now().await;
            }
            ready = io.writable(), if pending => ready?,
            () = stream.changed.notified() => {}
            () = sleep_until((progress + STALL_TIME).into()), if pending && !stalled => {}
        }
    }
    Ok(())
}

/// Reads once. False at the end of the stream.
fn read(io: &TcpStream, take: &mut impl FnMut(&[u8])) -> io::Result<bool> {
    with_buffer(|buffer| match io.try_read(buffer) {
        Ok(0) => Ok(false),
        Ok(bytes) => {
            take(&buffer[..bytes]);
            Ok(true)
        }
        Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(true),
        Err(error) => Err(error),
    })
}

fn with_buffer<T>(work: impl FnOnce(&mut [u8]) -> T) -> T {
    BUFFER.with_borrow_mut(|buffer| {
        buffer.resize(READ_BYTES, 0);
        work(buffer)
    })
}

/// Gives messages to the connection. Whether the first of them, if any, was the peer's.
fn hand_over(
    shared: &Shared,
    base: &TcpBase,
    stream: &Stream,
    deframer: &mut Deframer,
    bytes: &[u8],
) -> bool {
    let (local, remote) = (base.local(), stream.remote);
    let mut first = None;
    shared.run(|core, now| {
        stream.heard(now);
        deframer.feed(bytes, &mut |message| {
            let known = core.connection.handle_framed(now, local, remote, message);
            first.get_or_insert(known);
        });
    });
    first.unwrap_or(false)
}

/// Writes what waits, says that there is no more, and reads to the end: a socket that is closed with input in it resets the
/// connection, and what is under way to the other side may be lost with it.
async fn take_leave(stream: &Stream, io: Arc<TcpStream>) -> io::Result<()> {
    while stream.flush()?.1 {
        io.writable().await?;
    }
    stream.release();
    let Some(mut io) = Arc::into_inner(io) else { return Ok(()) };
    io.shutdown().await?;
    let mut rest = [0; 1024];
    loop {
        io.readable().await?;
        match io.try_read(&mut rest) {
            Ok(0) => return Ok(()),
            Ok(_) => {}
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::net::TcpListener;

    use tokio::runtime::Builder;

    use super::*;

    /// A connection that the peer has reset after saying `words`, and that knows of neither yet.
    fn reset_after(words: &[u8]) -> (Arc<Stream>, Arc<TcpStream>) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let mut theirs = std::net::TcpStream::connect(listener.local_addr().unwrap()).unwrap();
        let (ours, remote) = listener.accept().unwrap();
        ours.set_nonblocking(true).unwrap();
        let io = Arc::new(TcpStream::from_std(ours).unwrap());
        theirs.write_all(words).unwrap();
        SockRef::from(&theirs).set_linger(Some(Duration::ZERO)).unwrap();
        (Arc::new(Stream::new(remote, Some(io.clone()))), io)
    }

    #[test]
    fn the_last_words_before_a_reset_are_heard_though_writing_finds_the_reset_first() {
        let runtime = Builder::new_current_thread().enable_all().build().unwrap();
        let mut heard = Vec::new();
        runtime.block_on(async {
            let (stream, io) = reset_after(b"goodbye");
            io.writable().await.unwrap();
            while !stream.is_closed() {
                stream.try_send(b"a check", 7);
            }
            serve(&stream, &io, &mut |bytes| heard.extend_from_slice(bytes)).await.unwrap();
        });
        assert_eq!(heard, b"goodbye");
    }
}
