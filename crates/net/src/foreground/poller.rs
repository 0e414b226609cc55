//! What tells the loop which of its sockets have input: an epoll instance of their own, so that any thread can take one out.

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::io;
    use std::os::fd::{AsRawFd, RawFd};
    use std::time::Duration;

    use mio::unix::SourceFd;
    use mio::{Events, Interest, Poll, Registry, Token};
    use parking_lot::Mutex;

    use crate::socket::UdpSocket;

    /// Sockets told of at once. The others are told of in the next turn of the loop.
    const EVENTS: usize = 64;

    #[derive(Debug)]
    pub(crate) struct Poller {
        poll: Mutex<(Poll, Events)>,
        registry: Registry,
        fd: RawFd,
    }

    impl Poller {
        pub(crate) fn new() -> io::Result<Self> {
            let poll = Poll::new()?;
            let (registry, fd) = (poll.registry().try_clone()?, poll.as_raw_fd());
            Ok(Self { poll: Mutex::new((poll, Events::with_capacity(EVENTS))), registry, fd })
        }

        /// Tells of input once, also of what is there already, and then of what is new.
        pub(crate) fn watch(&self, socket: &UdpSocket, token: usize) -> io::Result<()> {
            self.registry.register(&mut SourceFd(&socket.as_raw_fd()), Token(token), Interest::READABLE)
        }

        pub(crate) fn forget(&self, socket: &UdpSocket) {
            // Fails only if it isn't watched.
            let _ = self.registry.deregister(&mut SourceFd(&socket.as_raw_fd()));
        }

        /// The tokens of sockets with input.
        pub(crate) fn ready(&self) -> Vec<usize> {
            let (poll, events) = &mut *self.poll.lock();
            match poll.poll(events, Some(Duration::ZERO)) {
                Ok(()) => events.iter().map(|event| event.token().0).collect(),
                // Interrupted: the loop finds the descriptor ready once more.
                Err(_) => Vec::new(),
            }
        }

        pub(crate) fn as_raw_fd(&self) -> RawFd {
            self.fd
        }
    }
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::convert::Infallible;
    use std::io;

    use crate::socket::UdpSocket;

    /// There is none: shards serve all sockets.
    #[derive(Debug)]
    pub(crate) struct Poller(Infallible);

    impl Poller {
        pub(crate) fn new() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        pub(crate) fn watch(&self, _: &UdpSocket, _: usize) -> io::Result<()> {
            match self.0 {}
        }

        pub(crate) fn forget(&self, _: &UdpSocket) {
            match self.0 {}
        }

        pub(crate) fn ready(&self) -> Vec<usize> {
            match self.0 {}
        }

        #[cfg(unix)]
        pub(crate) fn as_raw_fd(&self) -> std::os::fd::RawFd {
            match self.0 {}
        }
    }
}

pub(crate) use imp::Poller;
