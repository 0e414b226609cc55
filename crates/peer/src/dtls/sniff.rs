//! The negotiated version and cipher suite, read off the ServerHello: the library does not tell the suite.

const HANDSHAKE_RECORD: u8 = 22;
const SERVER_HELLO: u8 = 2;
const RECORD_HEADER: usize = 13;
const HANDSHAKE_HEADER: usize = 12;

/// The cipher suite in a datagram that begins with a ServerHello, in either direction.
pub(super) fn cipher_suite(datagram: &[u8]) -> Option<u16> {
    if *datagram.first()? != HANDSHAKE_RECORD {
        return None;
    }
    let body = datagram.get(RECORD_HEADER..)?;
    // Only the beginning of the message tells.
    if *body.first()? != SERVER_HELLO || body.get(6..9)? != [0, 0, 0] {
        return None;
    }
    // server_version(2), random(32), session_id<0..32>, cipher_suite(2)
    let hello = body.get(HANDSHAKE_HEADER..)?;
    let session_id_len = usize::from(*hello.get(34)?);
    let suite = hello.get(35 + session_id_len..37 + session_id_len)?;
    Some(u16::from_be_bytes([suite[0], suite[1]]))
}

/// The IANA name of the suites that can be negotiated.
pub(super) fn suite_name(suite: u16) -> Option<&'static str> {
    Some(match suite {
        0x1301 => "TLS_AES_128_GCM_SHA256",
        0x1302 => "TLS_AES_256_GCM_SHA384",
        0x1303 => "TLS_CHACHA20_POLY1305_SHA256",
        0x1304 => "TLS_AES_128_CCM_SHA256",
        0x1305 => "TLS_AES_128_CCM_8_SHA256",
        0xC02B => "TLS_ECDHE_ECDSA_WITH_AES_128_GCM_SHA256",
        0xC02C => "TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384",
        0xCCA9 => "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256",
        _ => return None,
    })
}
