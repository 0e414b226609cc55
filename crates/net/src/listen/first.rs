//! Whose a message is that says so itself.

use stun_proto::types::attribute::Username;
use stun_proto::types::message::{BINDING, Message, MessageClass};

/// The username fragment of the peer that a check is for (RFC 8445, section 7.2.2: the part before the colon is the receiver's). `None` for
/// everything that is no check. Whether it is genuine is for the peer to say.
pub(crate) fn addressee(message: &[u8]) -> Option<String> {
    // A binding request: looked at first, as most of what comes is none.
    if !matches!(message, [0, 1, ..]) {
        return None;
    }
    let message = Message::from_bytes(message).ok()?;
    if !message.has_class(MessageClass::Request) || message.method() != BINDING {
        return None;
    }
    let username = message.attribute::<Username>().ok()?;
    let (ours, _) = username.username().split_once(':')?;
    Some(ours.to_owned())
}

#[cfg(test)]
mod tests {
    use stun_proto::types::message::MessageWriteVec;
    use stun_proto::types::prelude::{MessageWrite, MessageWriteExt};

    use super::*;

    fn request(username: Option<&str>) -> Vec<u8> {
        let mut message = Message::builder_request(BINDING, MessageWriteVec::new());
        if let Some(username) = username {
            message.add_attribute(&Username::new(username).unwrap()).unwrap();
        }
        message.finish()
    }

    #[test]
    fn a_check_names_the_peer_that_it_is_for() {
        assert_eq!(addressee(&request(Some("ours:theirs"))).as_deref(), Some("ours"));
        assert_eq!(addressee(&request(Some("ours"))), None);
        assert_eq!(addressee(&request(None)), None);
    }

    #[test]
    fn what_is_no_check_is_nobodys() {
        let mut response = request(Some("ours:theirs"));
        (response[0], response[1]) = (1, 1);
        assert_eq!(addressee(&response), None);
        let cut = &request(Some("ours:theirs"))[..24];
        for message in [cut, &[], &[0], &[0, 1], &[22, 254, 253], &[0, 1, 0xff, 0xff]] {
            assert_eq!(addressee(message), None, "{message:?}");
        }
    }
}
