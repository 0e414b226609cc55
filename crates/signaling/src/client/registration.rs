//! The first frames of a connection: who the agent is, and how it proves that.

use std::time::Duration;

use super::end::End;
use super::event::ClientEvent;
use super::prover::{Challenge, Proof, Prover};
use super::session::{Session, texts};
use super::transport::{Incoming, Job, Receiver};
use super::writer::Writer;
use crate::control::{ClientFrame, ServerFrame};
use crate::error::{ErrorBody, code};
use crate::turn::IceServer;

impl Session<'_> {
    /// Returns what the server can do.
    pub(super) async fn register(
        &mut self,
        writer: &mut Writer,
        receiver: &mut Receiver,
    ) -> Result<Vec<String>, End> {
        let agent = self.state.config.agent.clone();
        let prover = self.state.config.prover.clone();
        let token = match &prover {
            Some(prover) => prover.token().await.map_err(End::lost)?,
            None => None,
        };
        let resume = self.state.resume.clone();
        let frame = ClientFrame::Register { agent: agent.clone(), resume, token };
        writer.write(Job::Frames(texts(vec![frame]))).await?;
        loop {
            let Incoming::Text(text) = receiver.next().await? else { continue };
            match ServerFrame::parse(&text) {
                Some(ServerFrame::Registered {
                    agent_id,
                    resume,
                    features,
                    ice_servers,
                    ice_servers_ttl,
                    ..
                }) if agent_id == agent => {
                    self.state.resume = Some(resume);
                    self.ice_servers(ice_servers, ice_servers_ttl.unwrap_or(0)).await;
                    return Ok(features);
                }
                Some(ServerFrame::Challenge { agent_id, nonce, .. }) if agent_id == agent => {
                    let frame = self.prove(prover.as_deref(), &nonce).await?;
                    writer.write(Job::Frames(texts(vec![frame]))).await?;
                }
                // What may be different later; any other refusal stays.
                Some(ServerFrame::Error { error, .. })
                    if matches!(error.code.as_str(), code::RATE_LIMIT_EXCEEDED | code::INTERNAL_ERROR) =>
                {
                    return Err(End::lost(error.message));
                }
                Some(ServerFrame::Error { error, .. }) => return Err(End::Refused(error)),
                _ => {}
            }
        }
    }

    /// The answer to a challenge.
    async fn prove(&self, prover: Option<&dyn Prover>, nonce: &str) -> Result<ClientFrame, End> {
        let agent = &self.state.config.agent;
        // What was dialled, whatever the server believes to be: it may pass on what another server wants to know.
        let audience = self.address.audience();
        let challenge = Challenge { agent, nonce, audience: &audience };
        let proof = match prover {
            Some(prover) => prover.prove(challenge).await.map_err(End::lost)?,
            None => None,
        };
        let Some(Proof { proof, public_key }) = proof else {
            let url = self.address.shown();
            let text = format!("{url} wants proof of the key of {agent}, and none is configured");
            return Err(End::Refused(ErrorBody::new(code::UNAUTHORIZED, text)));
        };
        Ok(ClientFrame::Prove { agent: agent.clone(), proof, public_key: Some(public_key) })
    }

    /// Passes servers on; that there are none is worth saying only if there were some before.
    pub(super) async fn ice_servers(&mut self, servers: Vec<IceServer>, ttl: u64) {
        if servers.is_empty() && !self.state.had_ice_servers {
            return;
        }
        self.state.had_ice_servers = !servers.is_empty();
        let ttl = Duration::from_secs(ttl);
        self.state.emit(ClientEvent::IceServers { servers, ttl }).await;
    }
}
