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
