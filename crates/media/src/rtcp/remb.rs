//! Receiver estimated maximum bitrate (draft-alvestrand-rmcat-remb-03 2.2).

/// Bit/s that a receiver can take, and for which streams; `None` if the message is none or ends too early.
pub(super) fn parse(fci: &[u8]) -> Option<(u64, impl Iterator<Item = u32> + '_)> {
    let rest = fci.strip_prefix(b"REMB")?;
    let (&[count, a, b, c], rest) = rest.split_first_chunk::<4>()?;
    let exponent = u32::from(a >> 2);
    let mantissa = u64::from(u32::from_be_bytes([0, a & 3, b, c]));
    // Six bits of exponent reach further than 64 bits: more than that is "no limit".
    let bps = if mantissa.leading_zeros() >= exponent { mantissa << exponent } else { u64::MAX };
    let ssrcs = rest.get(..4 * usize::from(count))?.chunks_exact(4);
    Some((bps, ssrcs.map(|ssrc| u32::from_be_bytes(ssrc.try_into().expect("chunks of four bytes")))))
}
