//! User names that are longer than the agent can write.
//!
//! RFC 8839 section 5.4 gives a peer up to 256 characters for its username fragment; the agent (`is` 0.12) panics when it
//! has to write a USERNAME of more than 128 bytes, in which ours stands as well. Inside the agent a long fragment of the
//! peer has a short name in its place, and the checks of both sides are rewritten where they cross: USERNAME, and with it
//! MESSAGE-INTEGRITY and FINGERPRINT.

use std::borrow::Cow;

use aws_lc_rs::digest::{SHA256, digest};
use is::stun::StunMessage;
use is::{DefaultSha1HmacProvider, Sha1HmacProvider};

use super::rewrite::renamed;

/// Fragments up to this length stay as they are: with ours and the colon they are well below what the agent can write.
const LONGEST: usize = 100;

/// The name that a fragment of the peer has inside the agent. It follows from the fragment, so that a check that comes
/// before the peer's description is known gets the same one.
pub(super) fn inside(ufrag: &str) -> Cow<'_, str> {
    if ufrag.len() <= LONGEST {
        return Cow::Borrowed(ufrag);
    }
    let digest = digest(&SHA256, ufrag.as_bytes());
    Cow::Owned(digest.as_ref()[..16].iter().map(|byte| format!("{byte:02x}")).collect())
}

/// A check of a peer with a long fragment, as the agent has to see it. `None`: as it is. `pwd` is ours, which it has to
/// be authenticated by; what is not stays as it is, and is refused by the agent.
pub(super) fn inward(message: &StunMessage<'_>, bytes: &[u8], pwd: &str) -> Option<Vec<u8>> {
    let (ours, theirs) = message.split_username().filter(|_| message.is_binding_request())?;
    let Cow::Owned(short) = inside(theirs) else { return None };
    let hmac = |key: &[u8], parts: &[&[u8]]| DefaultSha1HmacProvider.sha1_hmac(key, parts);
    if !message.verify(pwd.as_bytes(), hmac) {
        return None;
    }
    renamed(bytes, &format!("{ours}:{short}"), pwd)
}

/// A check of ours to a peer with the fragment `ufrag` and the password `pwd`, as it has to leave.
pub(super) fn outward(bytes: Vec<u8>, ufrag: &str, pwd: &str) -> Vec<u8> {
    let Cow::Owned(short) = inside(ufrag) else { return bytes };
    let name = StunMessage::parse(&bytes).ok().and_then(|message| {
        let (theirs, ours) = message.split_username().filter(|_| message.is_binding_request())?;
        (theirs == short).then(|| format!("{ufrag}:{ours}"))
    });
    name.and_then(|name| renamed(&bytes, &name, pwd)).unwrap_or(bytes)
}
