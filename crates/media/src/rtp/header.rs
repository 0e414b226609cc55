//! The header of a packet whose payload can't be read yet.

/// Bytes of the fixed header, the contributing sources and the extension block: what SRTP leaves in the clear (RFC 3711 3.1).
///
/// `None` if `packet` is no RTP packet of version 2 or ends before its header does. Padding is not looked at: it is encrypted.
pub fn header_len(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    if first >> 6 != 2 {
        return None;
    }
    let mut len = 12 + 4 * usize::from(first & 0x0f);
    if first & 0x10 != 0 {
        let words = packet.get(len + 2..len + 4)?;
        len += 4 + 4 * usize::from(u16::from_be_bytes([words[0], words[1]]));
    }
    (packet.len() >= len).then_some(len)
}
