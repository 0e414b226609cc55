//! Waiting for a socket, on the shard's poller.
//!
//! Sockets are watched for input only. Whoever watches for room as well is woken after *every* datagram that is sent, because the
//! kernel reports each buffer that it frees: on the shard's thread that would be a useless wake-up per datagram that another
//! thread sends.

use std::io;
use std::net::{SocketAddr, UdpSocket};
use std::task::{Context, Poll, ready};

use quinn_udp::UdpSockRef;

#[cfg(unix)]
mod imp {
    use std::os::fd::{AsRawFd, RawFd};
    use std::sync::Arc;

    use parking_lot::Mutex;
    use tokio::io::Interest;
    use tokio::io::unix::AsyncFd;

    use super::*;

    /// A non-blocking socket on the poller of its runtime, watched for input.
    #[derive(Debug)]
    pub struct Watched {
        socket: Arc<UdpSocket>,
        input: Mutex<Input>,
        /// Made from a second descriptor when the socket is found full, and dropped when it is no longer.
        room: Mutex<Option<AsyncFd<Arc<UdpSocket>>>>,
    }

    /// Who waits for input.
    #[derive(Debug)]
    enum Input {
        Shard(AsyncFd<Arc<UdpSocket>>),
        Lent,
        /// The shard again, as soon as it looks.
        Returned,
    }

    impl Watched {
        /// Takes a non-blocking socket. Must be called within a tokio runtime.
        ///
        /// # Errors
        /// Those of the poller.
        pub fn new(socket: UdpSocket) -> io::Result<Self> {
            let socket = Arc::new(socket);
            let input = Input::Shard(watch(socket.clone(), Interest::READABLE)?);
            Ok(Self { socket, input: Mutex::new(input), room: Mutex::default() })
        }

        /// The socket itself.
        pub fn socket(&self) -> UdpSockRef<'_> {
            (&*self.socket).into()
        }

        /// The address that it is bound to.
        ///
        /// # Errors
        /// Those of the system.
        pub fn local_addr(&self) -> io::Result<SocketAddr> {
            self.socket.local_addr()
        }

        /// Sends one datagram without waiting.
        ///
        /// # Errors
        /// Those of the system, `WouldBlock` if there is no room.
        pub fn send_to(&self, datagram: &[u8], remote: SocketAddr) -> io::Result<()> {
            loop {
                match self.socket.send_to(datagram, remote) {
                    Err(e) if e.kind() == io::ErrorKind::Interrupted => {}
                    sent => return sent.map(drop),
                }
            }
        }

        /// From now on somebody else waits for input. False if the shard is reading just now, or it is somebody else already.
        pub(crate) fn lend(&self) -> bool {
            match self.input.try_lock() {
                Some(mut input) if matches!(*input, Input::Shard(_)) => {
                    *input = Input::Lent;
                    true
                }
                _ => false,
            }
        }

        /// The shard waits again, once its task has run: input that is there by then counts as new.
        pub(crate) fn take_back(&self) {
            *self.input.lock() = Input::Returned;
        }

        /// Repeats `f` until it has input. `f` receives up to `most` buffers.
        pub fn poll_input(
            &self,
            cx: &mut Context<'_>,
            most: usize,
            mut f: impl FnMut() -> io::Result<usize>,
        ) -> Poll<io::Result<usize>> {
            let mut input = self.input.lock();
            loop {
                let watched = match &mut *input {
                    Input::Shard(watched) => watched,
                    Input::Lent => return Poll::Pending,
                    Input::Returned => {
                        *input = Input::Shard(watch(self.socket.clone(), Interest::READABLE)?);
                        continue;
                    }
                };
                let mut ready = ready!(watched.poll_read_ready(cx))?;
                match f() {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => ready.clear_ready(),
                    result => {
                        // With `recvmmsg`, fewer buffers than asked for mean that the queue was empty a moment ago; what came since
                        // is reported anew (edge-triggered). No need to ask again.
                        let batched = cfg!(any(target_os = "linux", target_os = "android"));
                        if batched && result.as_ref().is_ok_and(|&count| count < most) {
                            ready.clear_ready();
                        }
                        return Poll::Ready(result);
                    }
                }
            }
        }

        /// Repeats `f` until it has room.
        pub(crate) fn poll_room<R>(
            &self,
            cx: &mut Context<'_>,
            mut f: impl FnMut() -> io::Result<R>,
        ) -> Poll<io::Result<R>> {
            let mut room = self.room.lock();
            loop {
                match f() {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    result => {
                        *room = None;
                        return Poll::Ready(result);
                    }
                }
                let watched = match &*room {
                    Some(watched) => watched,
                    None => room.insert(watch(Arc::new(self.socket.try_clone()?), Interest::WRITABLE)?),
                };
                // Cleared before the next attempt: room that comes in between is reported again.
                ready!(watched.poll_write_ready(cx))?.clear_ready();
            }
        }
    }

    impl Watched {
        /// Ready once there is room, for whoever has found that there is none.
        pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            let mut room = self.room.lock();
            let watched = match &*room {
                Some(watched) => watched,
                None => room.insert(watch(Arc::new(self.socket.try_clone()?), Interest::WRITABLE)?),
            };
            ready!(watched.poll_write_ready(cx))?.clear_ready();
            *room = None;
            Poll::Ready(Ok(()))
        }
    }

    impl AsRawFd for Watched {
        fn as_raw_fd(&self) -> RawFd {
            self.socket.as_raw_fd()
        }
    }

    fn watch(socket: Arc<UdpSocket>, interest: Interest) -> io::Result<AsyncFd<Arc<UdpSocket>>> {
        // SAFETY: a `UdpSocket` owns its descriptor, which stays the same and open until it is dropped. The reference that is moved
        // in here keeps it from that.
        let watched = unsafe { AsyncFd::register_with_interest(socket, interest) };
        Ok(watched?)
    }
}

#[cfg(windows)]
mod imp {
    use std::os::windows::io::{AsRawSocket, RawSocket};

    use tokio::io::Interest;

    use super::*;

    /// A non-blocking socket on the poller of its runtime, watched for input. Windows reports room only after a send that failed for
    /// lack of it.
    #[derive(Debug)]
    pub struct Watched(tokio::net::UdpSocket);

    impl Watched {
        /// Takes a non-blocking socket. Must be called within a tokio runtime.
        ///
        /// # Errors
        /// Those of the poller.
        pub fn new(socket: UdpSocket) -> io::Result<Self> {
            tokio::net::UdpSocket::from_std(socket).map(Self)
        }

        /// The socket itself.
        pub fn socket(&self) -> UdpSockRef<'_> {
            (&self.0).into()
        }

        /// The address that it is bound to.
        ///
        /// # Errors
        /// Those of the system.
        pub fn local_addr(&self) -> io::Result<SocketAddr> {
            self.0.local_addr()
        }

        /// Sends one datagram without waiting.
        ///
        /// # Errors
        /// Those of the system, `WouldBlock` if there is no room.
        pub fn send_to(&self, datagram: &[u8], remote: SocketAddr) -> io::Result<()> {
            self.0.try_send_to(datagram, remote).map(drop)
        }

        /// Nobody but the shard waits for input here.
        pub(crate) fn lend(&self) -> bool {
            false
        }

        /// As it never went away.
        pub(crate) fn take_back(&self) {}

        /// Repeats `f` until it has input.
        pub fn poll_input(
            &self,
            cx: &mut Context<'_>,
            _most: usize,
            mut f: impl FnMut() -> io::Result<usize>,
        ) -> Poll<io::Result<usize>> {
            loop {
                ready!(self.0.poll_recv_ready(cx))?;
                match self.0.try_io(Interest::READABLE, &mut f) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    result => return Poll::Ready(result),
                }
            }
        }

        /// Repeats `f` until it has room.
        pub(crate) fn poll_room<R>(
            &self,
            cx: &mut Context<'_>,
            mut f: impl FnMut() -> io::Result<R>,
        ) -> Poll<io::Result<R>> {
            loop {
                ready!(self.0.poll_send_ready(cx))?;
                match self.0.try_io(Interest::WRITABLE, &mut f) {
                    Err(e) if e.kind() == io::ErrorKind::WouldBlock => {}
                    result => return Poll::Ready(result),
                }
            }
        }
    }

    impl Watched {
        /// Ready once there is room, for whoever has found that there is none.
        pub(crate) fn poll_writable(&self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
            self.0.poll_send_ready(cx)
        }
    }

    impl AsRawSocket for Watched {
        fn as_raw_socket(&self) -> RawSocket {
            self.0.as_raw_socket()
        }
    }
}

pub use imp::Watched;

#[cfg(test)]
mod tests {
    use std::future::poll_fn;

    use super::*;

    #[tokio::test]
    async fn a_full_socket_is_tried_again_when_it_has_room() {
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_nonblocking(true).unwrap();
        let watched = Watched::new(socket).unwrap();
        // Twice in a row, as it happens to a socket that fills up again.
        for _ in 0..2 {
            let mut attempts = 0;
            let sent = poll_fn(|cx| {
                watched.poll_room(cx, || {
                    attempts += 1;
                    if attempts == 1 { Err(io::ErrorKind::WouldBlock.into()) } else { Ok(attempts) }
                })
            });
            assert_eq!(sent.await.unwrap(), 2);
        }
    }
}
