//! What a UDP socket is told right after it was made, where systems differ.

use std::io;

use socket2::Socket;

/// Asked for; the system grants what its limits allow (Linux: `net.core.rmem_max`). 4 MiB hold 40 ms at 100 MB/s, so a shard
/// that is busy with other peers for that long loses nothing.
const LARGEST_BUFFER: usize = 4 << 20;

/// The smallest that is asked for: a datagram of any size still fits, with what the system adds to it. BSD systems (macOS) refuse
/// datagrams larger than the send buffer, which holds 9,216 bytes by default.
const SMALLEST_BUFFER: usize = 128 << 10;

/// Gives the socket as large buffers as the system allows. Linux and Windows grant less than they were asked for; BSD systems
/// refuse (`kern.ipc.maxsockbuf`), and are asked again for half as much.
pub fn enlarge_buffers(socket: &Socket) {
    granted(|size| socket.set_recv_buffer_size(size));
    granted(|size| socket.set_send_buffer_size(size));
}

/// Calls `ask` with smaller and smaller sizes until one is accepted. None: all were refused, and the socket keeps its default, with
/// which the stack works as well.
fn granted(mut ask: impl FnMut(usize) -> io::Result<()>) -> Option<usize> {
    let halves = std::iter::successors(Some(LARGEST_BUFFER), |size| Some(size / 2));
    halves.take_while(|&size| size >= SMALLEST_BUFFER).find(|&size| ask(size).is_ok())
}

/// Keeps Windows from reporting, as a failure to *receive*, that a datagram sent earlier was answered with ICMP "port unreachable"
/// (`WSAECONNRESET`) or "time exceeded" (`WSAENETRESET`). Such answers are normal while ICE tries addresses, and anybody can forge
/// them. Other systems do this on connected sockets only, which ours are not.
///
/// # Errors
/// Those of `WSAIoctl`.
pub fn ignore_unreachable(socket: &Socket) -> io::Result<()> {
    #[cfg(windows)]
    {
        use windows_sys::Win32::Networking::WinSock::{SIO_UDP_CONNRESET, SIO_UDP_NETRESET};
        for code in [SIO_UDP_CONNRESET, SIO_UDP_NETRESET] {
            windows::switch_off(socket, code)?;
        }
    }
    #[cfg(not(windows))]
    let _ = socket;
    Ok(())
}

/// Bytes that wait in the system before they are sent. More would only be delay: the association knows what the path takes by what it
/// is refused, and a check has to pass what lies before it. Linux's default is 4 MB, half a minute at 1 Mbit/s.
#[cfg(any(target_os = "linux", target_os = "android"))]
const UNSENT: libc::c_int = 128 << 10;

/// Keeps the queue of a TCP socket short where the system can; elsewhere its send buffer is the limit.
pub(crate) fn limit_unsent(stream: &tokio::net::TcpStream) {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    {
        use std::os::fd::AsRawFd;
        let value = UNSENT;
        let size = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the pointer and the size are those of `value`, which lives until the call returns; a bad descriptor is an error. A kernel without
        // the option leaves the socket as it was.
        unsafe {
            libc::setsockopt(
                stream.as_raw_fd(),
                libc::IPPROTO_TCP,
                libc::TCP_NOTSENT_LOWAT,
                (&raw const value).cast(),
                size,
            );
        }
    }
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    {
        // Refused: the socket keeps what the system gave it.
        let _ = socket2::SockRef::from(stream).set_send_buffer_size(256 << 10);
    }
}

#[cfg(windows)]
mod windows {
    use std::io;
    use std::os::windows::io::AsRawSocket;
    use std::ptr::null_mut;

    use windows_sys::Win32::Networking::WinSock::{SOCKET, WSAEINVAL, WSAEOPNOTSUPP, WSAIoctl};

    /// Gives the control `code` the value `FALSE`. A system that doesn't know the code has nothing to switch off.
    pub(super) fn switch_off(socket: &impl AsRawSocket, code: u32) -> io::Result<()> {
        let (off, mut returned) = (0_i32, 0_u32);
        // SAFETY: the input is `off`, with its size, and lives until the call returns; there is no output buffer; `returned` is
        // where the call writes a number; without an OVERLAPPED structure the call is done when it returns.
        let result = unsafe {
            WSAIoctl(
                socket.as_raw_socket() as SOCKET,
                code,
                (&raw const off).cast(),
                size_of_val(&off) as u32,
                null_mut(),
                0,
                &raw mut returned,
                null_mut(),
                None,
            )
        };
        if result == 0 {
            return Ok(());
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            Some(WSAEINVAL | WSAEOPNOTSUPP) => Ok(()),
            _ => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use socket2::{Domain, Type};

    use super::*;

    #[test]
    fn a_system_that_refuses_large_buffers_is_asked_for_smaller_ones() {
        let limit =
            |most: usize| move |size| if size <= most { Ok(()) } else { Err(io::ErrorKind::Other.into()) };
        assert_eq!(granted(limit(usize::MAX)), Some(4 << 20));
        assert_eq!(granted(limit(2_000_000)), Some(1 << 20));
        assert_eq!(granted(limit(128 << 10)), Some(128 << 10));
        assert_eq!(granted(limit(1_000)), None);
    }

    #[test]
    fn a_datagram_to_nobody_does_not_keep_the_socket_from_receiving() {
        let bind = || {
            let socket = Socket::new(Domain::IPV4, Type::DGRAM, None).unwrap();
            socket.bind(&std::net::SocketAddr::from(([127, 0, 0, 1], 0)).into()).unwrap();
            socket
        };
        let (socket, gone) = (bind(), bind());
        ignore_unreachable(&socket).unwrap();
        let nobody = gone.local_addr().unwrap();
        drop(gone);
        let socket = std::net::UdpSocket::from(socket);
        let own = socket.local_addr().unwrap();
        socket.send_to(b"lost", nobody.as_socket().unwrap()).unwrap();
        socket.send_to(b"kept", own).unwrap();
        let mut buffer = [0; 8];
        let (len, from) = socket.recv_from(&mut buffer).unwrap();
        assert_eq!((&buffer[..len], from), (&b"kept"[..], own));
    }
}
