//! Who is connected under which name, and the rule of who may take a name over.

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, mpsc};
use tokio::time::Instant;
use tokio_tungstenite::tungstenite::Utf8Bytes;

use super::rooms::{RoomLimits, Rooms};
use crate::{AgentUri, ErrorBody, RoomName, ServerFrame, code};

/// Bookkeeping per queued frame, counted so that many empty frames are bounded too.
const FRAME_OVERHEAD: usize = 64;

/// Something to be written to a client.
#[derive(Debug)]
pub(super) enum Outgoing {
    Text(Utf8Bytes),
    Ping,
}

impl Outgoing {
    pub(super) fn cost(&self) -> usize {
        FRAME_OVERHEAD
            + match self {
                Self::Text(text) => text.len(),
                Self::Ping => 0,
            }
    }
}

/// Why the server closes a connection: close code and reason of the WebSocket close frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Close {
    pub(super) code: u16,
    pub(super) reason: &'static str,
}

/// A connection as the other connections see it.
#[derive(Debug)]
pub(super) struct Handle {
    pub(super) id: u64,
    queue: mpsc::UnboundedSender<Outgoing>,
    /// Bytes in `queue`: the bound that makes it a bounded queue.
    queued: AtomicUsize,
    max_queue_bytes: usize,
    /// Agents registered through this connection.
    pub(super) registrations: AtomicUsize,
    /// Notified for every frame received.
    pub(super) heard: Notify,
    last_heard: Mutex<Instant>,
    closing: OnceLock<Close>,
    kill: Notify,
}

/// The queue of a client is full: it has been told to go.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct TooSlow;

impl Handle {
    pub(super) fn new(id: u64, max_queue_bytes: usize) -> (Arc<Self>, mpsc::UnboundedReceiver<Outgoing>) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let handle = Self {
            id,
            queue,
            queued: AtomicUsize::new(0),
            max_queue_bytes,
            registrations: AtomicUsize::new(0),
            heard: Notify::new(),
            last_heard: Mutex::new(Instant::now()),
            closing: OnceLock::new(),
            kill: Notify::new(),
        };
        (Arc::new(handle), receiver)
    }

    /// Queues a frame. A client whose queue is full is disconnected: waiting for it would stop the sender, and
    /// dropping single frames would leave a set-up half done.
    pub(super) fn push(&self, outgoing: Outgoing) -> Result<(), TooSlow> {
        let cost = outgoing.cost();
        if self.queued.fetch_add(cost, Ordering::Relaxed) + cost > self.max_queue_bytes {
            self.queued.fetch_sub(cost, Ordering::Relaxed);
            self.close(Close {
                code: crate::close_code::SLOW_CONSUMER,
                reason: "messages are not being read",
            });
            return Err(TooSlow);
        }
        // An error means that the connection has just ended: its messages are lost like those a moment later.
        let _ = self.queue.send(outgoing);
        Ok(())
    }

    /// The writer took a frame out of the queue.
    pub(super) fn taken(&self, cost: usize) {
        self.queued.fetch_sub(cost, Ordering::Relaxed);
    }

    /// The client sent something, be it the answer to a ping.
    pub(super) fn was_heard(&self) {
        *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner) = Instant::now();
        self.heard.notify_waiters();
    }

    /// When the client last sent something; at first when it connected.
    pub(super) fn last_heard(&self) -> Instant {
        *self.last_heard.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the connection end; the first reason counts.
    pub(super) fn close(&self, close: Close) {
        if self.closing.set(close).is_ok() {
            self.kill.notify_one();
        }
    }

    /// Waits for [`close`](Self::close). Only the connection itself may call this.
    pub(super) async fn killed(&self) -> Close {
        loop {
            if let Some(close) = self.closing.get() {
                return *close;
            }
            self.kill.notified().await;
        }
    }
}

#[derive(Debug)]
struct Entry {
    owner: Arc<Handle>,
    resume: String,
    rooms: BTreeSet<RoomName>,
    /// Who the agent has proven to be.
    identity: Option<String>,
    /// When it last got TURN credentials.
    credentials_at: Option<Instant>,
}

/// What speaks for a claim of a name that is taken.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Credentials<'a> {
    /// The token of an earlier registration.
    pub(super) resume: Option<&'a str>,
    /// Who the claimant has proven to be; see [`Identity::owner`](super::auth::Identity::owner).
    pub(super) owner: Option<&'a str>,
    /// The connection that was found not to answer.
    pub(super) dead: Option<u64>,
}

#[derive(Debug, Default)]
struct State {
    agents: HashMap<AgentUri, Entry>,
    rooms: Rooms,
}

/// All registered agents, and their rooms.
#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
}

/// Outcome of [`Registry::claim`].
#[derive(Debug)]
pub(super) enum Claim {
    /// The agent is registered to the claimant. `displaced` has lost it.
    Granted { resume: String, displaced: Option<Arc<Handle>> },
    /// Somebody else has it, and must prove to be alive to keep it.
    Held(Arc<Handle>),
}

/// How an agent went out of a room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Departure {
    /// It said so.
    Left,
    /// Its connection ended, or was found dead.
    Lost,
}

/// Why an agent was not put into a room.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum NotJoined {
    Refused(ErrorBody),
    /// Its own connection does not read the answer.
    TooSlow,
}

impl Registry {
    fn lock(&self) -> MutexGuard<'_, State> {
        // No code panics while it holds the lock; if it did, the maps would still be consistent.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Registered agents.
    pub(super) fn len(&self) -> usize {
        self.lock().agents.len()
    }

    /// Rooms that somebody is in.
    pub(super) fn rooms(&self) -> usize {
        self.lock().rooms.len()
    }

    /// Some agents and some rooms with the number of their members, at most `limit` of each.
    pub(super) fn listing(&self, limit: usize) -> (Vec<AgentUri>, Vec<(RoomName, usize)>) {
        let state = self.lock();
        let agents = state.agents.keys().take(limit).cloned().collect();
        (agents, state.rooms.listing(limit))
    }

    /// Registers `agent` for `claimant` if it is free, already the claimant's, claimed with the right resume token or by
    /// its owner, or still held by a connection that was found not to answer. With the token it stays in its rooms.
    pub(super) fn claim(
        &self,
        agent: &AgentUri,
        claimant: &Arc<Handle>,
        credentials: Credentials<'_>,
    ) -> Claim {
        let Credentials { resume, owner, dead } = credentials;
        let identity = owner.map(str::to_owned);
        let mut state = self.lock();
        let mut rooms = BTreeSet::new();
        let (resume, displaced) = match state.agents.get_mut(agent) {
            None => (uuid::Uuid::new_v4().simple().to_string(), None),
            Some(entry) if entry.owner.id == claimant.id => {
                entry.identity = identity;
                return Claim::Granted { resume: entry.resume.clone(), displaced: None };
            }
            Some(entry) if resume.is_some_and(|token| same_secret(token, &entry.resume)) => {
                rooms = std::mem::take(&mut entry.rooms);
                (entry.resume.clone(), Some(entry.owner.clone()))
            }
            // A new token: whoever knew the old one is not necessarily the new owner.
            Some(entry)
                if dead == Some(entry.owner.id)
                    || (owner.is_some() && entry.identity.as_deref() == owner) =>
            {
                let owner = entry.owner.clone();
                state.depart_all(agent, Departure::Lost);
                (uuid::Uuid::new_v4().simple().to_string(), Some(owner))
            }
            Some(entry) => return Claim::Held(entry.owner.clone()),
        };
        let entry =
            Entry { owner: claimant.clone(), resume: resume.clone(), rooms, identity, credentials_at: None };
        state.agents.insert(agent.clone(), entry);
        claimant.registrations.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = &displaced {
            old.registrations.fetch_sub(1, Ordering::Relaxed);
        }
        Claim::Granted { resume, displaced }
    }

    /// Gives `agent` up if `owner` has it.
    pub(super) fn release(&self, agent: &AgentUri, owner: &Handle, how: Departure) -> bool {
        let mut state = self.lock();
        if state.agents.get(agent).is_none_or(|entry| entry.owner.id != owner.id) {
            return false;
        }
        state.depart_all(agent, how);
        state.agents.remove(agent);
        owner.registrations.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// Puts `agent` into `room`, answers `owner` with the list of members and tells the others.
    pub(super) fn join(
        &self,
        agent: &AgentUri,
        owner: &Handle,
        room: &RoomName,
        limits: RoomLimits,
    ) -> Result<(), NotJoined> {
        let mut state = self.lock();
        let State { agents, rooms } = &mut *state;
        let entry = own(agents, agent, owner).map_err(NotJoined::Refused)?;
        let fresh = rooms.join(agent, room, &mut entry.rooms, limits).map_err(NotJoined::Refused)?;
        // All frames about a room are queued under the lock, so that everybody sees its changes in one order.
        let members = rooms.members(room).cloned().collect();
        let answer = ServerFrame::Joined { agent_id: agent.clone(), room: room.clone(), members };
        let answered = owner.push(Outgoing::Text(answer.to_json().into()));
        if fresh {
            state.tell_others(agent, room, |frame| frame.joined.push(agent.clone()));
        }
        answered.map_err(|TooSlow| NotJoined::TooSlow)
    }

    /// Takes `agent` out of `room` and tells the others; not being in it is no error.
    pub(super) fn leave(&self, agent: &AgentUri, owner: &Handle, room: &RoomName) -> Result<(), ErrorBody> {
        let mut state = self.lock();
        if own(&mut state.agents, agent, owner)?.rooms.remove(room) {
            state.depart(agent, room, Departure::Left);
        }
        Ok(())
    }

    /// `agent` is being given TURN credentials, if `owner` has it.
    pub(super) fn gave_credentials(&self, agent: &AgentUri, owner: &Handle, now: Instant) {
        if let Ok(entry) = own(&mut self.lock().agents, agent, owner) {
            entry.credentials_at = Some(now);
        }
    }

    /// The agents whose credentials are older than `age`, which count as new from now on.
    pub(super) fn credentials_older_than(&self, age: Duration, now: Instant) -> Vec<(AgentUri, Arc<Handle>)> {
        let mut state = self.lock();
        let due = state.agents.iter_mut().filter(|(_, entry)| {
            entry.credentials_at.is_some_and(|at| now.saturating_duration_since(at) >= age)
        });
        due.map(|(agent, entry)| {
            entry.credentials_at = Some(now);
            (agent.clone(), entry.owner.clone())
        })
        .collect()
    }

    /// Whether `agent` is registered to `owner`, and the connection that `recipient` is registered to.
    pub(super) fn route(
        &self,
        agent: &AgentUri,
        owner: &Handle,
        recipient: &AgentUri,
    ) -> (bool, Option<Arc<Handle>>) {
        let state = self.lock();
        let owned = state.agents.get(agent).is_some_and(|entry| entry.owner.id == owner.id);
        (owned, state.agents.get(recipient).map(|entry| entry.owner.clone()))
    }
}

/// Nobody is put into a room by somebody else.
fn own<'a>(
    agents: &'a mut HashMap<AgentUri, Entry>,
    agent: &AgentUri,
    owner: &Handle,
) -> Result<&'a mut Entry, ErrorBody> {
    match agents.get_mut(agent) {
        Some(entry) if entry.owner.id == owner.id => Ok(entry),
        _ => {
            let text = format!("{agent} is not registered on this connection");
            Err(ErrorBody::new(code::UNAUTHORIZED, text))
        }
    }
}

/// Who came and went, for one `members` frame.
#[derive(Default)]
struct Changes {
    joined: Vec<AgentUri>,
    left: Vec<AgentUri>,
    lost: Vec<AgentUri>,
}

impl State {
    fn depart_all(&mut self, agent: &AgentUri, how: Departure) {
        let rooms = self.agents.get_mut(agent).map(|entry| std::mem::take(&mut entry.rooms));
        for room in rooms.unwrap_or_default() {
            self.depart(agent, &room, how);
        }
    }

    fn depart(&mut self, agent: &AgentUri, room: &RoomName, how: Departure) {
        self.rooms.leave(agent, room);
        self.tell_others(agent, room, |frame| match how {
            Departure::Left => frame.left.push(agent.clone()),
            Departure::Lost => frame.lost.push(agent.clone()),
        });
    }

    /// Queues a notice for everybody in `room` but `agent`. Whoever does not read is disconnected by that.
    fn tell_others(&self, agent: &AgentUri, room: &RoomName, fill: impl Fn(&mut Changes)) {
        for other in self.rooms.members(room).filter(|other| *other != agent) {
            let Some(entry) = self.agents.get(other) else { continue };
            let mut changes = Changes::default();
            fill(&mut changes);
            let Changes { joined, left, lost } = changes;
            let notice =
                ServerFrame::Members { agent_id: other.clone(), room: room.clone(), joined, left, lost };
            let _ = entry.owner.push(Outgoing::Text(notice.to_json().into()));
        }
    }
}

/// Compares without telling by its duration how many bytes were right.
pub(super) fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}
