//! STUN messages as the agent does not write them: taken apart, changed, and authenticated anew.

use stun_types::attribute::{
    Attribute as _, AttributeStaticType as _, AttributeType, Fingerprint, MessageIntegrity,
    MessageIntegritySha256, RawAttribute, Username,
};
use stun_types::message::{
    IntegrityAlgorithm, Message, MessageWrite as _, MessageWriteExt as _, MessageWriteVec,
    ShortTermCredentials,
};

use super::embedding::Carried;

/// What is made anew, and stands at the end.
const SEALS: [AttributeType; 3] = [MessageIntegrity::TYPE, MessageIntegritySha256::TYPE, Fingerprint::TYPE];
/// Numbers of libwebrtc's, which the draft has taken over. A stack that does not know them skips them (RFC 8489 section 14).
const META_DTLS_IN_STUN: AttributeType = AttributeType::new(0xc070);
const META_DTLS_IN_STUN_ACKNOWLEDGEMENT: AttributeType = AttributeType::new(0xc071);

/// The message with another USERNAME, authenticated by `pwd`.
pub(super) fn renamed(bytes: &[u8], username: &str, pwd: &str) -> Option<Vec<u8>> {
    rewritten(bytes, pwd, Some(username), &Carried::default())
}

/// The message with what it is to carry, authenticated by `pwd`.
pub(super) fn loaded(bytes: &[u8], pwd: &str, carried: &Carried) -> Option<Vec<u8>> {
    rewritten(bytes, pwd, None, carried)
}

/// What a message carries.
pub(super) fn carried(bytes: &[u8]) -> Carried {
    let Ok(message) = Message::from_bytes(bytes) else { return Carried::default() };
    let value = |kind| message.raw_attribute(kind).map(|attribute| attribute.value.to_vec());
    Carried { data: value(META_DTLS_IN_STUN), acks: value(META_DTLS_IN_STUN_ACKNOWLEDGEMENT) }
}

fn rewritten(bytes: &[u8], pwd: &str, username: Option<&str>, carried: &Carried) -> Option<Vec<u8>> {
    let message = Message::from_bytes(bytes).ok()?;
    let mut out = Message::builder(message.get_type(), message.transaction_id(), MessageWriteVec::new());
    for (_, attribute) in message.iter_attributes() {
        let kind = attribute.get_type();
        match username.filter(|_| kind == Username::TYPE) {
            Some(username) => out.add_attribute(&RawAttribute::new(kind, username.as_bytes())).ok()?,
            None if SEALS.contains(&kind) => {}
            None => out.add_attribute(&attribute).ok()?,
        }
    }
    if let Some(acks) = &carried.acks {
        out.add_attribute(&RawAttribute::new(META_DTLS_IN_STUN_ACKNOWLEDGEMENT, acks)).ok()?;
    }
    if let Some(data) = &carried.data {
        out.add_attribute(&RawAttribute::new(META_DTLS_IN_STUN, data)).ok()?;
    }
    let credentials = ShortTermCredentials::new(pwd.to_owned()).into();
    out.add_message_integrity(&credentials, IntegrityAlgorithm::Sha1).ok()?;
    out.add_fingerprint().ok()?;
    Some(out.finish())
}
