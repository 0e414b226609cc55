//! Connections that a Node server has accepted, on their way to a signaling server in the same process. They go through
//! memory: no port, no second socket.

use std::sync::Arc;

use napi::bindgen_prelude::{Buffer, FnArgs, Function};
use napi::threadsafe_function::{ThreadsafeFunction, ThreadsafeFunctionCallMode};
use napi::{Result, Status};
use napi_derive::napi;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, ReadHalf, WriteHalf};
use tokio::runtime::Handle;
use tokio::sync::{Notify, mpsc, oneshot};
use tokio::task::AbortHandle;

/// Bytes on their way in each direction. Small: there may be thousands of connections, and a frame may come in pieces.
pub(super) const IN_FLIGHT: usize = 8 * 1024;

/// `data` with bytes, `written`, or `end`.
type TunnelArgs = FnArgs<(String, Option<Buffer>)>;

/// Does not keep the process alive: the socket of the connection does.
type Callback = ThreadsafeFunction<TunnelArgs, (), TunnelArgs, Status, false, true>;

/// One such connection, as a Node `Duplex` needs it.
#[napi]
pub struct SignalingConnection {
    /// What JavaScript writes; none is the end. One at a time: `written` comes before the next.
    outgoing: mpsc::UnboundedSender<Option<Buffer>>,
    wanted: Arc<Notify>,
    tasks: [AbortHandle; 2],
}

impl SignalingConnection {
    pub(super) fn start(
        runtime: &Handle,
        stream: DuplexStream,
        on_event: &Function<'_, TunnelArgs, ()>,
    ) -> Result<Self> {
        let callback = Arc::new(on_event.build_threadsafe_function().weak::<true>().build()?);
        let (reader, writer) = tokio::io::split(stream);
        let (outgoing, queue) = mpsc::unbounded_channel();
        let wanted = Arc::new(Notify::new());
        let reading = runtime.spawn(read(reader, wanted.clone(), callback.clone()));
        let writing = runtime.spawn(write(writer, queue, callback));
        Ok(Self { outgoing, wanted, tasks: [reading.abort_handle(), writing.abort_handle()] })
    }
}

#[napi]
impl SignalingConnection {
    /// Asks for one `data` event, or `end`.
    #[napi]
    pub fn read(&self) {
        self.wanted.notify_one();
    }

    /// Passes bytes on; `written` tells when there is room for more.
    #[napi]
    pub fn write(&self, data: Buffer) {
        // An error means that the connection has ended: then `end` has been said or will be.
        let _ = self.outgoing.send(Some(data));
    }

    /// There are no more bytes; `written` follows.
    #[napi]
    pub fn end(&self) {
        let _ = self.outgoing.send(None);
    }

    /// Ends the connection in both directions at once.
    #[napi]
    pub fn destroy(&self) {
        for task in &self.tasks {
            task.abort();
        }
    }
}

impl Drop for SignalingConnection {
    fn drop(&mut self) {
        self.destroy();
    }
}

/// Calls JavaScript and waits until it has returned. False if its thread has ended.
async fn tell(callback: &Callback, kind: &str, data: Option<Buffer>) -> bool {
    let (returned, done) = oneshot::channel();
    let status = callback.call_with_return_value(
        (kind.to_owned(), data).into(),
        ThreadsafeFunctionCallMode::NonBlocking,
        move |_, _| {
            let _ = returned.send(());
            Ok(())
        },
    );
    status == Status::Ok && done.await.is_ok()
}

async fn read(mut reader: ReadHalf<DuplexStream>, wanted: Arc<Notify>, callback: Arc<Callback>) {
    loop {
        wanted.notified().await;
        let mut bytes = Vec::with_capacity(IN_FLIGHT);
        let alive = match reader.read_buf(&mut bytes).await {
            Ok(1..) => tell(&callback, "data", Some(bytes.into())).await,
            // The server has closed it.
            _ => {
                tell(&callback, "end", None).await;
                false
            }
        };
        if !alive {
            return;
        }
    }
}

async fn write(
    mut writer: WriteHalf<DuplexStream>,
    mut queue: mpsc::UnboundedReceiver<Option<Buffer>>,
    callback: Arc<Callback>,
) {
    while let Some(data) = queue.recv().await {
        // A server that has gone says so by `end`; what is written to it is lost as on any connection.
        match data {
            Some(data) => drop(writer.write_all(&data).await),
            None => drop(writer.shutdown().await),
        }
        if !tell(&callback, "written", None).await {
            return;
        }
    }
}
