//! What a registry hears from its cluster.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::time::Instant;

use super::clustered::{Change, Claiming, Pending};
use super::messages::excess;
use super::outcome::{Asked, Letter};
use super::{Claim, Departure, Entry, Handle, Holding, NotJoined, Outgoing, State};
use crate::cluster::{Bus, ClusterState, Event, Holder, Reply, RoomsOf, Site, known_names};
use crate::control::ServerFrame;
use crate::error::{ErrorBody, code};
use crate::first_use::KnownName;
use crate::message::{Body, SignalingMessage};
use crate::room::RoomName;
use crate::server::Shared;
use crate::server::auth::Denied;
use crate::server::event::ServerEvent;
use crate::server::stats::count;
use crate::uri::AgentUri;

/// Registrations between two signs of life: tens of milliseconds, of a lease that may run out while there are many.
const PUBLISHED_IN_A_BREATH: usize = 1000;

impl Site for Shared {
    type Asked = Asked;

    fn connected(&self, bus: Arc<Bus<Asked>>) {
        let mut state = self.registry.lock();
        let Some(cluster) = &mut state.cluster else { return };
        cluster.bus = Some(bus.clone());
        // All others that are alive come back within a lease as well.
        cluster.settling =
            Some(Instant::now() + self.config.cluster.as_ref().map_or(Duration::ZERO, |it| it.lease));
        for (index, (agent, entry)) in state.agents.iter().enumerate() {
            if index % PUBLISHED_IN_A_BREATH == 0 {
                bus.beat();
            }
            let rooms: Vec<RoomName> = entry.rooms.iter().cloned().collect();
            state.publish(agent, RoomsOf::Exactly(&rooms), None);
        }
        if bus.is_back() {
            // Redis may be empty, or as it was some time ago. After those that are registered, whose time does not run.
            let names = self.config.authenticator.known_names(Instant::now().into_std());
            bus.remember(&names, || Asked::Remembered);
        }
        for room in state.rooms.names() {
            bus.list(room);
        }
        bus.synced();
    }

    fn event(&self, node: &str, event: Event<'_>) {
        let mut state = self.registry.lock();
        let Some(bus) = state.bus().filter(|bus| bus.node() == node) else { return };
        match event {
            Event::Message { node, to, text } => {
                count(&self.cluster.received);
                // Counted once more where the recipient is: senders may go from server to server.
                if let Some(what) = excess(self, &to, text) {
                    // Here and below: too busy to say so, and the sender has its own limit of time.
                    let _ = bus.refuse(node, what, text);
                } else if !self.deliver(&state, &to, text)
                    && let Ok(SignalingMessage { body, .. }) = SignalingMessage::parse(text)
                    && !matches!(body, Body::Error(_))
                {
                    let _ = bus.bounce(node, text);
                }
            }
            Event::Undelivered { text } => {
                if let Ok(SignalingMessage { from: Some(from), to, session_id, .. }) =
                    SignalingMessage::parse(text)
                    && let Some(entry) = state.agents.get(&from)
                {
                    let sender = entry.owner.clone();
                    // Here and below: a sender that does not read is being disconnected.
                    let _ = self.unreachable(Letter { sender, from, to, session_id, is_error: false });
                }
            }
            Event::Excessive { what, text } => self.excessive(&state, what, text),
            Event::Flooders { penalty, who } => {
                let now = Instant::now();
                for who in who {
                    match who.parse::<IpAddr>() {
                        Ok(place) => self.flooders.add_for(&place, penalty, now),
                        Err(_) => self.flooders.add_for(who, penalty, now),
                    }
                }
            }
            Event::Granted { request, resumed, since, rooms } => {
                if let Some(Pending::Claim(claiming)) = state.pending(request) {
                    state.granted(&bus, claiming, resumed, since, rooms);
                }
            }
            Event::Displaced { agent, reg } => self.displaced(&mut state, &agent, reg),
            Event::Known(name) => self.corrected(&mut state, &name),
            Event::Probe { request, node, agent, reg } => {
                let owner = state.agents.get(&agent).filter(|entry| entry.reg == reg);
                match owner.map(|entry| entry.owner.clone()) {
                    // As many at once as there are connections that claim names.
                    Some(owner) => drop(tokio::spawn(examine(
                        owner,
                        self.config.takeover_timeout,
                        bus,
                        node.to_owned(),
                        request,
                    ))),
                    None => bus.answer(node, request, false),
                }
            }
            Event::Answer { request, alive } => self.answered(&mut state, request, alive),
            Event::Joined { room, agent } => state.arrived(&room, &agent),
            // Redis has buried the agent together with this server, which was not heard for a lease and is about to be back
            // with all its agents. If it was for another reason, the registration has ended before.
            Event::Gone { room, agent, lost: true } if state.is_in(&agent, &room) => {}
            Event::Gone { room, agent, lost } => {
                state.departed(&room, &agent, if lost { Departure::Lost } else { Departure::Left });
            }
            Event::List { room, members } => state.listed(&room, &members),
            Event::Served { request } => state.served(request),
        }
    }

    fn replied(&self, asked: Asked, reply: Reply) {
        match asked {
            Asked::Letter(letter) if reply == Reply::Receivers(0) => drop(self.unreachable(letter)),
            Asked::Letter(_) => count(&self.cluster.sent),
            Asked::Pending(request) => {
                let mut state = self.registry.lock();
                if reply == Reply::Ok(vec!["0".to_owned()]) {
                    // Nobody has heard the probe: the server is gone.
                    self.answered(&mut state, request, false);
                } else if let Some(denied) = denial(&reply) {
                    self.denied(&mut state, request, reply, denied);
                } else if let Some((agent, owner, room, error)) = state.refused(request, reply) {
                    self.refuse_room(&owner, agent, room, error);
                }
            }
            Asked::Remembered => {
                let mut state = self.registry.lock();
                let Reply::Ok(fields) = reply else { return };
                known_names(&fields).iter().flatten().for_each(|name| self.corrected(&mut state, name));
            }
            Asked::Published { agent, reg } => match reply {
                Reply::Owned { since, retention, left, owner } => {
                    let mut state = self.registry.lock();
                    self.displaced(&mut state, &agent, reg);
                    self.corrected(&mut state, &KnownName { agent, owner, since, left, retention });
                }
                Reply::Displaced => self.displaced(&mut self.registry.lock(), &agent, reg),
                Reply::Held { node, reg: other } => {
                    self.registry.lock().contest(agent, reg, Holder { node, reg: other });
                }
                Reply::Ok(full) => {
                    for room in full.iter().filter_map(|room| room.parse().ok()) {
                        self.squeezed_out(&agent, reg, room);
                    }
                }
                _ => {}
            },
        }
    }

    fn lost(&self) {
        let mut state = self.registry.lock();
        let Some(cluster) = &mut state.cluster else { return };
        cluster.bus = None;
        // Those who wait for an event that does not come any more are served by this server alone.
        for (_, pending) in std::mem::take(&mut cluster.pending) {
            match pending {
                Pending::Claim(claiming) => drop(claiming.verdict.send(None)),
                Pending::Probe(answer) => drop(answer.send(false)),
                Pending::Conflict { .. } => {}
                Pending::Room { change: Change::Join, agent, owner, room } => {
                    let limits = self.config.room_limits();
                    if let Err(NotJoined::Refused(error)) = state.join_here(&agent, &owner, &room, limits) {
                        self.refuse_room(&owner, agent, room, error);
                    }
                }
                Pending::Room { change: Change::Leave, agent, owner, room } => {
                    state.leave_here(&agent, &room);
                    tell_left(&owner, agent, room);
                }
            }
        }
    }

    fn unanswered(&self, asked: Asked) {
        if let Asked::Letter(letter) = asked {
            let _ = self.unreachable(letter);
        }
    }

    fn stands(&self, state: ClusterState) {
        match state {
            ClusterState::Lost { reason } => self.emit(|| ServerEvent::ClusterLost { reason }),
            ClusterState::Connected => self.emit(|| ServerEvent::ClusterConnected),
            ClusterState::Connecting => {}
        }
    }

    fn tick(&self) {
        let now = Instant::now();
        let mut state = self.registry.lock();
        state.settle(now);
        let Some(cluster) = &state.cluster else { return };
        let overdue = cluster.pending.iter().filter_map(|(id, pending)| match pending {
            Pending::Conflict { until, .. } if *until <= now => Some(*id),
            // Who asked has given up.
            Pending::Probe(answer) if answer.is_closed() => Some(*id),
            _ => None,
        });
        for request in overdue.collect::<Vec<_>>() {
            self.answered(&mut state, request, false);
        }
    }
}

impl Shared {
    fn refuse_room(&self, owner: &Handle, agent: AgentUri, room: RoomName, error: ErrorBody) {
        count(&self.counters.refused);
        let frame = ServerFrame::Error { to: Some(agent), session_id: None, room: Some(room), error };
        let _ = owner.push(Outgoing::Text(frame.to_json().into()));
    }

    /// While Redis was lost others have filled a room that `agent` was in.
    fn squeezed_out(&self, agent: &AgentUri, reg: u64, room: RoomName) {
        let mut state = self.registry.lock();
        let Some(entry) = state.agents.get(agent).filter(|entry| entry.reg == reg) else { return };
        let owner = entry.owner.clone();
        state.departed(&room, agent, Departure::Lost);
        let text = format!("the room {room:?} has been filled by others while the cluster was lost");
        self.refuse_room(&owner, agent.clone(), room, ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
    }
}

impl Shared {
    /// Somebody else has taken the name over.
    fn displaced(&self, state: &mut State, agent: &AgentUri, reg: u64) {
        if state.agents.get(agent).is_none_or(|entry| entry.reg != reg) {
            return;
        }
        let Some(entry) = state.agents.remove(agent) else { return };
        entry.owner.registrations.fetch_sub(1, Ordering::Relaxed);
        entry.owner.tell_displaced(agent);
        let connection = entry.owner.id;
        self.emit(|| ServerEvent::Unregistered { connection, agent: agent.clone() });
        self.config.authenticator.released(agent, Instant::now().into_std());
        for room in entry.rooms {
            state.forget_if_unwatched(&room);
        }
    }

    /// Whose a name is. Nobody else stays registered under it.
    fn corrected(&self, state: &mut State, name: &KnownName) {
        let usurper = state.agents.get(&name.agent).filter(|entry| {
            entry.first_use.is_some() && entry.identity.as_deref() != Some(name.owner.as_str())
        });
        if let Some(reg) = usurper.map(|entry| entry.reg) {
            self.displaced(state, &name.agent, reg);
        }
        if !state.agents.contains_key(&name.agent) {
            self.config.authenticator.corrected(name, Instant::now().into_std());
        }
    }

    fn denied(&self, state: &mut State, request: u64, reply: Reply, denied: Denied) {
        let Some(Pending::Claim(claiming)) = state.pending(request) else { return };
        if let Reply::Owned { since, retention, left, owner } = reply {
            self.corrected(state, &KnownName { agent: claiming.agent, owner, since, left, retention });
        }
        // If nobody waits for it any more, nothing was granted either.
        let _ = claiming.verdict.send(Some(Claim::Denied(denied)));
    }

    /// Another server has answered a probe, or has not in time.
    fn answered(&self, state: &mut State, request: u64, alive: bool) {
        match state.pending(request) {
            Some(Pending::Probe(answer)) => drop(answer.send(alive)),
            Some(Pending::Conflict { agent, reg, .. }) if alive => self.displaced(state, &agent, reg),
            Some(Pending::Conflict { agent, reg, holder, .. }) => {
                let Some(entry) = state.agents.get(&agent).filter(|entry| entry.reg == reg) else { return };
                let rooms: Vec<RoomName> = entry.rooms.iter().cloned().collect();
                state.publish(&agent, RoomsOf::Exactly(&rooms), Some(&holder));
                if let Some(bus) = state.bus() {
                    rooms.iter().for_each(|room| bus.list(room));
                }
            }
            _ => {}
        }
    }
}

/// What a claimant is told to whom the cluster does not give a name, whoever is registered.
fn denial(reply: &Reply) -> Option<Denied> {
    match reply {
        Reply::Owned { .. } => Some(Denied::not_accepted("key-mismatch")),
        Reply::Settling => Some(Denied::unavailable("cluster-settling")),
        Reply::Crowded => Some(Denied::no_new_names("known-keys-full")),
        _ => None,
    }
}

async fn examine(owner: Arc<Handle>, patience: Duration, bus: Arc<Bus<Asked>>, node: String, request: u64) {
    let alive = owner.answers(patience).await;
    bus.answer(&node, request, alive);
}

fn tell_left(owner: &Handle, agent: AgentUri, room: RoomName) {
    let frame = ServerFrame::Left { agent_id: agent, room };
    let _ = owner.push(Outgoing::Text(frame.to_json().into()));
}

impl State {
    fn granted(
        &mut self,
        bus: &Bus<Asked>,
        claiming: Claiming,
        resumed: bool,
        since: u64,
        rooms: Vec<RoomName>,
    ) {
        let Claiming { agent, claimant, reg, token, shown, owner, first_use, verdict } = claiming;
        if verdict.is_closed() {
            // The connection has ended meanwhile.
            bus.release(&agent, reg, true);
            return;
        }
        let resume = shown.filter(|_| resumed).unwrap_or(token);
        let entry = Entry {
            owner: claimant.clone(),
            resume: resume.clone(),
            rooms: rooms.into_iter().collect(),
            reg,
            since,
            identity: owner,
            first_use,
            credentials_at: None,
        };
        claimant.registrations.fetch_add(1, Ordering::Relaxed);
        if let Some(old) = self.agents.insert(agent.clone(), entry) {
            old.owner.registrations.fetch_sub(1, Ordering::Relaxed);
            old.owner.tell_displaced(&agent);
        }
        // If nobody waits for it any more, the connection gives up all its names as its next step.
        let _ = verdict.send(Some(Claim::Granted { resume, displaced: None }));
    }

    /// A request to join or to leave was served; what has changed by it was told before.
    fn served(&mut self, request: u64) {
        match self.pending(request) {
            Some(Pending::Room { change: Change::Join, agent, owner, room })
                if self.agents.get(&agent).is_some_and(|entry| entry.owner.id == owner.id) =>
            {
                // If it does not read, it is being disconnected.
                let _ = self.tell_members(&agent, &owner, &room);
            }
            Some(Pending::Room { change: Change::Leave, agent, owner, room }) => {
                tell_left(&owner, agent, room);
            }
            _ => {}
        }
    }

    /// The answer to a question whose good answer is an event. Returns whom to tell that a room does not want it.
    fn refused(
        &mut self,
        request: u64,
        reply: Reply,
    ) -> Option<(AgentUri, Arc<Handle>, RoomName, ErrorBody)> {
        if matches!(reply, Reply::Ok(_)) {
            return None;
        }
        match (self.pending(request)?, reply) {
            (Pending::Claim(claiming), Reply::Held { node, reg }) => {
                let held = Claim::Held(Holding::There(Holder { node, reg }));
                // If nobody waits for it any more, nothing was granted either.
                let _ = claiming.verdict.send(Some(held));
                None
            }
            (Pending::Room { agent, owner, room, .. }, reply) => {
                let error = match reply {
                    Reply::Many(rooms) => {
                        let text = format!("{agent} is in {rooms} rooms already, the most allowed");
                        ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text)
                    }
                    Reply::Full(members) => {
                        let text = format!("the room {room:?} is full: {members} agents are in it");
                        ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text)
                    }
                    _ => ErrorBody::new(
                        code::UNAUTHORIZED,
                        format!("{agent} is not registered on this connection"),
                    ),
                };
                Some((agent, owner, room, error))
            }
            _ => None,
        }
    }
}
