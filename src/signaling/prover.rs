//! What an agent shows to a signaling server, as `ts/signaling/client/prover.ts` sees it.

use std::sync::{Arc, Mutex, PoisonError};

use napi::Result;
use napi::bindgen_prelude::{FnArgs, Function};
use napi_derive::napi;
use ossa_agent::auth::SigningKey;
use ossa_agent::auth::registration::ProofSigner;
use ossa_signaling::{Challenge, Proof, Prover, Proving};
use serde::Deserialize;

use super::ask::Asker;
use crate::base::identity::key_error;
use crate::base::system::{random_seed, unix_ms};

/// What an agent has to show.
#[napi(object, object_to_js = false)]
pub struct SignalingProverOptions {
    /// PEM; without one challenges cannot be answered.
    pub private_key: Option<String>,
    /// Name of the key; its thumbprint if there is none.
    pub kid: Option<String>,
    /// A bearer token is asked for.
    pub token: bool,
}

/// Speaks for one agent.
#[napi]
pub struct SignalingProver {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    signer: Option<Mutex<ProofSigner>>,
    token: bool,
    asker: Asker,
}

#[napi]
impl SignalingProver {
    /// `ask` is called with the number of a question when a bearer token is needed, to be answered by `{token}` or
    /// `{error}`.
    #[napi(constructor)]
    pub fn new(
        options: SignalingProverOptions,
        ask: Function<'_, FnArgs<(u32, String)>, ()>,
    ) -> Result<Self> {
        let signer = match options.private_key {
            Some(pem) => {
                let key = SigningKey::from_pem(&pem).map_err(key_error)?;
                Some(Mutex::new(ProofSigner::new(key, options.kid, random_seed())))
            }
            None => None,
        };
        let shared = Shared { signer, token: options.token, asker: Asker::new(&ask)? };
        Ok(Self { shared: Arc::new(shared) })
    }

    /// Answers a question.
    #[napi]
    pub fn answer(&self, id: u32, answer: String) {
        self.shared.asker.answer(id, answer);
    }
}

impl SignalingProver {
    pub(super) fn prover(&self) -> Arc<dyn Prover> {
        self.shared.clone()
    }
}

impl Prover for Shared {
    fn token(&self) -> Proving<'_, Option<String>> {
        #[derive(Deserialize)]
        struct Answer {
            #[serde(default)]
            token: Option<String>,
            #[serde(default)]
            error: Option<String>,
        }
        Box::pin(async {
            if !self.token {
                return Ok(None);
            }
            let answer = self.asker.ask("{}".to_owned()).await;
            let answer = answer.as_deref().and_then(|answer| serde_json::from_str(answer).ok());
            match answer.unwrap_or(Answer { token: None, error: None }) {
                Answer { token: Some(token), .. } => Ok(Some(token)),
                Answer { error: Some(error), .. } => Err(error),
                _ => Err("there was no bearer token".to_owned()),
            }
        })
    }

    fn prove<'a>(&'a self, challenge: Challenge<'a>) -> Proving<'a, Option<Proof>> {
        let proof = self.signer.as_ref().map(|signer| {
            let mut signer = signer.lock().unwrap_or_else(PoisonError::into_inner);
            signer.sign(&challenge, unix_ms()).map_err(|error| error.to_string())
        });
        Box::pin(std::future::ready(proof.transpose()))
    }
}
