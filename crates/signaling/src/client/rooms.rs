//! The rooms that the application wants to be in, whatever happens to the connection.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::time::Instant;

use crate::control::{ClientFrame, ServerFrame};
use crate::error::{ErrorBody, code};
use crate::room::RoomName;
use crate::uri::AgentUri;

/// A room that has refused us after a loss of the connection, because it was full, is asked again after so long.
const RETRY: Duration = Duration::from_secs(10);

/// What a client reports about a room.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RoomEvent {
    /// The agent is in the room: for the first time, or again after a loss of the connection.
    Entered {
        /// The room.
        room: RoomName,
        /// Everybody in it, this agent included.
        members: Vec<AgentUri>,
    },
    /// Others have come or gone.
    Changed {
        /// The room.
        room: RoomName,
        /// Those who came.
        joined: Vec<AgentUri>,
        /// Those who left as they wanted.
        left: Vec<AgentUri>,
        /// Those whose connection to the server is lost.
        lost: Vec<AgentUri>,
    },
    /// The agent is not in the room any more, as it wanted.
    Left(RoomName),
    /// The server does not let the agent in.
    Refused {
        /// The room.
        room: RoomName,
        /// Why.
        error: ErrorBody,
        /// The agent was in before: the client goes on asking. Otherwise that is up to the application.
        again: bool,
    },
}

/// What the application asks for.
#[derive(Debug)]
pub(super) enum RoomRequest {
    Join(RoomName),
    Leave(RoomName),
}

/// Rooms wanted, and how that goes.
#[derive(Debug)]
pub(super) struct Rooms {
    requests: mpsc::UnboundedReceiver<RoomRequest>,
    /// Whether the agent was in the room before.
    wanted: BTreeMap<RoomName, bool>,
    /// When to ask those again that have refused.
    retry: Option<Instant>,
    /// On the present connection.
    supported: bool,
}

impl Rooms {
    pub(super) fn new(requests: mpsc::UnboundedReceiver<RoomRequest>) -> Self {
        Self { requests, wanted: BTreeMap::new(), retry: None, supported: false }
    }

    /// A connection begins, with a server that knows rooms or not.
    pub(super) fn connected(&mut self, supported: bool) {
        self.supported = supported;
        self.retry = None;
    }

    /// The frames that put the agent back into its rooms.
    pub(super) fn rejoin(&self, agent: &AgentUri) -> Vec<ClientFrame> {
        let join = |room: &RoomName| ClientFrame::Join { agent: agent.clone(), room: room.clone() };
        if self.supported { self.wanted.keys().map(join).collect() } else { Vec::new() }
    }

    /// What the application has to know if the server that we came back to knows no rooms.
    pub(super) fn unsupported(&self) -> Vec<RoomEvent> {
        let refused =
            |room: &RoomName| RoomEvent::Refused { room: room.clone(), error: no_rooms(), again: true };
        if self.supported { Vec::new() } else { self.wanted.keys().map(refused).collect() }
    }

    /// The next frame to send, or the answer if there is no sense in asking. Cancel safe; pending when idle.
    pub(super) async fn next(&mut self, agent: &AgentUri) -> Result<Vec<ClientFrame>, RoomEvent> {
        let retry = self.retry;
        let due = async {
            match retry {
                Some(at) => tokio::time::sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = due => {
                self.retry = None;
                Ok(self.rejoin(agent))
            }
            request = self.requests.recv() => match request {
                Some(RoomRequest::Join(room)) if self.supported => {
                    self.wanted.entry(room.clone()).or_insert(false);
                    Ok(vec![ClientFrame::Join { agent: agent.clone(), room }])
                }
                Some(RoomRequest::Join(room)) => {
                    Err(RoomEvent::Refused { room, error: no_rooms(), again: false })
                }
                Some(RoomRequest::Leave(room)) => {
                    self.wanted.remove(&room);
                    if self.supported {
                        Ok(vec![ClientFrame::Leave { agent: agent.clone(), room }])
                    } else {
                        Err(RoomEvent::Left(room))
                    }
                }
                // The `Client` was dropped, which ends the connection by itself.
                None => std::future::pending().await,
            }
        }
    }

    /// What a frame of the server means; the frame itself if it is not about a room.
    pub(super) fn received(&mut self, frame: ServerFrame) -> Result<RoomEvent, ServerFrame> {
        Ok(match frame {
            ServerFrame::Joined { room, members, .. } => {
                if let Some(entered) = self.wanted.get_mut(&room) {
                    *entered = true;
                }
                RoomEvent::Entered { room, members }
            }
            ServerFrame::Members { room, joined, left, lost, .. } => {
                RoomEvent::Changed { room, joined, left, lost }
            }
            ServerFrame::Left { room, .. } => RoomEvent::Left(room),
            ServerFrame::Error { room: Some(room), error, .. } => {
                let again = self.wanted.get(&room).copied().unwrap_or(false);
                if again {
                    self.retry = Some(Instant::now() + RETRY);
                } else {
                    self.wanted.remove(&room);
                }
                RoomEvent::Refused { room, error, again }
            }
            other => return Err(other),
        })
    }
}

fn no_rooms() -> ErrorBody {
    ErrorBody::new(code::PROTOCOL_ERROR, "the signaling server knows no rooms")
}
