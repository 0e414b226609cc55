//! What is asked of a registry, and what it answers.

use std::sync::Arc;

use crate::cluster::{Bus, Holder};
use crate::error::ErrorBody;
use crate::first_use::FirstUsePolicy;
use crate::server::auth::Denied;
use crate::server::handle::Handle;
use crate::uri::AgentUri;

/// What speaks for a claim of a name that is taken.
#[derive(Debug, Clone, Copy, Default)]
pub(in crate::server) struct Credentials<'a> {
    /// The token of an earlier registration.
    pub(in crate::server) resume: Option<&'a str>,
    /// Who the claimant has proven to be; see [`Identity::owner`](crate::Identity::owner).
    pub(in crate::server) owner: Option<&'a str>,
    /// Its owner keeps the name when it goes.
    pub(in crate::server) first_use: Option<FirstUsePolicy>,
    /// The registration that was found not to answer.
    pub(in crate::server) dead: Option<&'a Holding>,
}

/// Outcome of [`Registry::claim`].
#[derive(Debug)]
pub(in crate::server) enum Claim {
    /// The agent is registered to the claimant. `displaced` has lost it.
    Granted { resume: String, displaced: Option<Arc<Handle>> },
    /// Somebody else has it, and must prove to be alive to keep it.
    Held(Holding),
    /// Not for the moment.
    Refused(ErrorBody),
    /// The claimant may not have it, whoever is registered.
    Denied(Denied),
}

/// Who has a name.
#[derive(Debug)]
pub(in crate::server) enum Holding {
    /// A connection of this server.
    Here(Arc<Handle>),
    /// A registration with another server of the cluster, or with this one, which is just being made.
    There(Holder),
}

impl Holding {
    pub(super) fn is(&self, owner: &Handle) -> bool {
        matches!(self, Self::Here(handle) if handle.id == owner.id)
    }
}

/// The way to a recipient.
#[derive(Debug)]
pub(in crate::server) enum Route {
    /// A connection of this server.
    Here(Arc<Handle>),
    /// Through the cluster, which knows whether there is one.
    There(Arc<Bus<Asked>>),
}

/// How far leaving a room has come.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum Leaving {
    /// The agent is out, and is to be told.
    Done,
    /// The agent is told in its turn.
    UnderWay,
}

/// How an agent went out of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::server) enum Departure {
    /// It said so.
    Left,
    /// Its connection ended, or was found dead.
    Lost,
    /// This server sends it away. In a cluster it stays in its rooms for as long as it may take to come back elsewhere.
    Moving,
}

/// Why an agent was not put into a room.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::server) enum NotJoined {
    Refused(ErrorBody),
    /// Its own connection does not read the answer.
    TooSlow,
}

/// Whom the answer to a command concerns.
#[derive(Debug)]
pub(in crate::server) enum Asked {
    Letter(Letter),
    Pending(u64),
    Published { agent: AgentUri, reg: u64 },
    Remembered,
}

/// A message for another server, as its sender sees it.
#[derive(Debug)]
pub(in crate::server) struct Letter {
    pub(in crate::server) sender: Arc<Handle>,
    pub(in crate::server) from: AgentUri,
    pub(in crate::server) to: AgentUri,
    pub(in crate::server) session_id: Option<String>,
    /// Its sender is not told if it cannot be delivered.
    pub(in crate::server) is_error: bool,
}
