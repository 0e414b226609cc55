//! Who is connected under which name, and the rule of who may take a name over.

mod clustered;
mod events;
mod messages;
mod outcome;
mod view;

use std::collections::{BTreeSet, HashMap};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::auth::Denied;
pub(super) use super::handle::{Close, Handle, Outgoing, TooSlow};
use super::rooms::{RoomLimits, Rooms};
use crate::cluster::RoomsOf;
use crate::control::ServerFrame;
use crate::error::{ErrorBody, code};
use crate::first_use::FirstUsePolicy;
use crate::room::RoomName;
use crate::uri::AgentUri;
use clustered::{Change, Clustered, Stage, unix_ms};
pub(super) use outcome::{Asked, Claim, Credentials, Departure, Holding, Leaving, Letter, NotJoined, Route};

#[derive(Debug)]
struct Entry {
    owner: Arc<Handle>,
    resume: String,
    rooms: BTreeSet<RoomName>,
    /// Tells this registration from all others of this server. Like `since` it matters in a cluster only.
    reg: u64,
    /// When it was made, in milliseconds since 1970: of two registrations of the same agent the later one counts.
    since: u64,
    /// Who the agent has proven to be.
    identity: Option<String>,
    /// Whether the name stays its owner's.
    first_use: Option<FirstUsePolicy>,
    /// When it last got TURN credentials.
    credentials_at: Option<Instant>,
}

#[derive(Debug, Default)]
struct State {
    agents: HashMap<AgentUri, Entry>,
    rooms: Rooms,
    /// None: this server is alone, and none of what follows from it happens.
    cluster: Option<Clustered>,
}

/// Agents, and rooms with their members.
type Listing = (Vec<AgentUri>, Vec<(RoomName, Vec<AgentUri>)>);

/// All registered agents, and their rooms.
#[derive(Debug, Default)]
pub(super) struct Registry {
    state: Mutex<State>,
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

    /// Some agents, and some rooms with their members: at most so many of either, and with `search` those in whose names that is.
    pub(super) fn listing(&self, most_agents: usize, most_rooms: usize, search: Option<&str>) -> Listing {
        let wanted = |name: &str| search.is_none_or(|search| is_in(search, name));
        let state = self.lock();
        let agents = state.agents.keys().filter(|agent| wanted(agent.as_str()));
        let rooms = state.rooms.names().filter(|room| wanted(room.as_str()));
        let rooms = rooms.take(most_rooms).map(|room| {
            let members = state.rooms.members(room).cloned().collect();
            (room.clone(), members)
        });
        (agents.take(most_agents).cloned().collect(), rooms.collect())
    }

    /// Registers `agent` for `claimant` if it is free, already the claimant's, claimed with the right resume token or by
    /// its owner, or still held by a connection that was found not to answer. With the token it stays in its rooms.
    pub(super) async fn claim(
        &self,
        agent: &AgentUri,
        claimant: &Arc<Handle>,
        credentials: Credentials<'_>,
    ) -> Claim {
        loop {
            let verdict = match self.claim_here(agent, claimant, credentials) {
                Stage::Decided(claim) => return claim,
                Stage::Asked(verdict) => verdict,
            };
            // If the cluster is lost meanwhile, this server decides.
            if let Ok(Some(claim)) = verdict.await {
                return claim;
            }
        }
    }

    fn claim_here(&self, agent: &AgentUri, claimant: &Arc<Handle>, credentials: Credentials<'_>) -> Stage {
        let Credentials { resume, owner, first_use, dead } = credentials;
        let identity = owner.map(str::to_owned);
        let mut state = self.lock();
        if state.is_cut_off() && first_use.is_some_and(|policy| !policy.known) {
            return Stage::Decided(Claim::Denied(Denied::unavailable("cluster-lost")));
        }
        if state.bus().is_some() && !state.agents.contains_key(agent) {
            return state.ask_for(agent, claimant, credentials);
        }
        let mut rooms = BTreeSet::new();
        let mut resumed = false;
        let (token, displaced) = match state.agents.get_mut(agent) {
            None => (state.token_for(resume), None),
            Some(entry) if entry.owner.id == claimant.id => {
                entry.identity = identity;
                return Stage::Decided(Claim::Granted { resume: entry.resume.clone(), displaced: None });
            }
            Some(entry) if resume.is_some_and(|token| same_secret(token, &entry.resume)) => {
                rooms = std::mem::take(&mut entry.rooms);
                resumed = true;
                (entry.resume.clone(), Some(entry.owner.clone()))
            }
            // A new token: whoever knew the old one is not necessarily the new owner.
            Some(entry)
                if dead.is_some_and(|dead| dead.is(&entry.owner))
                    || (owner.is_some() && entry.identity.as_deref() == owner) =>
            {
                let owner = entry.owner.clone();
                rooms = state.vacate(agent);
                (new_token(), Some(owner))
            }
            Some(entry) => return Stage::Decided(Claim::Held(Holding::Here(entry.owner.clone()))),
        };
        let (reg, since) = (state.next_id(), unix_ms());
        let entry = Entry {
            owner: claimant.clone(),
            resume: token.clone(),
            rooms,
            reg,
            since,
            identity,
            first_use,
            credentials_at: None,
        };
        state.agents.insert(agent.clone(), entry);
        claimant.registrations.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = &displaced {
            old.registrations.fetch_sub(1, Ordering::Relaxed);
        }
        state.publish(agent, if resumed { RoomsOf::Keep } else { RoomsOf::Exactly(&[]) }, None);
        Stage::Decided(Claim::Granted { resume: token, displaced })
    }

    /// Gives `agent` up if `owner` has it.
    pub(super) fn release(&self, agent: &AgentUri, owner: &Handle, how: Departure) -> bool {
        let mut state = self.lock();
        let Some(entry) = state.agents.get(agent).filter(|entry| entry.owner.id == owner.id) else {
            return false;
        };
        let reg = entry.reg;
        if !state.release_there(agent, reg, how) {
            state.depart_all(agent, how);
        }
        state.agents.remove(agent);
        owner.registrations.fetch_sub(1, Ordering::Relaxed);
        true
    }

    /// Puts `agent` into `room`, answers `owner` with the list of members and tells the others.
    pub(super) fn join(
        &self,
        agent: &AgentUri,
        owner: &Arc<Handle>,
        room: &RoomName,
        limits: RoomLimits,
    ) -> Result<(), NotJoined> {
        let mut state = self.lock();
        let reg = own(&mut state.agents, agent, owner).map_err(NotJoined::Refused)?.reg;
        if let Some(bus) = state.bus() {
            let asked = state.change_there(&bus, Change::Join, (agent, reg), owner, room);
            return asked.map_err(NotJoined::Refused);
        }
        state.join_here(agent, owner, room, limits)
    }

    /// Takes `agent` out of `room` and tells the others; not being in it is no error.
    pub(super) fn leave(
        &self,
        agent: &AgentUri,
        owner: &Arc<Handle>,
        room: &RoomName,
    ) -> Result<Leaving, ErrorBody> {
        let mut state = self.lock();
        let reg = own(&mut state.agents, agent, owner)?.reg;
        if let Some(bus) = state.bus() {
            let asked = state.change_there(&bus, Change::Leave, (agent, reg), owner, room);
            return asked.map(|()| Leaving::UnderWay);
        }
        state.leave_here(agent, room);
        Ok(Leaving::Done)
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

    /// The connection that `recipient` is registered to, if `agent` is registered to `owner`. The names are compared as they
    /// are: nothing found may mean that one of them is not canonical.
    pub(super) fn route_by_text(&self, agent: &str, owner: &Handle, recipient: &str) -> Option<Arc<Handle>> {
        let state = self.lock();
        let owned = state.agents.get(agent).is_some_and(|entry| entry.owner.id == owner.id);
        if owned { state.agents.get(recipient).map(|entry| entry.owner.clone()) } else { None }
    }

    /// Whether `agent` is registered to `owner`, and the way to `recipient`.
    pub(super) fn route(
        &self,
        agent: &AgentUri,
        owner: &Handle,
        recipient: &AgentUri,
    ) -> (bool, Option<Route>) {
        let state = self.lock();
        let owned = state.agents.get(agent).is_some_and(|entry| entry.owner.id == owner.id);
        let route = match state.agents.get(recipient) {
            Some(entry) => Some(Route::Here(entry.owner.clone())),
            None => state.bus().map(Route::There),
        };
        (owned, route)
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
    fn join_here(
        &mut self,
        agent: &AgentUri,
        owner: &Handle,
        room: &RoomName,
        limits: RoomLimits,
    ) -> Result<(), NotJoined> {
        let Self { agents, rooms, .. } = self;
        let entry = own(agents, agent, owner).map_err(NotJoined::Refused)?;
        let fresh = rooms.join(agent, room, &mut entry.rooms, limits).map_err(NotJoined::Refused)?;
        // All frames about a room are queued under the lock, so that everybody sees its changes in one order.
        let answered = self.tell_members(agent, owner, room);
        if fresh {
            self.tell_others(agent, room, |frame| frame.joined.push(agent.clone()));
        }
        answered.map_err(|TooSlow| NotJoined::TooSlow)
    }

    fn leave_here(&mut self, agent: &AgentUri, room: &RoomName) {
        if self.agents.get_mut(agent).is_some_and(|entry| entry.rooms.remove(room)) {
            self.depart(agent, room, Departure::Left);
        }
    }

    /// Answers a request to join.
    fn tell_members(&self, agent: &AgentUri, owner: &Handle, room: &RoomName) -> Result<(), TooSlow> {
        let members = self.rooms.members(room).cloned().collect();
        let answer = ServerFrame::Joined { agent_id: agent.clone(), room: room.clone(), members };
        owner.push(Outgoing::Text(answer.to_json().into()))
    }

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
            Departure::Lost | Departure::Moving => frame.lost.push(agent.clone()),
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

/// Whether `name` has `part` in it; the letters of ASCII in either case.
pub(super) fn is_in(part: &str, name: &str) -> bool {
    part.is_empty()
        || name.as_bytes().windows(part.len()).any(|window| window.eq_ignore_ascii_case(part.as_bytes()))
}

fn new_token() -> String {
    uuid::Uuid::new_v4().simple().to_string()
}

/// Compares without telling by its duration how many bytes were right.
pub(super) fn same_secret(a: &str, b: &str) -> bool {
    a.len() == b.len() && a.bytes().zip(b.bytes()).fold(0, |difference, (x, y)| difference | (x ^ y)) == 0
}
