//! Who the other agent is: signed tokens in offers and answers, bound to the certificates of the connection.
//!
//! Sans-IO: the Unix time and the seed of the random numbers are passed in, keys are looked up by the caller.
//!
//! - [`TokenSigner`] makes the token of an offer or answer.
//! - [`Verifier`] decides about a received one; each [`Refusal`] has a reason of its own, for local eyes only.
//! - [`registration`]: the same for names at a signaling server.
//! - [`PublicKey`] and [`SigningKey`]: Ed25519, ECDSA on P-256, RSA; as JWK or PEM.
//! - [`JwksCache`] keeps published key sets and says when to fetch one; [`RateLimiter`] bounds what a sender may cause.
//!
//! The specification verifies a token with the key that its sender supplied. That proves nothing, so keys come from
//! elsewhere here ([`Trust::Keys`]); the specification's way is [`Trust::Claimed`], and its outcome counts as unproven.
//!
//! ```
//! use ossa_agent::auth::{Act, Presented, SigningKey, TokenSigner, Trust, Verifier, VerifierConfig};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // The key of RFC 8410, 10.3.
//! let pem = "-----BEGIN PRIVATE KEY-----
//! MC4CAQAwBQYDK2VwBCIEINTuctv5E1hK1bbY8fdp+K06/nwoy/HU++CXqI9EdVhC
//! -----END PRIVATE KEY-----";
//! let [alice, bob] = ["agent://alice", "agent://bob"].map(|uri| uri.parse().unwrap());
//! let key = SigningKey::from_pem(pem)?;
//! let trusted = [key.public().clone()];
//! let mut signer = TokenSigner::new(alice, key, None, [7; 32]);
//! let sdp = format!("v=0\r\na=fingerprint:sha-256 {}\r\n", ["AB"; 32].join(":"));
//! let now = 1_700_000_000_000;
//! let offer = signer.sign(Act::Offer, &bob, Some("session"), &sdp, None, now)?;
//!
//! let mut verifier = Verifier::new(bob, VerifierConfig::default());
//! let from = "agent://alice".parse()?;
//! let public_key = signer.public_key().to_pem();
//! let presented = Presented {
//!     token: &offer.token, public_key: Some(&public_key), from: &from, act: Act::Offer,
//!     session: Some("session"), sdp: &sdp, answers: None,
//! };
//! assert_eq!(verifier.verify(&presented, Trust::Keys(&trusted), now)?.jti, Some(offer.jti));
//! // The same offer a second time is a replay.
//! assert_eq!(verifier.verify(&presented, Trust::Keys(&trusted), now).unwrap_err().reason(), "replayed");
//! # Ok(())
//! # }
//! ```

mod algorithm;
mod der;
mod fingerprint;
mod jwks;
mod key;
#[cfg(test)]
mod key_tests;
mod refusal;
pub mod registration;
mod replay;
mod sign;
mod signing_key;
mod token;
mod verify;
#[cfg(test)]
mod verify_tests;

pub use algorithm::Algorithm;
pub use fingerprint::{Fingerprint, HashAlgorithm};
pub use jwks::{JwksCache, JwksConfig, Lookup};
pub use key::{KeyError, PublicKey};
pub use ossa_signaling::{Rate, RateLimiter};
pub use refusal::Refusal;
pub use replay::ReplayCache;
pub use sign::{SignError, Signed, TokenSigner};
pub use signing_key::SigningKey;
pub use token::Act;
pub use verify::{Presented, Trust, Verified, Verifier, VerifierConfig};
