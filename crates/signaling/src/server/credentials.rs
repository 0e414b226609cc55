//! The TURN servers that agents are told of: those of the operator, and the one that shares the port.

use std::time::Duration;

use super::Shared;
use super::registration::unix_ms;
use crate::control::AuthMode;
use crate::turn::IceServer;
use crate::uri::AgentUri;

impl Shared {
    /// How long the credentials are good that agents of this server get; `None` if they get none. Nobody gets any for showing nothing,
    /// or everybody could relay here.
    pub(super) fn credentials_ttl(&self) -> Option<Duration> {
        let open = self.config.authenticator.mode() == AuthMode::Open;
        let turn = self.config.turn.as_ref().filter(|turn| turn.allow_open || !open).map(|turn| turn.ttl);
        let relay = self.config.relay.as_ref().filter(|relay| relay.allow_open() || !open);
        turn.into_iter().chain(relay.map(|relay| relay.ttl())).min()
    }

    /// The servers for an agent that has dialled this name.
    pub(super) fn ice_servers(&self, agent: &AgentUri, dialled: Option<&str>) -> Vec<IceServer> {
        let open = self.config.authenticator.mode() == AuthMode::Open;
        let mut servers = Vec::new();
        // Its own comes first: it is where the agent comes through already.
        if let Some(relay) = self.config.relay.as_ref().filter(|relay| relay.allow_open() || !open) {
            servers.extend(relay.ice_servers(agent, dialled, unix_ms()));
        }
        if let Some(turn) = self.config.turn.as_ref().filter(|turn| turn.allow_open || !open) {
            servers.extend(turn.ice_servers(agent, unix_ms()));
        }
        servers
    }
}
