//! The rooms as one server of a cluster sees them: complete for those that one of its agents is in, unknown otherwise.
//! Notices follow from what changes in that view, so that an event that arrives twice is told once.

use std::collections::BTreeSet;

use tokio::time::Instant;

use super::{Departure, State};
use crate::room::RoomName;
use crate::uri::AgentUri;

impl State {
    /// `agent`, here or on another server, has come to `room`.
    pub(super) fn arrived(&mut self, room: &RoomName, agent: &AgentUri) {
        // Otherwise the last of ours has just left.
        if self.agents.contains_key(agent) || self.is_watched(room) {
            self.enter(room, agent);
        }
    }

    fn enter(&mut self, room: &RoomName, agent: &AgentUri) {
        if let Some(entry) = self.agents.get_mut(agent) {
            entry.rooms.insert(room.clone());
        }
        self.found(room, agent);
        if self.rooms.insert(agent, room) {
            self.tell_others(agent, room, |frame| frame.joined.push(agent.clone()));
        }
    }

    /// `agent`, here or on another server, has gone from `room`.
    pub(super) fn departed(&mut self, room: &RoomName, agent: &AgentUri, how: Departure) {
        if let Some(entry) = self.agents.get_mut(agent) {
            entry.rooms.remove(room);
        }
        self.found(room, agent);
        if self.rooms.contains(agent, room) {
            self.depart(agent, room, how);
        }
        self.forget_if_unwatched(room);
    }

    /// These are all that are in `room` according to Redis.
    pub(super) fn listed(&mut self, room: &RoomName, members: &[AgentUri]) {
        if !members.iter().any(|member| self.agents.contains_key(member)) {
            return self.forget_if_unwatched(room);
        }
        let listed: BTreeSet<_> = members.iter().collect();
        let gone: Vec<_> =
            self.rooms.members(room).filter(|member| !listed.contains(member)).cloned().collect();
        for member in members {
            self.enter(room, member);
        }
        for member in gone {
            match self.cluster.as_mut().filter(|cluster| cluster.settling.is_some()) {
                Some(cluster) => drop(cluster.missing.entry(room.clone()).or_default().insert(member)),
                None => self.departed(room, &member, Departure::Lost),
            }
        }
    }

    /// Those who were missing for so long are lost.
    pub(super) fn settle(&mut self, now: Instant) {
        let Some(cluster) =
            self.cluster.as_mut().filter(|cluster| cluster.settling.is_some_and(|at| at <= now))
        else {
            return;
        };
        cluster.settling = None;
        for (room, members) in std::mem::take(&mut cluster.missing) {
            for member in members {
                self.departed(&room, &member, Departure::Lost);
            }
        }
    }

    /// Whatever becomes of it, `agent` is not missing in `room` any more.
    fn found(&mut self, room: &RoomName, agent: &AgentUri) {
        if let Some(missing) = self.cluster.as_mut().and_then(|cluster| cluster.missing.get_mut(room)) {
            missing.remove(agent);
        }
    }

    /// Whether `agent` is registered here and has a place in `room`.
    pub(super) fn is_in(&self, agent: &AgentUri, room: &RoomName) -> bool {
        self.agents.get(agent).is_some_and(|entry| entry.rooms.contains(room))
    }

    /// Whether one of ours is in `room`.
    fn is_watched(&self, room: &RoomName) -> bool {
        self.rooms
            .members(room)
            .any(|member| self.agents.get(member).is_some_and(|entry| entry.rooms.contains(room)))
    }

    /// Nobody tells us of changes in a room that none of ours is in.
    pub(super) fn forget_if_unwatched(&mut self, room: &RoomName) {
        if !self.is_watched(room) {
            self.rooms.forget(room);
            if let Some(cluster) = &mut self.cluster {
                cluster.missing.remove(room);
            }
        }
    }
}
