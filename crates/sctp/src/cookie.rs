//! The state cookie (RFC 9260 section 5.1.3): what INIT and INIT ACK said, signed, so that an INIT alone makes
//! no state.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::chunk::init::{Endpoint, Features};
use crate::time::Time;

/// Bytes of content, followed by the signature.
const CONTENT: usize = 8 + 2 * ENDPOINT + 8;
const ENDPOINT: usize = 17;
const SIGNATURE: usize = 32;

/// What a cookie says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Cookie {
    pub(crate) created: Time,
    pub(crate) local: Endpoint,
    pub(crate) peer: Endpoint,
    /// Tags of the association that existed when the cookie was made; 0 if none did.
    pub(crate) tie_local: u32,
    pub(crate) tie_peer: u32,
}

/// Key that signs cookies.
pub(crate) struct CookieKey(pub(crate) [u8; 32]);

impl CookieKey {
    fn mac(&self, content: &[u8]) -> Option<Hmac<Sha256>> {
        // HMAC takes keys of any length, so this is always there.
        let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0).ok()?;
        mac.update(content);
        Some(mac)
    }

    /// Signs a cookie.
    pub(crate) fn sign(&self, cookie: &Cookie) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(CONTENT + SIGNATURE);
        bytes.extend_from_slice(&cookie.created.as_nanos().to_be_bytes());
        write_endpoint(&mut bytes, &cookie.local);
        write_endpoint(&mut bytes, &cookie.peer);
        bytes.extend_from_slice(&cookie.tie_local.to_be_bytes());
        bytes.extend_from_slice(&cookie.tie_peer.to_be_bytes());
        if let Some(mac) = self.mac(&bytes) {
            bytes.extend_from_slice(&mac.finalize().into_bytes());
        }
        bytes
    }

    /// Reads a cookie back; `None` if it is not one of ours.
    pub(crate) fn open(&self, bytes: &[u8]) -> Option<Cookie> {
        let (content, signature) = bytes.split_at_checked(CONTENT)?;
        self.mac(content)?.verify_slice(signature).ok()?;
        let mut fields = Fields(content);
        Some(Cookie {
            created: Time::default().after(u64::from_be_bytes(fields.take()?)),
            local: fields.endpoint()?,
            peer: fields.endpoint()?,
            tie_local: fields.u32()?,
            tie_peer: fields.u32()?,
        })
    }
}

impl std::fmt::Debug for CookieKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("CookieKey")
    }
}

fn write_endpoint(out: &mut Vec<u8>, endpoint: &Endpoint) {
    out.extend_from_slice(&endpoint.tag.to_be_bytes());
    out.extend_from_slice(&endpoint.window.to_be_bytes());
    out.extend_from_slice(&endpoint.outbound_streams.to_be_bytes());
    out.extend_from_slice(&endpoint.inbound_streams.to_be_bytes());
    out.extend_from_slice(&endpoint.initial_tsn.to_be_bytes());
    out.push(endpoint.features.to_bits());
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (field, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*field)
    }

    fn u32(&mut self) -> Option<u32> {
        self.take().map(u32::from_be_bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn endpoint(&mut self) -> Option<Endpoint> {
        Some(Endpoint {
            tag: self.u32()?,
            window: self.u32()?,
            outbound_streams: self.u16()?,
            inbound_streams: self.u16()?,
            initial_tsn: self.u32()?,
            features: Features::from_bits(self.take::<1>()?[0]),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cookie() -> Cookie {
        let features = Features {
            forward_tsn: true,
            reconfig: false,
            interleaving: true,
            zero_checksum: false,
            pad: true,
        };
        let local =
            Endpoint { tag: 1, window: 2, outbound_streams: 3, inbound_streams: 4, initial_tsn: 5, features };
        let peer = Endpoint { tag: 6, initial_tsn: u32::MAX, ..local };
        Cookie { created: Time::from_nanos(7), local, peer, tie_local: 8, tie_peer: 9 }
    }

    #[test]
    fn a_cookie_says_what_was_put_into_it() {
        let key = CookieKey([7; 32]);
        assert_eq!(key.open(&key.sign(&cookie())), Some(cookie()));
    }

    #[test]
    fn a_changed_or_foreign_cookie_is_refused() {
        let key = CookieKey([7; 32]);
        let signed = key.sign(&cookie());
        for index in 0..signed.len() {
            let mut changed = signed.clone();
            changed[index] ^= 1;
            assert_eq!(key.open(&changed), None, "byte {index}");
            assert_eq!(key.open(&signed[..index]), None, "length {index}");
        }
        assert_eq!(CookieKey([8; 32]).open(&signed), None);
    }
}
