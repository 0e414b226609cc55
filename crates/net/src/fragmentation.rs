//! Sending one datagram with IP fragmentation allowed.
//!
//! Sockets forbid it (`quinn-udp` sets them up so), because path MTU discovery needs datagrams to be lost when they are too big. The
//! exception is data that was cut for a larger MTU than the path has by now: it can't be cut again.

use crate::readiness::Watched;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::os::fd::AsRawFd;

    use libc::{IPPROTO_IP, IPPROTO_IPV6};

    use super::unix::set;

    /// Allows or forbids fragmentation on a socket.
    pub(super) fn allow(socket: &impl AsRawFd, is_ipv4: bool, allow: bool) {
        let fd = socket.as_raw_fd();
        // PROBE is what quinn-udp sets: never fragment, and don't believe the kernel's idea of the path's MTU either.
        if is_ipv4 {
            let mode = if allow { libc::IP_PMTUDISC_DONT } else { libc::IP_PMTUDISC_PROBE };
            set(fd, IPPROTO_IP, libc::IP_MTU_DISCOVER, mode);
        } else {
            let mode = if allow { libc::IPV6_PMTUDISC_DONT } else { libc::IPV6_PMTUDISC_PROBE };
            set(fd, IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, mode);
            set(fd, IPPROTO_IPV6, libc::IPV6_DONTFRAG, (!allow).into());
        }
    }
}

#[cfg(all(unix, not(any(target_os = "linux", target_os = "android"))))]
mod imp {
    use std::os::fd::AsRawFd;

    use libc::{IPPROTO_IP, IPPROTO_IPV6};

    use super::unix::set;

    /// Allows or forbids fragmentation on a socket. macOS knows the option for IPv4 since version 11; before, and on BSD systems
    /// without it, IPv4 datagrams are always fragmented.
    pub(super) fn allow(socket: &impl AsRawFd, is_ipv4: bool, allow: bool) {
        let fd = socket.as_raw_fd();
        if is_ipv4 {
            #[cfg(any(target_vendor = "apple", target_os = "freebsd"))]
            set(fd, IPPROTO_IP, libc::IP_DONTFRAG, (!allow).into());
            #[cfg(not(any(target_vendor = "apple", target_os = "freebsd")))]
            let _ = (fd, IPPROTO_IP);
        } else {
            set(fd, IPPROTO_IPV6, libc::IPV6_DONTFRAG, (!allow).into());
        }
    }
}

#[cfg(unix)]
mod unix {
    use std::os::fd::RawFd;

    pub(super) fn set(fd: RawFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) {
        let size = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the pointer and the size are those of `value`, which lives until the call returns; a bad descriptor is an error.
        // A kernel without the option leaves the socket as it was.
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) };
    }
}

#[cfg(windows)]
mod imp {
    use std::os::windows::io::AsRawSocket;

    use windows_sys::Win32::Networking::WinSock::{
        IP_DONTFRAGMENT, IPPROTO_IP, IPPROTO_IPV6, IPV6_DONTFRAG, SOCKET, setsockopt,
    };

    /// Allows or forbids fragmentation on a socket.
    pub(super) fn allow(socket: &impl AsRawSocket, is_ipv4: bool, allow: bool) {
        let (level, name) =
            if is_ipv4 { (IPPROTO_IP, IP_DONTFRAGMENT) } else { (IPPROTO_IPV6, IPV6_DONTFRAG) };
        let value = u32::from(!allow);
        // SAFETY: the pointer and the size are those of `value`, which lives until the call returns; a bad socket is an error.
        unsafe {
            setsockopt(
                socket.as_raw_socket() as SOCKET,
                level,
                name,
                (&raw const value).cast(),
                size_of_val(&value) as i32,
            );
        }
    }
}

/// Runs `send` while the socket may fragment.
pub(crate) fn while_allowed<R>(socket: &Watched, is_ipv4: bool, send: impl FnOnce() -> R) -> R {
    imp::allow(socket, is_ipv4, true);
    let result = send();
    imp::allow(socket, is_ipv4, false);
    result
}
