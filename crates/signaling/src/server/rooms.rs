//! Who is in which room.

use std::collections::hash_map::Entry as MapEntry;
use std::collections::{BTreeSet, HashMap};

use crate::error::{ErrorBody, code};
use crate::room::RoomName;
use crate::uri::AgentUri;

/// What one agent and one room may take. Rooms exist as long as somebody is in them, so both together bound them all.
#[derive(Debug, Clone, Copy)]
pub(super) struct RoomLimits {
    /// Rooms that one agent may be in.
    pub(super) per_agent: usize,
    /// Agents in one room.
    pub(super) members: usize,
}

/// The longest list of members, in bytes of JSON: `joined` must fit the 64 KiB that a client reads as one message.
pub(super) const MAX_LISTING: usize = 60 * 1024;

/// An agent URI costs its own length, two quotes and a comma in a list.
const PUNCTUATION: usize = 3;

#[derive(Debug, Default)]
struct Room {
    members: BTreeSet<AgentUri>,
    /// Of the members as a list in JSON.
    bytes: usize,
}

/// All rooms that somebody is in.
#[derive(Debug, Default)]
pub(super) struct Rooms(HashMap<RoomName, Room>);

impl Rooms {
    pub(super) fn len(&self) -> usize {
        self.0.len()
    }

    /// Puts `agent` into `room`, which is in `mine` afterwards. False: it was there already.
    pub(super) fn join(
        &mut self,
        agent: &AgentUri,
        room: &RoomName,
        mine: &mut BTreeSet<RoomName>,
        limits: RoomLimits,
    ) -> Result<bool, ErrorBody> {
        if mine.contains(room) {
            return Ok(false);
        }
        let refuse = |text: String| Err(ErrorBody::new(code::RATE_LIMIT_EXCEEDED, text));
        if mine.len() >= limits.per_agent {
            return refuse(format!("{agent} is in {} rooms already, the most allowed", mine.len()));
        }
        let cost = agent.as_str().len() + PUNCTUATION;
        // In a cluster it may be there already through another server.
        if let Some(place) = self.0.get(room)
            && !place.members.contains(agent)
            && (place.members.len() >= limits.members || place.bytes + cost > MAX_LISTING)
        {
            return refuse(format!("the room {room:?} is full: {} agents are in it", place.members.len()));
        }
        mine.insert(room.clone());
        Ok(self.insert(agent, room))
    }

    /// Puts `agent` into `room`, as others have decided. False: it was there already.
    pub(super) fn insert(&mut self, agent: &AgentUri, room: &RoomName) -> bool {
        let place = self.0.entry(room.clone()).or_default();
        let fresh = place.members.insert(agent.clone());
        if fresh {
            place.bytes += agent.as_str().len() + PUNCTUATION;
        }
        fresh
    }

    pub(super) fn contains(&self, agent: &AgentUri, room: &RoomName) -> bool {
        self.0.get(room).is_some_and(|place| place.members.contains(agent))
    }

    /// Forgets who is in `room`.
    pub(super) fn forget(&mut self, room: &RoomName) {
        self.0.remove(room);
    }

    pub(super) fn names(&self) -> impl Iterator<Item = &RoomName> {
        self.0.keys()
    }

    /// Takes `agent` out of `room`.
    pub(super) fn leave(&mut self, agent: &AgentUri, room: &RoomName) {
        if let MapEntry::Occupied(mut place) = self.0.entry(room.clone())
            && place.get_mut().members.remove(agent)
        {
            place.get_mut().bytes -= agent.as_str().len() + PUNCTUATION;
            if place.get().members.is_empty() {
                place.remove();
            }
        }
    }

    /// Everybody in `room`, sorted.
    pub(super) fn members(&self, room: &RoomName) -> impl Iterator<Item = &AgentUri> {
        self.0.get(room).into_iter().flat_map(|place| &place.members)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: RoomLimits = RoomLimits { per_agent: 2, members: 3 };

    fn agent(name: &str) -> AgentUri {
        format!("agent://{name}").parse().unwrap()
    }

    fn room(name: &str) -> RoomName {
        name.parse().unwrap()
    }

    #[test]
    fn a_room_exists_while_somebody_is_in_it() {
        let mut rooms = Rooms::default();
        let mut mine = BTreeSet::new();
        assert_eq!(rooms.join(&agent("a"), &room("r"), &mut mine, LIMITS), Ok(true));
        assert_eq!(rooms.join(&agent("a"), &room("r"), &mut mine, LIMITS), Ok(false));
        assert_eq!(rooms.members(&room("r")).count(), 1);
        rooms.leave(&agent("b"), &room("r"));
        rooms.leave(&agent("a"), &room("r"));
        rooms.leave(&agent("a"), &room("r"));
        assert_eq!((rooms.len(), rooms.members(&room("r")).count()), (0, 0));
    }

    #[test]
    fn an_agent_in_too_many_rooms_and_a_full_room_are_refused_and_nothing_is_left_behind() {
        let mut rooms = Rooms::default();
        let mut mine = BTreeSet::new();
        for name in ["r", "s"] {
            rooms.join(&agent("a"), &room(name), &mut mine, LIMITS).unwrap();
        }
        let error = rooms.join(&agent("a"), &room("t"), &mut mine, LIMITS).unwrap_err();
        assert_eq!(
            (error.code.as_str(), error.message.contains("2 rooms")),
            (code::RATE_LIMIT_EXCEEDED, true)
        );
        for name in ["b", "c"] {
            rooms.join(&agent(name), &room("r"), &mut BTreeSet::new(), LIMITS).unwrap();
        }
        let mut late = BTreeSet::new();
        let error = rooms.join(&agent("d"), &room("r"), &mut late, LIMITS).unwrap_err();
        assert!(error.message.contains("\"r\" is full"), "{error:?}");
        assert!(late.is_empty());
        assert_eq!(rooms.len(), 2);
    }

    #[test]
    fn the_list_of_members_always_fits_one_message() {
        let mut rooms = Rooms::default();
        let limits = RoomLimits { per_agent: 1, members: usize::MAX };
        let joined = (0..1000)
            .take_while(|index| {
                let long = agent(&format!("{}{index:04}", "x".repeat(500)));
                rooms.join(&long, &room("r"), &mut BTreeSet::new(), limits).is_ok()
            })
            .count();
        let listing = serde_json::to_string(&rooms.members(&room("r")).collect::<Vec<_>>()).unwrap();
        assert!(listing.len() <= MAX_LISTING + 2 && joined > 100, "{joined} {}", listing.len());
    }
}
