//! What nodes tell each other, and what the scripts answer.
//!
//! Each node is subscribed to one channel, `<prefix>to:<node>`. An event is a text of lines: its kind, then its fields.
//! Agent URIs, names of rooms and ids have no line breaks in them; a relayed message comes last and may.

use std::time::Duration;

use redis::Value;

use crate::first_use::KnownName;
use crate::room::RoomName;
use crate::uri::AgentUri;

/// Of events, keys and scripts. Servers of different versions are not one cluster: the one that comes later says so and stays
/// out. A new kind of event is no new version, since servers skip what they do not know; a new field of one is.
pub(super) const VERSION: &str = "1";

/// One event of a node's channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Event<'a> {
    /// `m`: a message for an agent that is registered with this node, from one that is registered with `node`.
    Message { node: &'a str, to: AgentUri, text: &'a str },
    /// `u`: a message of this node's, which has come back.
    Undelivered { text: &'a str },
    /// `e`: a message of this node's, of which there were too many; `what` says of what.
    Excessive { what: &'a str, text: &'a str },
    /// `f`: these agents and networks were disconnected for sending too much, and have to wait for so long.
    Flooders { penalty: Duration, who: Vec<&'a str> },
    /// `g`: a claim of this node's was granted.
    Granted { request: u64, resumed: bool, since: u64, rooms: Vec<RoomName> },
    /// `d`: a registration of this node's was taken over.
    Displaced { agent: AgentUri, reg: u64 },
    /// `p`: `node` wants to know whether a registration of this node's is alive.
    Probe { request: u64, node: &'a str, agent: AgentUri, reg: u64 },
    /// `a`: the answer to a probe.
    Answer { request: u64, alive: bool },
    /// `k`: whose a name is, though some server has believed otherwise.
    Known(KnownName),
    /// `j`: an agent has come to a room.
    Joined { room: RoomName, agent: AgentUri },
    /// `l` and `x`: an agent has gone from a room, as it wanted or because it is lost. If its registration has ended by a
    /// take-over, that was told before.
    Gone { room: RoomName, agent: AgentUri, lost: bool },
    /// `s`: everybody in a room.
    List { room: RoomName, members: Vec<AgentUri> },
    /// `J` and `L`: a request of this node's to join or leave was served. What has changed was told before.
    Served { request: u64 },
}

impl<'a> Event<'a> {
    /// `None` if the payload is no event of this version: somebody else writes to the channel.
    pub(crate) fn parse(payload: &'a [u8]) -> Option<Self> {
        let text = std::str::from_utf8(payload).ok()?;
        let (kind, rest) = text.split_once('\n')?;
        if kind == "u" {
            return Some(Self::Undelivered { text: rest });
        }
        if kind == "e" {
            let (what, text) = rest.split_once('\n')?;
            return Some(Self::Excessive { what, text });
        }
        if kind == "f" {
            let (penalty, who) = rest.split_once('\n')?;
            let penalty = Duration::from_millis(penalty.parse().ok()?);
            return Some(Self::Flooders { penalty, who: who.split('\n').collect() });
        }
        if kind == "m" {
            let mut fields = rest.splitn(3, '\n');
            let (node, to) = (fields.next()?, fields.next()?.parse().ok()?);
            return Some(Self::Message { node, to, text: fields.next()? });
        }
        if kind == "k" {
            let fields: Vec<_> = rest.splitn(5, '\n').map(str::to_owned).collect();
            return known_names(&fields)?.pop().map(Self::Known);
        }
        let mut fields = rest.split('\n');
        let mut next = || fields.next();
        let event = match kind {
            "g" => Self::Granted {
                request: next()?.parse().ok()?,
                resumed: next()? == "1",
                since: next()?.parse().ok()?,
                rooms: fields.by_ref().map(str::parse).collect::<Result<_, _>>().ok()?,
            },
            "d" => Self::Displaced { agent: next()?.parse().ok()?, reg: next()?.parse().ok()? },
            "p" => Self::Probe {
                request: next()?.parse().ok()?,
                node: next()?,
                agent: next()?.parse().ok()?,
                reg: next()?.parse().ok()?,
            },
            "a" => Self::Answer { request: next()?.parse().ok()?, alive: next()? == "1" },
            "j" => Self::Joined { room: next()?.parse().ok()?, agent: next()?.parse().ok()? },
            "l" | "x" => {
                let (room, agent) = (next()?.parse().ok()?, next()?.parse().ok()?);
                Self::Gone { room, agent, lost: kind == "x" }
            }
            "s" => {
                let room = next()?.parse().ok()?;
                let listed = fields.by_ref().filter(|member| !member.is_empty());
                Self::List { room, members: listed.map(str::parse).collect::<Result<_, _>>().ok()? }
            }
            "J" | "L" => Self::Served { request: next()?.parse().ok()? },
            _ => return None,
        };
        fields.next().is_none().then_some(event)
    }
}

/// The payload of [`Event::Message`].
pub(super) fn message(node: &str, to: &AgentUri, text: &str) -> String {
    format!("m\n{node}\n{to}\n{text}")
}

/// The payload of [`Event::Undelivered`].
pub(super) fn undelivered(text: &str) -> String {
    format!("u\n{text}")
}

/// The payload of [`Event::Excessive`].
pub(super) fn excessive(what: &str, text: &str) -> String {
    format!("e\n{what}\n{text}")
}

/// The payload of [`Event::Answer`].
pub(super) fn answer(request: u64, alive: bool) -> String {
    format!("a\n{request}\n{}", u8::from(alive))
}

/// What the scripts answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Reply {
    /// Done; numbers, or rooms that are full.
    Ok(Vec<String>),
    /// The name belongs to a registration that seems alive.
    Held { node: String, reg: u64 },
    /// A later registration of the same agent has the name.
    Displaced,
    /// The registration is not this node's.
    Gone,
    /// The agent is in so many rooms, the most allowed.
    Many(u64),
    /// So many agents are in the room, the most allowed.
    Full(u64),
    /// The lease of this node has run out.
    Lapsed,
    /// The name is that of somebody who may be away.
    Owned { since: u64, retention: Duration, left: Duration, owner: String },
    /// What servers remember is still being collected, and the name is new.
    Settling,
    /// There is no room for new names.
    Crowded,
    /// The servers of this cluster are of another version.
    Version(String),
    /// So many subscribers have received a message.
    Receivers(u64),
}

impl Reply {
    /// `None` if the answer is none of ours.
    pub(super) fn parse(value: Value) -> Option<Self> {
        let fields = match value {
            Value::Int(receivers) => return Some(Self::Receivers(u64::try_from(receivers).ok()?)),
            Value::Array(fields) => fields.into_iter().map(text).collect::<Option<Vec<_>>>()?,
            _ => return None,
        };
        let number = |index: usize| fields.get(index)?.parse().ok();
        Some(match fields.first()?.as_str() {
            "ok" => Self::Ok(fields[1..].to_vec()),
            "held" => Self::Held { node: fields.get(1)?.clone(), reg: number(2)? },
            "displaced" => Self::Displaced,
            "gone" => Self::Gone,
            "many" => Self::Many(number(1)?),
            "full" => Self::Full(number(1)?),
            "lapsed" => Self::Lapsed,
            "owned" => Self::Owned {
                since: number(1)?,
                retention: Duration::from_millis(number(2)?),
                left: Duration::from_millis(number(3)?),
                owner: fields.get(4)?.clone(),
            },
            "settling" => Self::Settling,
            "crowded" => Self::Crowded,
            "version" => Self::Version(fields.get(1)?.clone()),
            _ => return None,
        })
    }
}

/// Groups of agent, since, retention, what is left of it, and owner.
pub(crate) fn known_names(fields: &[String]) -> Option<Vec<KnownName>> {
    let name = |fields: &[String]| {
        let [agent, since, retention, left, owner] = fields else { return None };
        let time = |text: &str| text.parse().ok().map(Duration::from_millis);
        Some(KnownName {
            agent: agent.parse().ok()?,
            owner: owner.clone(),
            since: since.parse().ok()?,
            left: time(left)?,
            retention: time(retention)?,
        })
    };
    fields.chunks(5).map(name).collect()
}

fn text(value: Value) -> Option<String> {
    match value {
        Value::BulkString(bytes) => String::from_utf8(bytes).ok(),
        Value::SimpleString(text) => Some(text),
        Value::Int(number) => Some(number.to_string()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn uri(text: &str) -> AgentUri {
        text.parse().unwrap()
    }

    #[test]
    fn a_message_keeps_its_text_whatever_is_in_it() {
        let payload = message("n1", &uri("agent://b"), "{\n\"a\":\n1}");
        let expected = Event::Message { node: "n1", to: uri("agent://b"), text: "{\n\"a\":\n1}" };
        assert_eq!(Event::parse(payload.as_bytes()), Some(expected));
    }

    #[test]
    fn lists_may_be_empty_and_fields_may_not_be_missing_or_too_many() {
        let room: RoomName = "r".parse().unwrap();
        let list = |members| Some(Event::List { room: room.clone(), members });
        assert_eq!(Event::parse(b"s\nr\n"), list(vec![]));
        assert_eq!(
            Event::parse(b"s\nr\nagent://a\nagent://b"),
            list(vec![uri("agent://a"), uri("agent://b")])
        );
        let granted = Event::Granted { request: 7, resumed: true, since: 9, rooms: vec![] };
        assert_eq!(Event::parse(b"g\n7\n1\n9"), Some(granted));
        for bad in [
            &b"j\nr"[..],
            b"j\nr\nagent://a\nx",
            b"d\nagent://a\nx",
            b"?\n1",
            b"",
            b"\xff",
            b"j\nr\nhttp://a",
        ] {
            assert_eq!(Event::parse(bad), None, "{bad:?}");
        }
    }

    proptest! {
        #[test]
        fn nothing_on_the_channel_makes_a_node_panic(
            kind in "[a-zA-Z]", fields in proptest::collection::vec("\\PC{0,12}|[0-9]{1,30}|agent://[a-z]{1,3}", 0..6)
        ) {
            let _ = Event::parse(format!("{kind}\n{}", fields.join("\n")).as_bytes());
        }
    }
}
