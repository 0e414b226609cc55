//! A client that is connected by a WebSocket: its frames and its goodbye.

use std::cell::RefCell;
use std::future::poll_fn;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, AsyncWrite, AsyncWriteExt, ReadBuf, split};
use tokio::sync::watch;
use tokio::task::yield_now;
use tokio::time::timeout;

use super::client::{Client, watchdog};
use super::io::Io;
use super::outbox::Outbox;
use super::registry::{Close, TooSlow};
use super::stats::count;
use super::visit::Upgraded;
use super::{Phase, Shared, told_to_leave};
use crate::frames::{self, Decoder, Event, Violation};
use crate::uri::AgentUri;

const TOO_BIG: Close = Close { code: 1009, reason: "message too large" };
const NOT_UTF8: Close = Close { code: 1007, reason: "a text that is not UTF-8" };

/// Read at once: what a busy client has sent meanwhile, in one system call.
const READ: usize = 64 * 1024;

/// Reads of one client in a row while others wait.
const TURNS: usize = 4;

/// How a connection ends.
enum End {
    /// The client is gone.
    Lost,
    /// The client has said goodbye, with this code.
    Left(Option<u16>),
    /// It must go.
    Told(Close),
}

/// Serves one client until it or the server ends the connection. `early` is what it sent right behind its request.
pub(super) async fn run(
    shared: &Arc<Shared>,
    io: Io,
    early: &[u8],
    upgraded: Upgraded,
    id: u64,
    mut shutdown: watch::Receiver<Phase>,
) {
    let config = &shared.config;
    let (mut client, outbox) = Client::new(shared.clone(), id, upgraded.arrival);
    let handle = client.handle().clone();
    let (input, output) = split(io);
    let mut reader = Reader::new(input, early, config.max_message_size);
    let mut writer = Writer { output, outbox, bytes: Vec::new(), at: 0 };
    let end = tokio::select! {
        end = serve(shared, &mut client, &mut reader, upgraded.agent) => end,
        () = writer.run() => End::Lost,
        close = handle.killed() => End::Told(close),
        close = watchdog(config, &handle) => End::Told(close),
        close = told_to_leave(&mut shutdown, id) => End::Told(close),
    };
    client.leave(if let End::Told(close) = end { Some(close) } else { None });
    let goodbye = async {
        match end {
            End::Lost => {}
            End::Left(code) => writer.close(code.unwrap_or(1000), "").await?,
            End::Told(Close { code, reason }) => {
                writer.close(code, reason).await?;
                reader.drain().await;
            }
        }
        writer.output.shutdown().await
    };
    let _ = timeout(config.close_timeout, goodbye).await;
}

/// Serves what the client sends until the connection ends.
async fn serve<R: AsyncRead + Unpin>(
    shared: &Shared,
    client: &mut Client,
    reader: &mut Reader<R>,
    agent: Option<AgentUri>,
) -> End {
    if let Some(agent) = agent
        && client.greet(agent).await.is_err()
    {
        return End::Told(client.handle().killed().await);
    }
    let mut turns = 0;
    loop {
        let mut step = Step::More;
        let fed = poll_fn(|cx| reader.poll(cx, |event| step.take(client, event))).await;
        match fed {
            Ok(true) => client.handle().was_heard(),
            Ok(false) => return End::Lost,
            Err(violation) => {
                reader.deaf = true;
                count(&shared.counters.refused);
                return End::Told(close_for(violation));
            }
        }
        let served = match step {
            Step::More => Ok(()),
            Step::Wait(text) => client.frame(text.into()).await,
            Step::Left(code) => return End::Left(code),
            Step::TooSlow => Err(TooSlow),
        };
        if served.is_err() {
            return End::Told(client.handle().killed().await);
        }
        turns += 1;
        if turns % TURNS == 0 {
            yield_now().await;
        }
    }
}

fn close_for(violation: Violation) -> Close {
    match violation {
        Violation::TooLong => TOO_BIG,
        Violation::Utf8 => NOT_UTF8,
        Violation::Protocol(reason) => Close { code: 1002, reason },
    }
}

/// What is to be done after some events.
enum Step {
    More,
    /// A frame that may have to wait for something else.
    Wait(String),
    Left(Option<u16>),
    TooSlow,
}

impl Step {
    fn take(&mut self, client: &mut Client, event: Event<'_>) -> ControlFlow<()> {
        let served = match event {
            Event::Text(text) => match client.relay_now(text) {
                Some(served) => served,
                None => {
                    *self = Self::Wait(text.to_owned());
                    return ControlFlow::Break(());
                }
            },
            Event::Binary => client.counted(Client::refuse_binary),
            Event::Ping(payload) => client.counted(|client| client.handle().push_pong(payload)),
            Event::Pong => client.counted(|_| Ok(())),
            Event::Close(code) => {
                *self = Self::Left(code);
                return ControlFlow::Break(());
            }
        };
        match served {
            Ok(()) => ControlFlow::Continue(()),
            Err(TooSlow) => {
                *self = Self::TooSlow;
                ControlFlow::Break(())
            }
        }
    }
}

/// The receiving side of the connection.
struct Reader<R> {
    input: R,
    decoder: Decoder,
    /// What came before the first read.
    early: Vec<u8>,
    /// The decoder may have more without another read.
    broken_off: bool,
    /// What comes makes no sense any more.
    deaf: bool,
}

impl<R: AsyncRead + Unpin> Reader<R> {
    fn new(input: R, early: &[u8], max_message: usize) -> Self {
        let broken_off = !early.is_empty();
        Self { input, decoder: Decoder::new(max_message), early: early.to_vec(), broken_off, deaf: false }
    }

    /// Hands to `on` what has come, as soon as something has. False: nothing will come any more.
    fn poll(
        &mut self,
        cx: &mut Context<'_>,
        on: impl FnMut(Event<'_>) -> ControlFlow<()>,
    ) -> Poll<Result<bool, Violation>> {
        thread_local! {
            // One for all clients of the thread, which are read one after the other: none of them holds a buffer while it waits.
            static BUFFER: RefCell<Box<[u8]>> = RefCell::new(vec![0; READ].into());
        }
        if self.broken_off {
            let mut early = std::mem::take(&mut self.early);
            self.broken_off = self.decoder.feed(&mut early, on)?.is_break();
            return Poll::Ready(Ok(true));
        }
        BUFFER.with_borrow_mut(|buffer| {
            let mut buffer = ReadBuf::new(buffer);
            let read = ready!(Pin::new(&mut self.input).poll_read(cx, &mut buffer));
            if read.is_err() || buffer.filled().is_empty() {
                return Poll::Ready(Ok(false));
            }
            if !self.deaf {
                self.broken_off = self.decoder.feed(buffer.filled_mut(), on)?.is_break();
            }
            Poll::Ready(Ok(true))
        })
    }

    /// Reads until the client has said goodbye, too. One that has broken the protocol is not listened to, but what it goes on
    /// to send is taken: otherwise the kernel would cut the connection, and the goodbye off with it.
    async fn drain(&mut self) {
        let mut left = false;
        while !left {
            let read = poll_fn(|cx| {
                self.poll(cx, |event| {
                    left |= matches!(event, Event::Close(_));
                    ControlFlow::Continue(())
                })
            });
            match read.await {
                Ok(true) => {}
                Ok(false) => return,
                Err(_) => self.deaf = true,
            }
        }
    }
}

/// The sending side of the connection. What has been taken out of the outbox is never lost half-way.
struct Writer<W> {
    output: W,
    outbox: Arc<Outbox>,
    bytes: Vec<u8>,
    /// How much of `bytes` is written.
    at: usize,
}

impl<W: AsyncWrite + Unpin> Writer<W> {
    /// Writes what there is to write until the connection breaks.
    async fn run(&mut self) {
        while self.flush().await.is_ok() {
            poll_fn(|cx| self.outbox.poll_take(cx, &mut self.bytes)).await;
        }
    }

    async fn flush(&mut self) -> std::io::Result<()> {
        while self.at < self.bytes.len() {
            let count = self.output.write(&self.bytes[self.at..]).await?;
            if count == 0 {
                return Err(std::io::ErrorKind::WriteZero.into());
            }
            self.at += count;
            self.outbox.written(count);
        }
        self.bytes.clear();
        self.at = 0;
        self.output.flush().await
    }

    /// Says goodbye. What was queued before, an error that explains the end above all, goes first.
    async fn close(&mut self, code: u16, reason: &str) -> std::io::Result<()> {
        self.flush().await?;
        self.outbox.take(&mut self.bytes);
        self.flush().await?;
        frames::close(&mut self.bytes, code, reason);
        self.output.write_all(&self.bytes).await?;
        self.output.flush().await
    }
}
