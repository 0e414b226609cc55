//! What an attacker would send, and what honest agents do.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm as Jwt, EncodingKey};
use ossa_signaling::AgentUri;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::key_tests::{key, keys};
use super::*;

#[path = "verify_forgery_tests.rs"]
mod forgery;

const NOW: u64 = 1_800_000_000_000;
const SESSION: &str = "11111111-2222-3333-4444-555555555555";

fn agent(name: &str) -> AgentUri {
    format!("agent://{name}").parse().unwrap()
}

fn sdp(byte: &str) -> String {
    let digits = vec![byte; 32].join(":");
    format!("v=0\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\na=fingerprint:sha-256 {digits}\r\n")
}

fn signer(index: usize) -> TokenSigner {
    TokenSigner::new(agent("alice"), key(index), None, [index as u8; 32])
}

fn verifier() -> Verifier {
    Verifier::new(agent("bob"), VerifierConfig::default())
}

/// A message as bob gets it; tests change what the attacker changes.
#[derive(Clone)]
struct Message {
    token: String,
    public_key: Option<String>,
    from: AgentUri,
    act: Act,
    session: Option<String>,
    sdp: String,
    answers: Option<String>,
    now: u64,
}

impl Message {
    /// Alice's honest offer.
    fn offer() -> Self {
        Self::signed_by(&mut signer(0), Act::Offer, None)
    }

    fn signed_by(signer: &mut TokenSigner, act: Act, answers: Option<&str>) -> Self {
        let sdp = sdp("AB");
        let token = signer.sign(act, &agent("bob"), Some(SESSION), &sdp, answers, NOW).unwrap().token;
        Self::with(token, signer.public_key().to_pem(), sdp, act, answers)
    }

    fn with(token: String, public_key: String, sdp: String, act: Act, answers: Option<&str>) -> Self {
        Self {
            token,
            public_key: Some(public_key),
            from: agent("alice"),
            act,
            session: Some(SESSION.into()),
            sdp,
            answers: answers.map(str::to_owned),
            now: NOW,
        }
    }

    /// An offer with the claims of an honest one as `change` leaves them, signed with alice's key.
    fn forged(change: impl FnOnce(&mut Value, &mut Value)) -> Self {
        let mut message = Self::offer();
        let mut parts = message.token.split('.').map(|part| {
            URL_SAFE_NO_PAD.decode(part).ok().and_then(|json| serde_json::from_slice::<Value>(&json).ok())
        });
        let (mut header, mut claims) = (parts.next().unwrap().unwrap(), parts.next().unwrap().unwrap());
        change(&mut header, &mut claims);
        message.token = token(&header, &claims, &key(0));
        message
    }

    fn check(&self, verifier: &mut Verifier, trust: Trust<'_>) -> Result<Verified, Refusal> {
        let presented = Presented {
            token: &self.token,
            public_key: self.public_key.as_deref(),
            from: &self.from,
            act: self.act,
            session: self.session.as_deref(),
            sdp: &self.sdp,
            answers: self.answers.as_deref(),
        };
        verifier.verify(&presented, trust, self.now)
    }

    /// The outcome for a bob who has alice's key.
    fn refusal(&self) -> Option<Refusal> {
        self.check(&mut verifier(), Trust::Keys(&[key(0).public().clone()])).err()
    }
}

fn token(header: &Value, claims: &Value, key: &SigningKey) -> String {
    let signed = unsigned(header, claims);
    let signature = key.sign(&signed).unwrap();
    format!("{signed}.{signature}")
}

fn unsigned(header: &Value, claims: &Value) -> String {
    format!("{}.{}", URL_SAFE_NO_PAD.encode(header.to_string()), URL_SAFE_NO_PAD.encode(claims.to_string()))
}

#[test]
fn an_honest_offer_is_accepted_with_each_kind_of_key_written_in_each_way() {
    for index in 0..3 {
        let mut signer = signer(index);
        for text in [signer.public_key().to_pem(), signer.public_key().to_jwk()] {
            let mut message = Message::signed_by(&mut signer, Act::Offer, None);
            message.public_key = Some(text);
            let verified =
                message.check(&mut verifier(), Trust::Keys(&[signer.public_key().clone()])).unwrap();
            assert_eq!(verified.key, *signer.public_key());
            assert_eq!(verified.fingerprints.first().unwrap().digits, "AB".repeat(32));
            assert!(verified.jti.is_some());
        }
    }
}

#[test]
fn the_token_has_the_header_and_the_claims_of_the_protocol_and_nothing_else() {
    let mut signer = signer(0);
    let message = Message::signed_by(&mut signer, Act::Answer, Some("the offer"));
    let mut parts = message.token.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut part = || serde_json::from_slice::<Value>(&parts.next().unwrap()).unwrap();
    let (header, claims) = (part(), part());
    assert_eq!(header, json!({ "alg": "EdDSA", "typ": "ossa-webrtc+jwt", "kid": signer.kid() }));
    let now = NOW / 1000;
    assert_eq!(
        claims,
        json!({
            "agentId": "agent://alice", "iss": "agent://alice", "sub": "agent://alice", "aud": "agent://bob",
            "timestamp": NOW, "iat": now, "nbf": now, "exp": now + 60, "jti": claims["jti"],
            "act": "answer", "sid": SESSION, "otid": "the offer",
            "mky": [{ "alg": "sha-256", "dig": "AB".repeat(32) }],
        })
    );
    uuid::Uuid::parse_str(claims["jti"].as_str().unwrap()).unwrap();
}

#[test]
fn an_answer_is_accepted_for_the_offer_that_it_names_only() {
    let message = Message::signed_by(&mut signer(0), Act::Answer, Some("our offer"));
    assert_eq!(message.refusal(), None);
    for ours in [Some("another offer"), None] {
        let other = Message { answers: ours.map(str::to_owned), ..message.clone() };
        assert_eq!(other.refusal(), Some(Refusal::OfferWrong));
    }
    assert_eq!(Message::signed_by(&mut signer(0), Act::Answer, None).refusal(), Some(Refusal::OfferWrong));
}

#[test]
fn a_certificate_that_was_swapped_on_the_way_is_noticed() {
    let swapped = Message { sdp: sdp("CD"), ..Message::offer() };
    assert_eq!(swapped.refusal(), Some(Refusal::FingerprintMismatch));
    // A second one beside the first is no better, nor is one that a media section adds.
    let added = Message { sdp: sdp("AB") + &sdp("CD"), ..Message::offer() };
    assert_eq!(added.refusal(), Some(Refusal::FingerprintMismatch));
    let none = Message { sdp: "v=0\r\n".into(), ..Message::offer() };
    assert_eq!(none.refusal(), Some(Refusal::FingerprintMissing));
    let weak = Message {
        sdp: format!("{}a=fingerprint:sha-1 {}\r\n", sdp("AB"), ["AB"; 20].join(":")),
        ..Message::offer()
    };
    assert_eq!(weak.refusal(), Some(Refusal::FingerprintWeak));
}

#[test]
fn a_token_without_or_with_weak_fingerprints_is_refused() {
    for (keys, refusal) in [
        (json!(null), Refusal::FingerprintMismatch),
        (json!([]), Refusal::FingerprintMismatch),
        (json!([{ "alg": "sha-1", "dig": "AB".repeat(20) }]), Refusal::FingerprintWeak),
        (json!([{ "alg": "sha-256", "dig": "AB" }]), Refusal::FingerprintWeak),
        (json!("AB"), Refusal::TokenMalformed),
    ] {
        let message = Message::forged(|_, claims| claims["mky"] = keys);
        assert_eq!(message.refusal(), Some(refusal));
    }
}

#[test]
fn a_replayed_offer_is_refused_until_it_has_expired_and_after() {
    let (message, mut verifier) = (Message::offer(), verifier());
    let trusted = [key(0).public().clone()];
    assert!(message.check(&mut verifier, Trust::Keys(&trusted)).is_ok());
    for (after, refusal) in [
        (0, Refusal::Replayed),
        (119_999, Refusal::Replayed),
        (120_000, Refusal::Expired),
        (1 << 40, Refusal::Expired),
    ] {
        let replay = Message { now: NOW + after, ..message.clone() };
        assert_eq!(replay.check(&mut verifier, Trust::Keys(&trusted)), Err(refusal), "{after}");
    }
}

#[test]
fn a_full_replay_cache_refuses_everyone_rather_than_forget_a_token() {
    let mut verifier =
        Verifier::new(agent("bob"), VerifierConfig { replay_capacity: 1, ..Default::default() });
    let (mut signer, trusted) = (signer(0), [key(0).public().clone()]);
    let [first, second] = [0, 1].map(|_| Message::signed_by(&mut signer, Act::Offer, None));
    assert!(first.check(&mut verifier, Trust::Keys(&trusted)).is_ok());
    assert_eq!(second.check(&mut verifier, Trust::Keys(&trusted)), Err(Refusal::ReplayCacheFull));
    assert_eq!(first.check(&mut verifier, Trust::Keys(&trusted)), Err(Refusal::Replayed));
}

#[test]
fn only_accepted_tokens_take_room_in_the_replay_cache() {
    let mut verifier =
        Verifier::new(agent("bob"), VerifierConfig { replay_capacity: 1, ..Default::default() });
    let trusted = [key(0).public().clone()];
    for _ in 0..10 {
        let forged = Message::signed_by(&mut signer(3), Act::Offer, None);
        assert!(forged.check(&mut verifier, Trust::Keys(&trusted)).is_err());
    }
    assert!(Message::offer().check(&mut verifier, Trust::Keys(&trusted)).is_ok());
}

#[test]
fn times_are_kept_with_a_minute_of_leeway() {
    let now = NOW / 1000;
    let at = |iat: u64, exp: u64| {
        Message::forged(|_, claims| {
            claims["iat"] = json!(iat);
            claims["nbf"] = json!(iat);
            claims["exp"] = json!(exp);
        })
    };
    for (iat, exp, expected) in [
        (now, now + 60, None),
        (now - 100, now - 59, None),
        (now - 100, now - 60, Some(Refusal::Expired)),
        (now + 60, now + 90, None),
        (now + 61, now + 90, Some(Refusal::NotYetValid)),
        (now, now + 300, None),
        (now, now + 301, Some(Refusal::LifetimeTooLong)),
        (0, now + 1, Some(Refusal::LifetimeTooLong)),
        (now, u64::MAX, Some(Refusal::LifetimeTooLong)),
    ] {
        assert_eq!(at(iat, exp).refusal(), expected, "{iat} {exp}");
    }
    let later = Message::forged(|_, claims| claims["nbf"] = json!(now + 61));
    assert_eq!(later.refusal(), Some(Refusal::NotYetValid));
    for claim in ["iat", "exp", "jti"] {
        let message = Message::forged(|_, claims| claims[claim] = json!(null));
        assert_eq!(message.refusal(), Some(Refusal::ClaimMissing), "{claim}");
        let message = Message::forged(|_, claims| claims[claim] = json!({}));
        assert_eq!(message.refusal(), Some(Refusal::TokenMalformed), "{claim}");
    }
}

#[test]
fn a_leeway_cannot_be_configured_beyond_a_minute() {
    let config = VerifierConfig { leeway: 100_000, ..Default::default() };
    let late = Message { now: NOW + 120_000, ..Message::offer() };
    let refusal =
        late.check(&mut Verifier::new(agent("bob"), config), Trust::Keys(&[key(0).public().clone()]));
    assert_eq!(refusal, Err(Refusal::Expired));
}

#[test]
fn an_oversize_token_is_not_even_looked_at() {
    let message = Message { token: ".".repeat(8193), ..Message::offer() };
    assert_eq!(message.refusal(), Some(Refusal::TokenTooLarge));
    let padded = Message::forged(|_, claims| claims["padding"] = json!("x".repeat(8192)));
    assert_eq!(padded.refusal(), Some(Refusal::TokenTooLarge));
}

#[test]
fn a_changed_byte_anywhere_breaks_the_token() {
    let message = Message::offer();
    for at in 0..message.token.len() {
        let mut bytes = message.token.clone().into_bytes();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        let changed = Message { token: String::from_utf8(bytes).unwrap(), ..message.clone() };
        assert!(changed.refusal().is_some(), "byte {at}");
    }
}

#[test]
fn a_claim_given_twice_is_refused_since_readers_would_disagree_on_which_counts() {
    let claims = br#"{"agentId":"agent://alice","agentId":"agent://carol"}"#;
    let header = br#"{"alg":"EdDSA","typ":"ossa-webrtc+jwt"}"#;
    let signed = format!("{}.{}", URL_SAFE_NO_PAD.encode(header), URL_SAFE_NO_PAD.encode(claims));
    let token = format!("{signed}.{}", key(0).sign(&signed).unwrap());
    assert_eq!(Message { token, ..Message::offer() }.refusal(), Some(Refusal::TokenMalformed));
}

#[test]
fn on_first_use_everything_but_the_key_is_checked() {
    assert!(Message::offer().check(&mut verifier(), Trust::FirstUse).is_ok());
    let swapped = Message { sdp: sdp("CD"), ..Message::offer() };
    assert_eq!(swapped.check(&mut verifier(), Trust::FirstUse), Err(Refusal::FingerprintMismatch));
    let naive = naive(json!({ "agentId": "agent://alice", "timestamp": NOW }));
    assert_eq!(naive.check(&mut verifier(), Trust::FirstUse), Err(Refusal::TypeWrong));
}

/// An offer with a token as the specification makes them.
fn naive(claims: Value) -> Message {
    let token = token(&json!({ "alg": "EdDSA", "typ": "JWT" }), &claims, &key(0));
    Message::with(token, key(0).public().to_pem(), sdp("AB"), Act::Offer, None)
}

#[test]
fn the_token_of_the_specification_is_accepted_where_claims_count() {
    let message = naive(json!({ "agentId": "agent://alice", "timestamp": NOW }));
    let verified = message.check(&mut verifier(), Trust::Claimed).unwrap();
    assert_eq!((verified.jti, verified.fingerprints.len()), (None, 1));
    assert_eq!(message.refusal(), Some(Refusal::TypeWrong));
    assert!(Message::offer().check(&mut verifier(), Trust::Claimed).is_ok());
}

#[test]
fn where_claims_count_those_that_are_there_have_to_be_right() {
    let (from, now) = ("agent://alice", NOW / 1000);
    for (claims, refusal) in [
        (json!({ "timestamp": NOW }), Refusal::IdentityMismatch),
        (json!({ "agentId": "agent://carol" }), Refusal::IdentityMismatch),
        (json!({ "agentId": from, "sub": "agent://carol" }), Refusal::IdentityMismatch),
        (json!({ "agentId": from, "aud": "agent://carol" }), Refusal::AudienceWrong),
        (json!({ "agentId": from, "act": "answer" }), Refusal::ActWrong),
        (json!({ "agentId": from, "sid": "another" }), Refusal::SessionWrong),
        (json!({ "agentId": from, "otid": "another" }), Refusal::OfferWrong),
        (json!({ "agentId": from, "timestamp": NOW - 360_000 }), Refusal::Expired),
        (json!({ "agentId": from, "timestamp": NOW + 61_000 }), Refusal::NotYetValid),
        (json!({ "agentId": from, "exp": now - 60 }), Refusal::Expired),
        (json!({ "agentId": from, "nbf": now + 61 }), Refusal::NotYetValid),
        (json!({ "agentId": from, "mky": [] }), Refusal::FingerprintMismatch),
    ] {
        assert_eq!(naive(claims.clone()).check(&mut verifier(), Trust::Claimed), Err(refusal), "{claims}");
    }
    let foreign = Message { public_key: Some(key(3).public().to_pem()), ..naive(json!({ "agentId": from })) };
    assert_eq!(foreign.check(&mut verifier(), Trust::Claimed), Err(Refusal::SignatureInvalid));
    let (mut verifier, once) = (verifier(), naive(json!({ "agentId": from, "jti": "1" })));
    assert!(once.check(&mut verifier, Trust::Claimed).is_ok());
    assert_eq!(once.check(&mut verifier, Trust::Claimed), Err(Refusal::Replayed));
}

#[test]
fn a_description_that_nobody_would_accept_is_not_signed() {
    let error = signer(0).sign(Act::Offer, &agent("bob"), None, "v=0\r\n", None, NOW).unwrap_err();
    assert_eq!(error, SignError::Description(Refusal::FingerprintMissing));
}

proptest! {
    #[test]
    fn any_text_is_refused_without_panic(token in "\\PC{0,200}", key_text in "\\PC{0,200}", sdp in "\\PC{0,200}") {
        let message = Message { token, public_key: Some(key_text), sdp, ..Message::offer() };
        for trust in [Trust::Keys(&[key(0).public().clone()]), Trust::FirstUse, Trust::Claimed] {
            prop_assert!(message.check(&mut verifier(), trust).is_err());
        }
    }

    #[test]
    fn any_claims_under_the_right_signature_are_decided_without_panic(
        claim in "agentId|timestamp|iss|sub|aud|iat|nbf|exp|jti|act|sid|mky|otid",
        value in prop_oneof![
            any::<f64>().prop_map(|number| json!(number)), any::<i64>().prop_map(|number| json!(number)),
            "\\PC{0,20}".prop_map(Value::from), Just(json!(null)), Just(json!([[]])), Just(json!({"alg": "sha-256"})),
        ],
    ) {
        let message = Message::forged(|_, claims| claims[claim.as_str()] = value.clone());
        let trusted = [key(0).public().clone()];
        // Whatever the outcome is, it is the same in the strict sense: what is accepted names alice, bob and this SDP.
        if let Ok(verified) = message.check(&mut verifier(), Trust::Keys(&trusted)) {
            prop_assert_eq!(&verified.key, &trusted[0]);
        }
        let _ = message.check(&mut verifier(), Trust::Claimed);
    }
}
