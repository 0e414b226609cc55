//! Proofs that an attacker would send to a signaling server, and those of honest agents.

use std::net::{IpAddr, Ipv4Addr};
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::{Algorithm as Jwt, EncodingKey};
use ossa_signaling::{
    AgentUri, Attempt, Authenticator, Challenge, Denied, Evidence, Identity, KnownName, Proof, code,
};
use serde_json::{Value, json};

use super::*;
use crate::auth::key_tests::key;
use crate::auth::{Act, PublicKey, Refusal, SigningKey, TokenSigner};

const NOW: u64 = 1_800_000_000_000;
const NONCE: &str = "0123456789abcdef";
const SERVER: &str = "signal.example:443";

fn agent(name: &str) -> AgentUri {
    format!("agent://{name}").parse().unwrap()
}

fn proof_by(index: usize, name: &str) -> Proof {
    let challenge = Challenge { agent: &agent(name), nonce: NONCE, audience: SERVER };
    ProofSigner::new(key(index), None, [index as u8; 32]).sign(&challenge, NOW).unwrap()
}

fn public(index: usize) -> PublicKey {
    key(index).public().clone()
}

fn check_at(proof: &str, keys: &[PublicKey], now: u64) -> Result<PublicKey, Refusal> {
    let audiences = [SERVER.to_owned(), "signal.example:80".to_owned()];
    let presented = PresentedProof { proof, agent: &agent("alice"), nonce: NONCE, audiences: &audiences };
    verify_proof(&presented, keys, now)
}

/// What a server says that knows alice's key.
fn refusal(proof: &str) -> Option<Refusal> {
    check_at(proof, &[public(0)], NOW).err()
}

/// An honest proof of alice as `change` leaves it, signed with `signer`.
fn forged(signer: &SigningKey, change: impl FnOnce(&mut Value, &mut Value)) -> String {
    let proof = proof_by(0, "alice").proof;
    let mut parts = proof.split('.').map(|part| URL_SAFE_NO_PAD.decode(part).unwrap());
    let mut json = || serde_json::from_slice::<Value>(&parts.next().unwrap()).unwrap();
    let (mut header, mut claims) = (json(), json());
    change(&mut header, &mut claims);
    let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    let signed = format!("{header}.{claims}");
    format!("{signed}.{}", signer.sign(&signed).unwrap())
}

fn with_claim(name: &str, value: Value) -> String {
    forged(&key(0), |_, claims| claims[name] = value)
}

#[test]
fn every_kind_of_key_proves_itself() {
    for index in 0..3 {
        let proof = proof_by(index, "alice");
        assert_eq!(check_at(&proof.proof, &[public(index)], NOW), Ok(public(index)));
        assert_eq!(PublicKey::parse(&proof.public_key), Ok(public(index)));
    }
    // While a key is being replaced both count.
    let renewed = proof_by(0, "alice").proof;
    assert_eq!(check_at(&renewed, &[public(3), public(1), public(0)], NOW), Ok(public(0)));
}

#[test]
fn a_proof_is_for_one_agent_one_nonce_and_one_server() {
    for (claim, value, expected) in [
        ("iss", json!("agent://bob"), Refusal::IdentityMismatch),
        ("sub", json!("agent://bob"), Refusal::IdentityMismatch),
        ("sub", Value::Null, Refusal::IdentityMismatch),
        ("nonce", json!("another"), Refusal::NonceWrong),
        ("nonce", Value::Null, Refusal::NonceWrong),
        ("aud", json!("evil.example:443"), Refusal::AudienceWrong),
        ("aud", json!("signal.example"), Refusal::AudienceWrong),
        ("aud", Value::Null, Refusal::AudienceWrong),
        ("jti", Value::Null, Refusal::ClaimMissing),
        ("exp", Value::Null, Refusal::ClaimMissing),
        ("exp", json!(NOW / 1000 + 301), Refusal::LifetimeTooLong),
    ] {
        let proof = with_claim(claim, value.clone());
        assert_eq!(refusal(&proof), Some(expected), "{claim} {value}");
    }
    // A list of servers is for nobody.
    let both = with_claim("aud", json!([SERVER, "evil.example:443"]));
    assert_eq!(refusal(&both), Some(Refusal::TokenMalformed));
    assert_eq!(refusal(&with_claim("aud", json!("SIGNAL.example:80"))), None);
}

#[test]
fn a_foreign_key_proves_nothing_wherever_it_is_put() {
    let mallory = key(3);
    assert_eq!(refusal(&proof_by(3, "alice").proof), Some(Refusal::SignatureInvalid));
    let jwk: Value = serde_json::from_str(&mallory.public().to_jwk()).unwrap();
    let certificate = json!([URL_SAFE_NO_PAD.encode(mallory.public().to_pem())]);
    for (name, value) in [
        ("jwk", jwk),
        ("x5c", certificate),
        ("jku", json!("https://evil.example/keys")),
        ("x5u", json!("https://evil.example/cert")),
        ("kid", json!(public(0).thumbprint())),
    ] {
        let proof = forged(&mallory, |header, _| header[name] = value);
        assert_eq!(refusal(&proof), Some(Refusal::SignatureInvalid), "{name}");
    }
    assert_eq!(check_at(&proof_by(0, "alice").proof, &[], NOW), Err(Refusal::KeyUnknown));
}

#[test]
fn the_algorithm_is_that_of_the_key_and_never_a_shared_secret_or_none() {
    for alg in ["none", "None", "HS256", "PS256", "eddsa", ""] {
        let mut proof = forged(&key(0), |header, _| header["alg"] = json!(alg));
        assert_eq!(refusal(&proof), Some(Refusal::AlgorithmNotAllowed), "{alg}");
        let signed = proof.rsplit_once('.').unwrap().0.to_owned();
        // The public key as it is written, taken for a shared secret.
        let secret = EncodingKey::from_secret(public(0).to_pem().as_bytes());
        let signature = jsonwebtoken::crypto::sign(signed.as_bytes(), &secret, Jwt::HS256).unwrap();
        proof = format!("{signed}.{signature}");
        assert_eq!(refusal(&proof), Some(Refusal::AlgorithmNotAllowed), "{alg}");
        assert_eq!(refusal(&format!("{signed}.")), Some(Refusal::AlgorithmNotAllowed), "{alg}");
    }
    let other = public(0).algorithm().name();
    for alg in ["EdDSA", "ES256", "RS256"].into_iter().filter(|alg| *alg != other) {
        let proof = forged(&key(0), |header, _| header["alg"] = json!(alg));
        assert_eq!(refusal(&proof), Some(Refusal::AlgorithmMismatch), "{alg}");
    }
    let critical = forged(&key(0), |header, _| header["crit"] = json!(["exp"]));
    assert_eq!(refusal(&critical), Some(Refusal::CriticalHeader));
}

#[test]
fn a_token_of_an_offer_is_no_proof() {
    let sdp = format!("v=0\r\na=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
    let mut signer = TokenSigner::new(agent("alice"), key(0), None, [7; 32]);
    let token = signer.sign(Act::Offer, &agent("bob"), None, &sdp, None, NOW).unwrap().token;
    assert_eq!(refusal(&token), Some(Refusal::TypeWrong));
    let untyped = forged(&key(0), |header, _| header["typ"] = json!("JWT"));
    assert_eq!(refusal(&untyped), Some(Refusal::TypeWrong));
}

#[test]
fn a_clock_that_is_hours_off_does_not_keep_an_agent_out() {
    let proof = proof_by(0, "alice").proof;
    let hours = |hours: u64| hours * 3_600_000;
    for now in [NOW - hours(12), NOW + hours(12)] {
        assert!(check_at(&proof, &[public(0)], now).is_ok());
    }
    assert_eq!(check_at(&proof, &[public(0)], NOW - hours(25)), Err(Refusal::NotYetValid));
    assert_eq!(check_at(&proof, &[public(0)], NOW + hours(25)), Err(Refusal::Expired));
}

#[test]
fn nothing_is_accepted_that_has_been_changed_on_the_way() {
    let proof = proof_by(0, "alice").proof;
    for index in 0..proof.len() {
        let mut changed = proof.clone().into_bytes();
        changed[index] = if changed[index] == b'A' { b'B' } else { b'A' };
        let changed = String::from_utf8(changed).unwrap();
        // The last character of base64 may hold bits that nobody reads; those must be zero.
        assert!(refusal(&changed).is_some(), "character {index}");
    }
}

/// A server with trust on first use, its time in virtual seconds.
struct Tofu(FirstUse, Instant);

impl Tofu {
    #[allow(clippy::disallowed_methods, reason = "any instant will do as the beginning of virtual time")]
    fn new(capacity: usize) -> Self {
        let retention = Duration::from_secs(100);
        Self(FirstUse::new(FirstUseConfig { capacity, retention }), Instant::now())
    }

    fn at(&self, second: u64) -> Instant {
        self.1 + Duration::from_secs(second)
    }

    fn verify(&self, index: usize, name: &str, second: u64, address: u8) -> Result<Identity, Denied> {
        self.verify_from(index, name, second, Ipv4Addr::new(127, 0, 0, address).into())
    }

    fn verify_from(
        &self,
        index: usize,
        name: &str,
        second: u64,
        address: IpAddr,
    ) -> Result<Identity, Denied> {
        let Proof { proof, public_key } = proof_by(index, name);
        let evidence = Evidence::Proof {
            proof: &proof,
            public_key: Some(&public_key),
            nonce: NONCE,
            audiences: &[SERVER.to_owned()],
        };
        let agent = agent(name);
        let attempt = Attempt { agent: &agent, evidence, address, now: self.at(second), unix_ms: NOW };
        let mut verdict = self.0.verify(attempt);
        let mut context = std::task::Context::from_waker(std::task::Waker::noop());
        match verdict.as_mut().poll(&mut context) {
            std::task::Poll::Ready(verdict) => verdict,
            std::task::Poll::Pending => panic!("it has nothing to wait for"),
        }
    }

    fn register(&self, index: usize, name: &str, second: u64) -> Result<(), String> {
        let identity = self.verify(index, name, second, 1).map_err(|denied| denied.reason.to_string())?;
        self.0.registered(&agent(name), &identity, self.at(second));
        Ok(())
    }
}

#[test]
fn a_name_belongs_to_its_first_key_until_it_was_not_used_for_long_enough() {
    let tofu = Tofu::new(10);
    // Who was verified and not registered, for the name was taken, has won nothing.
    assert!(tofu.verify(1, "alice", 0, 1).is_ok());
    assert_eq!(tofu.register(0, "alice", 0), Ok(()));
    assert_eq!(tofu.register(1, "alice", 1), Err("key-mismatch".into()));
    // As long as it is connected, whatever the time.
    assert_eq!(tofu.register(1, "alice", 5000), Err("key-mismatch".into()));
    tofu.0.released(&agent("alice"), tofu.at(5000));
    assert_eq!(tofu.register(1, "alice", 5099), Err("key-mismatch".into()));
    assert_eq!(tofu.register(0, "alice", 5099), Ok(()));
    tofu.0.released(&agent("alice"), tofu.at(5099));
    assert_eq!(tofu.register(1, "alice", 5200), Ok(()));
}

#[test]
fn what_a_cluster_knows_better_counts_as_if_it_had_been_seen_here() {
    let tofu = Tofu::new(2);
    tofu.register(0, "alice", 0).unwrap();
    tofu.register(0, "bob", 0).unwrap();
    tofu.0.released(&agent("bob"), tofu.at(10));
    let mut told = tofu.0.known_names(tofu.at(40));
    told.sort_by(|a, b| a.agent.as_str().cmp(b.agent.as_str()));
    let told: Vec<_> =
        told.iter().map(|name| (name.agent.as_str(), name.since, name.left.as_secs())).collect();
    assert_eq!(told, [("agent://alice", NOW, 100), ("agent://bob", NOW, 70)]);

    let known = |name: &str, left| KnownName {
        agent: agent(name),
        owner: format!("key:{}", public(1).thumbprint()),
        since: 1,
        left: Duration::from_secs(left),
        retention: Duration::from_secs(100),
    };
    tofu.0.corrected(&known("bob", 30), tofu.at(40));
    assert_eq!(tofu.register(0, "bob", 50), Err("key-mismatch".into()));
    let identity = tofu.verify(1, "bob", 50, 1).unwrap();
    assert_eq!(identity.first_use.map(|policy| (policy.known, policy.since)), Some((true, 1)));
    assert_eq!(tofu.register(0, "bob", 70), Ok(()));
    // A full book stays as it is.
    tofu.0.corrected(&known("carol", 30), tofu.at(70));
    assert_eq!(tofu.0.len(), 2);
}

#[test]
fn a_full_book_takes_no_new_names_and_keeps_the_old() {
    let tofu = Tofu::new(2);
    for name in ["a", "b"] {
        tofu.register(0, name, 0).unwrap();
        tofu.0.released(&agent(name), tofu.at(0));
    }
    assert_eq!(tofu.register(1, "c", 1), Err("known-keys-full".into()));
    assert_eq!(tofu.verify(1, "c", 1, 1).unwrap_err().error.code, code::INTERNAL_ERROR);
    assert_eq!(tofu.register(1, "a", 1), Err("key-mismatch".into()));
    assert_eq!(tofu.register(0, "a", 1), Ok(()));
    // Room comes back as names expire.
    assert_eq!(tofu.register(1, "c", 101), Ok(()));
    assert_eq!(tofu.0.len(), 2);
}

#[test]
fn one_address_cannot_fill_the_book_for_the_others() {
    let tofu = Tofu::new(1_000_000);
    let taken = (0..1200).filter(|name| tofu.verify(0, &format!("n{name}"), 0, 1).is_ok()).count();
    assert_eq!(taken, 1000);
    assert!(tofu.verify(0, "other", 0, 2).is_ok());
}

#[test]
fn whoever_has_a_whole_network_of_ipv6_is_one_address() {
    let tofu = Tofu::new(1_000_000);
    let verify = |name: u16, address: [u16; 8]| tofu.verify_from(0, &format!("n{name}"), 0, address.into());
    let taken = (0..1200).filter(|name| verify(*name, [0x2001, 0xdb8, 0, 1, 0, 0, 0, *name]).is_ok()).count();
    assert_eq!(taken, 1000);
    assert!(verify(1200, [0x2001, 0xdb8, 0, 2, 0, 0, 0, 1]).is_ok());
}
