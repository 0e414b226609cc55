//! What one system call brings.

use std::net::SocketAddr;

/// Datagrams from one address: of `stride` bytes each, the last may be shorter.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Received<'a> {
    pub(crate) remote: SocketAddr,
    pub(crate) data: &'a [u8],
    pub(crate) stride: usize,
}

impl<'a> Received<'a> {
    pub(crate) fn datagrams(self) -> impl Iterator<Item = &'a [u8]> {
        self.data.chunks(self.stride.max(1))
    }

    /// One of the datagrams for itself.
    pub(crate) fn only(self, datagram: &'a [u8]) -> Self {
        Self { data: datagram, stride: datagram.len(), ..self }
    }
}
