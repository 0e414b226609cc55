//! Registration with a signaling server: who proves what to it.
//!
//! - [`ProofSigner`] answers the challenge of a server, [`verify_proof`] decides about an answer.
//! - [`KnownKeys`]: an authenticator for agents whose keys can be looked up.
//! - [`FirstUse`]: one that gives a name to the first key that proves itself under it.
//! - [`Bearer`]: one for tokens of another kind, which somebody else decides about.

mod bearer;
mod first_use;
mod keys;
mod proof;
#[cfg(test)]
mod proof_tests;

pub use bearer::{Bearer, TokenSource, TokenVerdict, Verdicts};
pub use first_use::{FirstUse, FirstUseConfig};
pub use keys::{FoundKeys, KeySource, KnownKeys, NoKeys};
pub use proof::{PresentedProof, ProofSigner, verify_proof};

use std::borrow::Cow;

use ossa_signaling::{Denied, ErrorBody, code};

/// What every refused proof or token is answered with: whoever tries must not learn which keys, names and clocks would do.
fn denied(reason: impl Into<Cow<'static, str>>) -> Denied {
    let text = "the registration was refused: the proof or token was not accepted; the server's log says why";
    Denied { error: ErrorBody::new(code::UNAUTHORIZED, text), reason: reason.into() }
}

/// The fault is not the agent's.
fn unavailable(reason: impl Into<Cow<'static, str>>) -> Denied {
    let text = "the registration cannot be verified at the moment; try again later";
    Denied { error: ErrorBody::new(code::INTERNAL_ERROR, text), reason: reason.into() }
}
