//! Sending one datagram with IP fragmentation allowed.
//!
//! Sockets forbid it (`quinn-udp` sets them up so), because path MTU discovery needs datagrams to be lost when they are too big. The
//! exception is data that was cut for a larger MTU than the path has by now: it can't be cut again.

use crate::readiness::Watched;

#[cfg(any(target_os = "linux", target_os = "android"))]
mod imp {
    use std::os::fd::{AsRawFd, RawFd};

    /// Allows or forbids fragmentation on a socket.
    pub(super) fn allow(socket: &impl AsRawFd, is_ipv4: bool, allow: bool) {
        let fd = socket.as_raw_fd();
        // PROBE is what quinn-udp sets: never fragment, and don't believe the kernel's idea of the path's MTU either.
        if is_ipv4 {
            let mode = if allow { libc::IP_PMTUDISC_DONT } else { libc::IP_PMTUDISC_PROBE };
            set(fd, libc::IPPROTO_IP, libc::IP_MTU_DISCOVER, mode);
        } else {
            let mode = if allow { libc::IPV6_PMTUDISC_DONT } else { libc::IPV6_PMTUDISC_PROBE };
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_MTU_DISCOVER, mode);
            set(fd, libc::IPPROTO_IPV6, libc::IPV6_DONTFRAG, (!allow).into());
        }
    }

    fn set(fd: RawFd, level: libc::c_int, name: libc::c_int, value: libc::c_int) {
        let size = size_of_val(&value) as libc::socklen_t;
        // SAFETY: the pointer and the size are those of `value`, which lives until the call returns; a bad descriptor is an error.
        // A kernel without the option leaves the socket as it was.
        unsafe { libc::setsockopt(fd, level, name, (&raw const value).cast(), size) };
    }
}

/// Runs `send` while the socket may fragment. Elsewhere than on Linux the datagram is lost if it is too big, and the connection
/// depends on the path's MTU growing again.
pub(crate) fn while_allowed<R>(socket: &Watched, is_ipv4: bool, send: impl FnOnce() -> R) -> R {
    #[cfg(any(target_os = "linux", target_os = "android"))]
    imp::allow(socket, is_ipv4, true);
    #[cfg(not(any(target_os = "linux", target_os = "android")))]
    let _ = (socket, is_ipv4);
    let result = send();
    #[cfg(any(target_os = "linux", target_os = "android"))]
    imp::allow(socket, is_ipv4, false);
    result
}
