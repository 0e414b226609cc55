//! Entry points for fuzz targets.

use std::time::{Duration, Instant};

use serde_json::value::RawValue;

use crate::chunk::{PART_MARK, Splitter};
use crate::envelope::Envelope;
use crate::large::{join, lift};
use crate::session::{Received, Session, SessionConfig};
use crate::transfer::{FileReceiver, FileSender, Journal, ReceiverEvent, SenderEvent, safe_file_name};

mod calls;

pub use calls::calls;

/// Feeds `data`, split at zero bytes, to a session as messages. `epoch` is any instant.
pub fn session(epoch: Instant, data: &[u8]) {
    let [Ok(local), Ok(remote)] = ["agent://a", "agent://b"].map(str::parse) else { return };
    let mut session = Session::new(SessionConfig::new(local, remote), [7; 32]);
    let input = serde_json::value::to_raw_value(&()).expect("null serializes");
    let options = Default::default();
    let call = session.call("f", &input, Duration::from_secs(1), &options, epoch, 0);
    assert!(call.is_ok());
    for text in data.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()) {
        let _ = session.receive(0, text, epoch, 1_700_000_000_000);
        if let Ok(envelope) = Envelope::<&RawValue>::parse(text) {
            let written = serde_json::to_string(&envelope).expect("what was parsed serializes");
            Envelope::parse(&written).expect("what was accepted is accepted again");
        }
    }
    session.handle_call_timeout(epoch + Duration::from_secs(1), 0);
    assert_eq!(session.pending_calls(), 0);
}

/// Takes `data`, split at zero bytes, as token (and proof), public key and SDP of an offer, and as a key set. Nothing of it may be
/// accepted for a sender whose key is known: nobody but its owner can sign.
pub fn auth(epoch: Instant, data: &[u8]) {
    use crate::auth::registration::{PresentedProof, verify_proof};
    use crate::auth::{
        Act, JwksCache, JwksConfig, Presented, PublicKey, SigningKey, Trust, Verifier, VerifierConfig,
    };

    let mut parts = data.split(|byte| *byte == 0).map(|part| std::str::from_utf8(part).unwrap_or_default());
    let mut part = || parts.next().unwrap_or_default();
    let (token, public_key, sdp, set) = (part(), part(), part(), part());
    let [Ok(local), Ok(from)] = ["agent://a", "agent://b"].map(str::parse) else { return };
    // RFC 8037, A.2.
    let jwk = r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}"#;
    let known = [PublicKey::parse(jwk).expect("the key of the RFC is one")];
    let presented = Presented {
        token,
        public_key: Some(public_key).filter(|key| !key.is_empty()),
        from: &from,
        act: Act::Offer,
        session: None,
        sdp,
        answers: None,
    };
    let mut verifier = Verifier::new(local, VerifierConfig::default());
    let now = 1_700_000_000_000;
    for trust in [Trust::FirstUse, Trust::Claimed] {
        let _ = verifier.verify(&presented, trust, now);
    }
    assert!(verifier.verify(&presented, Trust::Keys(&known), now).is_err());
    let proof = PresentedProof { proof: token, agent: &from, nonce: "n", audiences: &["h:1".to_owned()] };
    assert!(verify_proof(&proof, &known, now).is_err());
    let _ = SigningKey::from_pem(public_key);
    if let Ok(key) = PublicKey::parse(public_key) {
        assert_eq!(PublicKey::parse(&key.to_pem()), Ok(key.clone()));
        assert_eq!(PublicKey::parse(&key.to_jwk()), Ok(key));
    }
    let mut sets = JwksCache::new(JwksConfig::default());
    sets.lookup("https://a", &from, "1", true, epoch);
    sets.store("https://a", set, epoch);
    sets.lookup("https://a", &from, "1", true, epoch);
}

/// Feeds `data`, split at zero bytes, to both sides of a file transfer: a part that begins with `#` stands for that many
/// bytes of the file. `epoch` is any instant.
pub fn transfer(epoch: Instant, data: &[u8]) {
    let offer = r#"{"version":1,"id":"i","name":"n","size":9000000,"resumable":true,"timeout":1000}"#;
    let offer = serde_json::from_str(offer).expect("an offer");
    let (mut sender, _) = FileSender::new(offer, epoch).expect("a valid offer");
    let mut receiver = FileReceiver::new(1 << 20, Duration::from_secs(1), epoch);
    for text in data.split(|byte| *byte == 0).filter_map(|part| std::str::from_utf8(part).ok()) {
        let _ = Journal::parse(text);
        let _ = safe_file_name(text);
        if let Some(bytes) = text.strip_prefix('#') {
            let _ = receiver.data(bytes.len() as u64 * 65_536);
            let _ = receiver.written(bytes.len() as u64 * 65_536);
            let _ = sender.sent(sender.allowance().min(65_536));
            continue;
        }
        if let SenderEvent::Accepted { .. } = sender.receive(text) {
            sender.start(text.len() % 2 == 0).expect("it was accepted");
        }
        match receiver.receive(text, epoch) {
            ReceiverEvent::Offer(offer) => {
                assert!(offer.name.len() <= 1024);
                receiver.prepare().expect("it was offered");
                receiver.accept(0, None).expect("it is being prepared");
            }
            ReceiverEvent::Finish => drop(receiver.complete("").expect("it is finished")),
            _ => {}
        }
    }
    sender.handle_timeout(epoch + Duration::from_secs(1));
    receiver.handle_timeout(epoch + Duration::from_secs(60));
    receiver.handle_timeout(epoch + Duration::from_secs(61));
    assert!(sender.poll_timeout().is_none() && receiver.poll_timeout().is_none());
}

/// A message whose payload is the end of `data` arrives in small chunks or parts, whatever their order and however often
/// they come. The first bytes decide how large the chunks are, which of the two they are, and the order.
pub fn chunks(epoch: Instant, data: &[u8]) {
    const UNIX_MS: u64 = 1_700_000_000_000;
    /// What the envelope of a chunk takes here, and the least room for text beside it: a character needs 6 bytes at most.
    const ENVELOPE: usize = 320;
    let (control, content) = data.split_at(data.len().min(16));
    let Some((&kind, order)) = control.split_first() else { return };
    let [local, remote] = ["agent://a", "agent://b"].map(|uri| uri.parse().expect("a URI"));
    let mut receiver = Session::new(SessionConfig::new(remote, local), [8; 32]);
    // Many pieces of few bytes of input: the last byte of the head says how often they come.
    let times = usize::from(order.last().copied().unwrap_or_default()).min(4096 / content.len().max(1));
    let payload = String::from_utf8_lossy(content).repeat(1 + times);
    let payload = serde_json::to_string(&payload).expect("a string serializes");
    let text = format!(
        r#"{{"type":"message","id":"1","timestamp":"t","payload":{payload},"metadata":{{"agentId":"agent://a"}}}}"#
    );
    let room = 12 + usize::from(kind / 2);
    let mut pieces: Vec<String> = if kind % 2 == 0 {
        let splitter = Splitter::with_limits(text.clone(), ENVELOPE + room, 12);
        splitter.expect("a message of ours can be cut").collect()
    } else {
        parts(&text, room)
    };
    assert!(pieces.iter().all(|piece| piece.len() <= ENVELOPE + room));
    let count = pieces.len();
    for (index, byte) in order.iter().cycle().enumerate().take(if order.is_empty() { 0 } else { count }) {
        pieces.swap(index, (index + usize::from(*byte)) % count);
    }
    let last = pieces.pop().expect("there is at least one");
    for (index, piece) in pieces.iter().enumerate() {
        assert!(matches!(receiver.receive(0, piece, epoch, UNIX_MS), Received::Part { .. }));
        // Once more, and some that have come long ago.
        let again = usize::from(order.get(index).copied().unwrap_or_default()) % (index + 1);
        assert!(matches!(receiver.receive(0, &pieces[again], epoch, UNIX_MS), Received::Duplicate));
    }
    assert!(matches!(receiver.receive(0, &last, epoch, UNIX_MS), Received::Message));
    assert_eq!(receiver.take_whole(), Some(text));
    assert!(matches!(receiver.receive(0, &last, epoch, UNIX_MS), Received::Duplicate));
    assert_eq!(receiver.parts_timeout(), None);
}

/// What our own agents send instead of chunks.
fn parts(text: &str, room: usize) -> Vec<String> {
    let mut slices = Vec::new();
    let mut rest = text;
    while !rest.is_empty() {
        let end =
            (0..=room.min(rest.len())).rev().find(|end| rest.is_char_boundary(*end)).unwrap_or(rest.len());
        let (slice, behind) = rest.split_at(end);
        slices.push(slice);
        rest = behind;
    }
    let total = slices.len();
    slices.iter().enumerate().map(|(index, slice)| format!("{PART_MARK}1,{index},{total}\n{slice}")).collect()
}

/// Takes long strings out of the JSON or the nonsense that `data` is, where a zero byte stands for many characters: what
/// is left is JSON if and only if the whole was. Then writes what is between the zero bytes as one string.
pub fn long_strings(data: &[u8]) {
    const RUNS: usize = 4;
    let parts: Vec<&[u8]> = data.splitn(RUNS + 1, |byte| *byte == 0).collect();
    let text = parts.join([b'x'; 32 * 1024].as_slice());
    let text = [br#"{"type":"message","payload":"#, text.as_slice(), b"}"].concat();
    let valid = |text: &[u8]| serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok();
    if let Some(lifted) = lift(&text) {
        assert!(!lifted.strings.is_empty());
        assert_eq!(valid(lifted.skeleton.as_bytes()), valid(&text));
    }
    let content = String::from_utf8_lossy(data);
    let [Ok(start), Ok(end)] = [1, content.len() + 1].map(u32::try_from) else { return };
    let joined = join(format!("\"{content}\"").as_bytes(), &[start, end, end + 1]);
    assert_eq!(joined, serde_json::to_vec(&content).ok());
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]
        #[test]
        fn any_bytes_go_through_the_targets(data in proptest::collection::vec(any::<u8>(), 0..200)) {
            #[allow(clippy::disallowed_methods, reason = "any instant will do as the origin of virtual time")]
            let epoch = std::time::Instant::now();
            super::session(epoch, &data);
            super::chunks(epoch, &data);
            super::long_strings(&data);
        }
    }
}
