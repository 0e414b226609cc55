//! HEARTBEAT information: what we put into a HEARTBEAT and get back in its ACK (RFC 9260 section 3.3.5).

use super::param::{self, Params};

/// Our own content. The nonce keeps a peer from acknowledging what it never received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct HeartbeatInfo {
    pub(crate) nonce: u64,
    /// Size of the whole packet when it is a path MTU probe, otherwise 0.
    pub(crate) probe_size: u32,
}

/// Bytes of a HEARTBEAT chunk with our information.
pub(crate) const HEARTBEAT_LEN: usize = 4 + 4 + 12;

impl HeartbeatInfo {
    /// Writes the chunk's value, with `padding` bytes more than the information needs.
    pub(crate) fn write(&self, out: &mut Vec<u8>, padding: usize) {
        let mut value = vec![0; 12 + padding];
        value[..8].copy_from_slice(&self.nonce.to_be_bytes());
        value[8..12].copy_from_slice(&self.probe_size.to_be_bytes());
        param::write(out, param::kind::HEARTBEAT_INFO, &value);
    }

    /// Reads back our information from the value of a HEARTBEAT ACK.
    pub(crate) fn parse(value: &[u8]) -> Option<Self> {
        let info = Params(value).next().filter(|param| param.kind == param::kind::HEARTBEAT_INFO)?;
        let (nonce, size) = info.value.split_first_chunk::<8>()?;
        let size: &[u8; 4] = size.first_chunk()?;
        Some(Self { nonce: u64::from_be_bytes(*nonce), probe_size: u32::from_be_bytes(*size) })
    }
}
