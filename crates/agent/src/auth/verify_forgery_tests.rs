//! Tokens that somebody else has made or changed.

use super::*;

#[test]
fn an_allowed_name_with_a_foreign_key_is_refused_whichever_key_the_message_shows() {
    let foreign = Message::signed_by(&mut signer(3), Act::Offer, None);
    assert_eq!(foreign.refusal(), Some(Refusal::KeyMismatch));
    let claiming = Message { public_key: Some(key(0).public().to_pem()), ..foreign.clone() };
    assert_eq!(claiming.refusal(), Some(Refusal::SignatureInvalid));
    let silent = Message { public_key: None, ..foreign };
    assert_eq!(silent.refusal(), Some(Refusal::KeyMissing));
}

#[test]
fn an_unknown_sender_is_refused() {
    assert_eq!(Message::offer().check(&mut verifier(), Trust::Keys(&[])), Err(Refusal::KeyUnknown));
}

#[test]
fn the_key_in_the_message_must_be_the_known_one_even_if_the_signature_is_right() {
    let message = Message { public_key: Some(key(3).public().to_pem()), ..Message::offer() };
    assert_eq!(message.refusal(), Some(Refusal::KeyMismatch));
    let private = Message { public_key: Some(keys()[0].clone()), ..Message::offer() };
    assert_eq!(private.refusal(), Some(Refusal::KeyMalformed));
}

#[test]
fn no_shared_secret_and_no_missing_signature_passes_for_a_signature() {
    let public = key(0).public().clone();
    for alg in ["none", "None", "NONE", "HS256", "HS384", "HS512", "PS256", "ES384", "eddsa", ""] {
        let mut message = Message::forged(|header, _| header["alg"] = json!(alg));
        assert_eq!(message.refusal(), Some(Refusal::AlgorithmNotAllowed), "{alg}");
        // The classic: a shared secret that everyone knows, the public key as it is written.
        let signed = message.token.rsplit_once('.').unwrap().0.to_owned();
        for secret in [public.to_pem(), public.to_jwk()] {
            let secret = EncodingKey::from_secret(secret.as_bytes());
            let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Jwt::HS256).unwrap();
            message.token = format!("{signed}.{signature}");
            assert_eq!(message.refusal(), Some(Refusal::AlgorithmNotAllowed), "{alg}");
        }
        message.token = format!("{signed}.");
        assert_eq!(message.refusal(), Some(Refusal::AlgorithmNotAllowed), "{alg}");
    }
}

#[test]
fn the_algorithm_is_that_of_the_key_and_not_what_the_token_says() {
    for alg in ["ES256", "RS256"] {
        let message = Message::forged(|header, _| header["alg"] = json!(alg));
        assert_eq!(message.refusal(), Some(Refusal::AlgorithmMismatch));
    }
}

#[test]
fn a_key_in_the_header_is_never_used() {
    let attacker = key(3);
    let jwk: Value = serde_json::from_str(&attacker.public().to_jwk()).unwrap();
    let certificate = URL_SAFE_NO_PAD.encode(attacker.public().to_pem());
    for (name, value) in [
        ("jwk", jwk),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/certificate")),
        ("x5c", json!([certificate])),
    ] {
        let mut message = Message::forged(|header, _| header[name] = value.clone());
        // Ignored where the signature is the known key's ...
        assert_eq!(message.refusal(), None, "{name}");
        // ... and of no help where it is not.
        let signed = message.token.rsplit_once('.').unwrap().0.to_owned();
        message.token = format!("{signed}.{}", attacker.sign(&signed).unwrap());
        assert_eq!(message.refusal(), Some(Refusal::SignatureInvalid), "{name}");
    }
}

#[test]
fn an_extension_that_is_not_known_is_refused() {
    let message = Message::forged(|header, _| {
        header["crit"] = json!(["b64"]);
        header["b64"] = json!(false);
    });
    assert_eq!(message.refusal(), Some(Refusal::CriticalHeader));
}

#[test]
fn a_token_for_another_purpose_is_refused() {
    for typ in [json!("JWT"), json!("at+jwt"), json!(null)] {
        let message = Message::forged(|header, _| header["typ"] = typ);
        assert_eq!(message.refusal(), Some(Refusal::TypeWrong));
    }
    for act in [json!("answer"), json!("OFFER"), json!(null)] {
        let message = Message::forged(|_, claims| claims["act"] = act);
        assert_eq!(message.refusal(), Some(Refusal::ActWrong));
    }
    let turned = Message { act: Act::Answer, ..Message::offer() };
    assert_eq!(turned.refusal(), Some(Refusal::ActWrong));
}

#[test]
fn every_name_in_the_token_must_be_the_sender() {
    let spoofed = Message { from: agent("carol"), ..Message::offer() };
    assert_eq!(spoofed.refusal(), Some(Refusal::IdentityMismatch));
    for claim in ["agentId", "iss", "sub"] {
        for other in [json!("agent://carol"), json!("agent://alice/"), json!("alice"), json!(null)] {
            let message = Message::forged(|_, claims| claims[claim] = other.clone());
            assert_eq!(message.refusal(), Some(Refusal::IdentityMismatch), "{claim} {other}");
        }
        let same = Message::forged(|_, claims| claims[claim] = json!("AGENT://Alice"));
        assert_eq!(same.refusal(), None);
    }
}

#[test]
fn a_token_for_somebody_else_or_for_several_is_refused() {
    for audience in
        [json!("agent://carol"), json!(["agent://bob", "agent://carol"]), json!([]), json!(null), json!("*")]
    {
        let message = Message::forged(|_, claims| claims["aud"] = audience.clone());
        let refusal = message.refusal().unwrap();
        assert!(matches!(refusal, Refusal::AudienceWrong | Refusal::TokenMalformed), "{audience} {refusal}");
    }
    let list = Message::forged(|_, claims| claims["aud"] = json!(["agent://bob"]));
    assert_eq!(list.refusal(), None);
}

#[test]
fn a_token_of_another_session_is_refused() {
    for session in [Some("another".to_owned()), None] {
        let message = Message { session, ..Message::offer() };
        assert_eq!(message.refusal(), Some(Refusal::SessionWrong));
    }
    let unbound = Message::forged(|_, claims| claims["sid"] = json!(null));
    assert_eq!(unbound.refusal(), Some(Refusal::SessionWrong));
}
