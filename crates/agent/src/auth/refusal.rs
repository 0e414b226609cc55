//! Why an offer or answer is refused. For the log of the one who refuses: the other side learns nothing of it.

/// A reason to refuse an offer or answer. It contains no part of the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// 1. The token is too large to be looked at.
    #[error("the token has more than 8192 bytes")]
    TokenTooLarge,
    /// The token is not a JWS in compact form whose parts are JSON of the right types.
    #[error("the token is not a well-formed JWT")]
    TokenMalformed,
    /// The message has no `publicKey`.
    #[error("the message does not say which public key the sender uses")]
    KeyMissing,
    /// The `publicKey` of the message cannot be read.
    #[error("the public key in the message cannot be read or is of a kind that is not supported")]
    KeyMalformed,
    /// 2. No key is known for the sender and this `kid`.
    #[error("no key is known for the sender")]
    KeyUnknown,
    /// The set of keys could not be fetched.
    #[error("the key set of the sender could not be fetched")]
    KeySetUnavailable,
    /// Too many key sets were fetched recently.
    #[error("too many key sets were fetched recently")]
    KeySetLimited,
    /// 2. The key in the message is not the one that is known.
    #[error("the public key in the message is not one that is known for the sender")]
    KeyMismatch,
    /// 3. `alg` is not EdDSA, ES256 or RS256.
    #[error("the token is not signed with EdDSA, ES256 or RS256")]
    AlgorithmNotAllowed,
    /// 3. `alg` does not belong to the key.
    #[error("the algorithm of the token does not belong to the sender's key")]
    AlgorithmMismatch,
    /// The header demands extensions (`crit`, RFC 7515, 4.1.11).
    #[error("the token demands an extension that is not known")]
    CriticalHeader,
    /// 4. The signature is not that of the key.
    #[error("the signature is not valid")]
    SignatureInvalid,
    /// 4. `typ` is something else.
    #[error("the token was issued for another purpose")]
    TypeWrong,
    /// 4. `act` does not say what the message is.
    #[error("the token belongs to a message of another type")]
    ActWrong,
    /// 5. `sub`, `iss`, `agentId` and `from` are not all the same.
    #[error("the token does not name the sender")]
    IdentityMismatch,
    /// 5. `aud` is not this agent.
    #[error("the token is meant for another recipient")]
    AudienceWrong,
    /// `sid` is not the session of the message.
    #[error("the token belongs to another session")]
    SessionWrong,
    /// `nonce` of a proof is not that of the challenge.
    #[error("the proof answers another challenge")]
    NonceWrong,
    /// `otid` of an answer is not the `jti` of the offer.
    #[error("the token answers another offer")]
    OfferWrong,
    /// 6. `iat`, `exp` or `jti` is not there.
    #[error("the token lacks iat, exp or jti")]
    ClaimMissing,
    /// 6. `exp` has passed.
    #[error("the token has expired")]
    Expired,
    /// 6. `iat` or `nbf` lies in the future.
    #[error("the token is not valid yet; compare the clocks")]
    NotYetValid,
    /// 6. More than 300 s between `iat` and `exp`.
    #[error("the token is valid for longer than 300 s")]
    LifetimeTooLong,
    /// 7. The SDP has no fingerprint.
    #[error("the description has no certificate fingerprint")]
    FingerprintMissing,
    /// 7. The SDP or the token has a fingerprint by a broken or unknown hash function.
    #[error("the description has a certificate fingerprint that is malformed or weaker than SHA-256")]
    FingerprintWeak,
    /// 7. The token was signed for another certificate.
    #[error("the description has other certificate fingerprints than the token")]
    FingerprintMismatch,
    /// 8. This token was used before.
    #[error("the token was used before")]
    Replayed,
    /// 8. No room to remember the token.
    #[error("too many tokens were used recently")]
    ReplayCacheFull,
}

impl Refusal {
    /// The reason as a stable name for programs and tests.
    pub fn reason(self) -> &'static str {
        match self {
            Self::TokenTooLarge => "token-too-large",
            Self::TokenMalformed => "token-malformed",
            Self::KeyMissing => "key-missing",
            Self::KeyMalformed => "key-malformed",
            Self::KeyUnknown => "key-unknown",
            Self::KeySetUnavailable => "key-set-unavailable",
            Self::KeySetLimited => "key-set-limited",
            Self::KeyMismatch => "key-mismatch",
            Self::AlgorithmNotAllowed => "algorithm-not-allowed",
            Self::AlgorithmMismatch => "algorithm-mismatch",
            Self::CriticalHeader => "critical-header",
            Self::SignatureInvalid => "signature-invalid",
            Self::TypeWrong => "type-wrong",
            Self::ActWrong => "act-wrong",
            Self::IdentityMismatch => "identity-mismatch",
            Self::AudienceWrong => "audience-wrong",
            Self::SessionWrong => "session-wrong",
            Self::NonceWrong => "nonce-wrong",
            Self::OfferWrong => "offer-wrong",
            Self::ClaimMissing => "claim-missing",
            Self::Expired => "expired",
            Self::NotYetValid => "not-yet-valid",
            Self::LifetimeTooLong => "lifetime-too-long",
            Self::FingerprintMissing => "fingerprint-missing",
            Self::FingerprintWeak => "fingerprint-weak",
            Self::FingerprintMismatch => "fingerprint-mismatch",
            Self::Replayed => "replayed",
            Self::ReplayCacheFull => "replay-cache-full",
        }
    }
}
