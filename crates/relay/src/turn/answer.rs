//! Making answers.

use turn_types::stun::attribute::{
    Attribute, AttributeStaticType, AttributeType, AttributeWrite, ErrorCode, Fingerprint, Nonce, Realm,
    UnknownAttributes,
};
use turn_types::stun::message::{Message, MessageWrite, MessageWriteExt, MessageWriteVec};

use super::auth::{Caller, REALM};

/// An answer that is being written. All that can fail in writing one is an attribute that is there twice or that is too large, and
/// none of ours is.
pub(super) struct Answer<'a> {
    request: &'a Message<'a>,
    writer: MessageWriteVec,
}

impl<'a> Answer<'a> {
    pub(super) fn success(request: &'a Message<'a>) -> Self {
        Self { request, writer: Message::builder_success(request, MessageWriteVec::with_capacity(128)) }
    }

    /// With the words that RFC 8489 and RFC 8656 have for `code`.
    pub(super) fn error(request: &'a Message<'a>, code: u16) -> Self {
        let writer = Message::builder_error(request, MessageWriteVec::with_capacity(128));
        let mut answer = Self { request, writer };
        if let Ok(error) = ErrorCode::builder(code).build() {
            answer.put(&error);
        }
        answer
    }

    /// 420, if there is something in the request that has to be understood and is not.
    pub(super) fn unknown(request: &'a Message<'a>, known: &[AttributeType]) -> Option<Self> {
        let unknown: Vec<_> = request
            .iter_attributes()
            .map(|(_, attribute)| attribute.get_type())
            .filter(|kind| kind.comprehension_required() && !known.contains(kind))
            .collect();
        (!unknown.is_empty()).then(|| {
            Self::error(request, ErrorCode::UNKNOWN_ATTRIBUTE).with(&UnknownAttributes::new(&unknown))
        })
    }

    pub(super) fn with(mut self, attribute: &dyn AttributeWrite) -> Self {
        self.put(attribute);
        self
    }

    pub(super) fn put(&mut self, attribute: &dyn AttributeWrite) {
        let _ = self.writer.add_attribute(attribute);
    }

    /// Tells whoever has not shown who he is how to (RFC 8489, 9.2.4).
    pub(super) fn challenge(self, nonce: &str) -> Self {
        let mut answer = self;
        if let (Ok(realm), Ok(nonce)) = (Realm::new(REALM), Nonce::new(nonce)) {
            answer.put(&realm);
            answer.put(&nonce);
        }
        answer
    }

    pub(super) fn signed(mut self, caller: &Caller) -> Vec<u8> {
        let credentials = caller.credentials.clone().into();
        let _ = self.writer.add_message_integrity(&credentials, caller.algorithm);
        self.unsigned()
    }

    /// With a fingerprint for whoever uses them.
    pub(super) fn unsigned(mut self) -> Vec<u8> {
        if self.request.has_attribute(Fingerprint::TYPE) {
            let _ = self.writer.add_fingerprint();
        }
        self.writer.finish()
    }
}
