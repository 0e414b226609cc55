//! The way from a node to Redis: one queue, served in order.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use redis::Cmd;
use tokio::sync::mpsc;

use super::wire;
use crate::first_use::{FirstUsePolicy, KnownName};
use crate::room::RoomName;
use crate::uri::AgentUri;

/// Bookkeeping per command, counted so that many small ones are bounded too.
const COMMAND_OVERHEAD: usize = 256;

/// What to do with the answer to a command. `T` says whom it concerns.
#[derive(Debug)]
pub(crate) enum Then<T> {
    /// Nothing: if it fails, the connection is lost and everything is published again.
    Nothing,
    /// The node renews its lease.
    Beat,
    /// All that the node has was published.
    Synced,
    /// Up to the site.
    Site(T),
}

#[derive(Debug)]
pub(super) struct Command<T> {
    pub(super) cmd: Cmd,
    pub(super) cost: usize,
    pub(super) then: Then<T>,
}

/// The queue to Redis is full; nothing was queued.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Busy;

/// One connected node. Ends with the connection: the next one has a new id, so that nothing that arrives late is mistaken.
#[derive(Debug)]
pub(crate) struct Bus<T> {
    node: String,
    before: String,
    lease: Duration,
    prefix: String,
    scripts: Scripts,
    queue: mpsc::UnboundedSender<Command<T>>,
    /// Bytes in `queue`: the bound that makes it a bounded queue.
    queued: Arc<AtomicUsize>,
    max_queue_bytes: usize,
}

/// The hashes under which Redis knows our scripts.
#[derive(Debug, Clone)]
pub(super) struct Scripts {
    pub(super) state: String,
    pub(super) relay: String,
}

/// A registration as it is published.
#[derive(Debug, Clone)]
pub(crate) struct Record<'a> {
    pub(crate) agent: &'a AgentUri,
    /// Unique in this node.
    pub(crate) reg: u64,
    /// Hash of the resume token.
    pub(crate) token: &'a str,
    /// Who has proven to own the name; empty if nobody asks.
    pub(crate) owner: &'a str,
    /// The name stays the owner's when it goes.
    pub(crate) first_use: Option<FirstUsePolicy>,
}

/// A registration on some node.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Holder {
    pub(crate) node: String,
    pub(crate) reg: u64,
}

/// The rooms of an agent that is published.
#[derive(Debug, Clone, Copy)]
pub(crate) enum RoomsOf<'a> {
    /// Those that Redis knows.
    Keep,
    /// These and no others.
    Exactly(&'a [RoomName]),
}

/// Bounds of one room.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RoomBounds {
    pub(crate) rooms: usize,
    pub(crate) members: usize,
    pub(crate) bytes: usize,
}

/// How a [`Bus`] is made.
pub(super) struct Setup {
    pub(super) node: String,
    pub(super) before: String,
    pub(super) lease: Duration,
    pub(super) prefix: String,
    pub(super) scripts: Scripts,
    pub(super) max_queue_bytes: usize,
}

impl<T> Bus<T> {
    pub(super) fn new(setup: Setup) -> (Self, mpsc::UnboundedReceiver<Command<T>>) {
        let (queue, receiver) = mpsc::unbounded_channel();
        let Setup { node, before, lease, prefix, scripts, max_queue_bytes } = setup;
        let queued = Arc::new(AtomicUsize::new(0));
        (Self { node, before, lease, prefix, scripts, queue, queued, max_queue_bytes }, receiver)
    }

    /// The id of this node.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// This node was connected before; Redis may have forgotten since then what it knew.
    pub(crate) fn is_back(&self) -> bool {
        !self.before.is_empty()
    }

    /// Bytes that wait for Redis.
    pub(crate) fn queued(&self) -> usize {
        self.queued.load(Ordering::Relaxed)
    }

    pub(super) fn taken(&self, cost: usize) {
        self.queued.fetch_sub(cost, Ordering::Relaxed);
    }

    /// Queues what may be refused: the network decides how much of it there is.
    fn offer(&self, cmd: Cmd, cost: usize, then: Then<T>) -> Result<(), Busy> {
        if self.is_full(cost) {
            return Err(Busy);
        }
        self.push(cmd, cost, then);
        Ok(())
    }

    fn is_full(&self, cost: usize) -> bool {
        self.queued() + cost > self.max_queue_bytes
    }

    /// Queues what must not be lost, and is bounded by the number of registrations.
    fn push(&self, cmd: Cmd, cost: usize, then: Then<T>) {
        self.queued.fetch_add(cost, Ordering::Relaxed);
        // An error means that the connection has just ended: whoever holds this bus is about to be told.
        let _ = self.queue.send(Command { cmd, cost, then });
    }

    /// A call of `state.lua`, and its size.
    fn state(&self, command: &str, arguments: &[&str]) -> (Cmd, usize) {
        let Self { scripts, prefix, node, .. } = self;
        state(&scripts.state, prefix, node, command, arguments)
    }

    /// Sends `text` to an agent on another node; the reply is [`Receivers`](wire::Reply::Receivers). Gives `then` back if
    /// the queue is full.
    pub(crate) fn relay(&self, to: &AgentUri, text: &str, then: T) -> Result<(), T> {
        let mut cmd = redis::cmd("EVALSHA");
        let payload = wire::message(&self.node, to, text);
        cmd.arg(&self.scripts.relay).arg(0).arg(&self.prefix).arg(to.as_str()).arg(&payload);
        let cost = COMMAND_OVERHEAD + payload.len();
        if self.is_full(cost) {
            return Err(then);
        }
        self.queued.fetch_add(cost, Ordering::Relaxed);
        match self.queue.send(Command { cmd, cost, then: Then::Site(then) }) {
            Ok(()) => Ok(()),
            Err(mpsc::error::SendError(Command { then: Then::Site(then), .. })) => Err(then),
            Err(_) => Ok(()),
        }
    }

    /// Returns a message to the node that it came from.
    pub(crate) fn bounce(&self, node: &str, text: &str) -> Result<(), Busy> {
        let payload = wire::undelivered(text);
        self.offer(self.publish_to(node, &payload), COMMAND_OVERHEAD + payload.len(), Then::Nothing)
    }

    /// Returns a message of which `node` has sent too many.
    pub(crate) fn refuse(&self, node: &str, what: &str, text: &str) -> Result<(), Busy> {
        let payload = wire::excessive(what, text);
        self.offer(self.publish_to(node, &payload), COMMAND_OVERHEAD + payload.len(), Then::Nothing)
    }

    /// Warns all other nodes of agents and networks that were disconnected for sending too much.
    pub(crate) fn warn(&self, who: &[String], penalty: Duration) -> Result<(), Busy> {
        let penalty = penalty.as_millis().to_string();
        let arguments: Vec<_> =
            [penalty.as_str()].into_iter().chain(who.iter().map(String::as_str)).collect();
        let (cmd, cost) = self.state("warn", &arguments);
        self.offer(cmd, cost, Then::Nothing)
    }

    /// Answers a probe of `node`. Never left out, or an agent that is alive would lose its name when there is a lot to do; there
    /// are as many as there are claims on other nodes.
    pub(crate) fn answer(&self, node: &str, request: u64, alive: bool) {
        self.push(self.publish_to(node, &wire::answer(request, alive)), COMMAND_OVERHEAD, Then::Nothing);
    }

    fn publish_to(&self, node: &str, payload: &str) -> Cmd {
        let mut cmd = redis::cmd("PUBLISH");
        cmd.arg(format!("{}to:{node}", self.prefix)).arg(payload);
        cmd
    }

    /// Claims a name for `record`. If it is granted, [`Granted`](wire::Event::Granted) follows.
    pub(crate) fn claim(
        &self,
        request: u64,
        record: &Record<'_>,
        shown: &str,
        dead: Option<&Holder>,
        then: T,
    ) -> Result<(), Busy> {
        let (dead_node, dead_reg) = holder(dead);
        let (request, record) = (request.to_string(), record.fields());
        let mut arguments = vec![request.as_str()];
        arguments.extend(record.iter().map(String::as_str));
        arguments.extend([shown, dead_node, &dead_reg]);
        let (cmd, cost) = self.state("claim", &arguments);
        self.offer(cmd, cost, Then::Site(then))
    }

    /// Publishes a registration that this node has made.
    pub(crate) fn publish(
        &self,
        record: &Record<'_>,
        since: u64,
        dead: Option<&Holder>,
        rooms: RoomsOf<'_>,
        bounds: RoomBounds,
        then: T,
    ) {
        let (dead_node, dead_reg) = holder(dead);
        let (record, since) = (record.fields(), since.to_string());
        let (most, bytes) = (bounds.members.to_string(), bounds.bytes.to_string());
        let (mode, rooms) = match rooms {
            RoomsOf::Keep => ("keep", &[][..]),
            RoomsOf::Exactly(rooms) => ("exact", rooms),
        };
        let mut arguments: Vec<_> = record.iter().map(String::as_str).collect();
        arguments.extend([&since, &*self.before, dead_node, &dead_reg, mode, &most, &bytes]);
        arguments.extend(rooms.iter().map(RoomName::as_str));
        let (cmd, cost) = self.state("publish", &arguments);
        self.push(cmd, cost, Then::Site(then));
    }

    /// Tells Redis what it has forgotten. The reply has those of the names that are somebody else's.
    pub(crate) fn remember(&self, names: &[KnownName], then: impl Fn() -> T) {
        for names in names.chunks(REMEMBERED) {
            let fields: Vec<_> = names.iter().flat_map(remembered).collect();
            let (cmd, cost) = self.state("remember", &fields.iter().map(String::as_str).collect::<Vec<_>>());
            self.push(cmd, cost, Then::Site(then()));
        }
    }

    /// Gives a registration up.
    pub(crate) fn release(&self, agent: &AgentUri, reg: u64, lost: bool) {
        let (cmd, cost) =
            self.state("release", &[agent.as_str(), &reg.to_string(), if lost { "x" } else { "l" }]);
        self.push(cmd, cost, Then::Nothing);
    }

    /// Enters a room; [`Served`](wire::Event::Served) follows.
    pub(crate) fn join(
        &self,
        request: u64,
        agent: &AgentUri,
        reg: u64,
        room: &RoomName,
        bounds: RoomBounds,
        then: T,
    ) -> Result<(), Busy> {
        let numbers = [request, reg].map(|number| number.to_string());
        let limits = [bounds.rooms, bounds.members, bounds.bytes].map(|number| number.to_string());
        let arguments =
            [&numbers[0], agent.as_str(), &numbers[1], room.as_str(), &limits[0], &limits[1], &limits[2]];
        let (cmd, cost) = self.state("join", &arguments);
        self.offer(cmd, cost, Then::Site(then))
    }

    /// Leaves a room; [`Served`](wire::Event::Served) follows.
    pub(crate) fn leave(
        &self,
        request: u64,
        agent: &AgentUri,
        reg: u64,
        room: &RoomName,
        then: T,
    ) -> Result<(), Busy> {
        let arguments = [&request.to_string(), agent.as_str(), &reg.to_string(), room.as_str()];
        let (cmd, cost) = self.state("leave", &arguments);
        self.offer(cmd, cost, Then::Site(then))
    }

    /// Asks for everybody in a room.
    pub(crate) fn list(&self, room: &RoomName) {
        let (cmd, cost) = self.state("list", &[room.as_str()]);
        self.push(cmd, cost, Then::Nothing);
    }

    /// Asks the node of `holder` whether that is alive; [`Answer`](wire::Event::Answer) follows if the reply says that
    /// somebody has heard it.
    pub(crate) fn probe(&self, request: u64, agent: &AgentUri, holder: &Holder, then: T) -> Result<(), Busy> {
        let (cmd, cost) = self.probing(request, agent, holder);
        self.offer(cmd, cost, Then::Site(then))
    }

    /// As [`probe`](Self::probe), for a registration that this node has published and another node has as well. Never left out,
    /// or both would stay; there are as many as there are registrations.
    pub(crate) fn contest(&self, request: u64, agent: &AgentUri, holder: &Holder, then: T) {
        let (cmd, cost) = self.probing(request, agent, holder);
        self.push(cmd, cost, Then::Site(then));
    }

    fn probing(&self, request: u64, agent: &AgentUri, holder: &Holder) -> (Cmd, usize) {
        let arguments = [&request.to_string(), holder.node.as_str(), agent.as_str(), &holder.reg.to_string()];
        self.state("probe", &arguments)
    }

    /// Says that all that this node has was published; agents that its predecessor had besides are lost.
    pub(crate) fn synced(&self) {
        let (cmd, cost) = self.state("retire", &[&self.before]);
        self.push(cmd, cost, Then::Synced);
    }

    /// Says that this node is alive, and that those of its predecessor that were not published again yet are so, too.
    pub(crate) fn beat(&self) {
        let (cmd, cost) = self.state("beat", &[&self.lease.as_millis().to_string(), &self.before]);
        self.push(cmd, cost, Then::Beat);
    }

    pub(super) fn bye(&self) -> Cmd {
        self.state("bye", &[&self.lease.as_millis().to_string()]).0
    }
}

/// Names in one command: a fraction of a millisecond, in which everybody else waits.
const REMEMBERED: usize = 100;

/// A call of `state.lua`, and its size.
fn state(script: &str, prefix: &str, node: &str, command: &str, arguments: &[&str]) -> (Cmd, usize) {
    let mut cmd = redis::cmd("EVALSHA");
    cmd.arg(script).arg(0).arg(prefix).arg(node).arg(command);
    let mut cost = COMMAND_OVERHEAD;
    for argument in arguments {
        cmd.arg(*argument);
        cost += argument.len();
    }
    (cmd, cost)
}

/// Takes the lease of a new node; see `state.lua`.
pub(super) fn hello(
    scripts: &Scripts,
    prefix: &str,
    node: &str,
    lease: Duration,
    before: &str,
    epoch: &str,
) -> Cmd {
    let lease = lease.as_millis().to_string();
    state(&scripts.state, prefix, node, "hello", &[&lease, wire::VERSION, before, epoch]).0
}

impl Record<'_> {
    /// Agent, reg, token, owner, and of the first use: whether it is known, since when, retention, capacity.
    fn fields(&self) -> [String; 8] {
        let Self { agent, reg, token, owner, first_use } = self;
        let [known, since, retention, capacity] = first_use.map_or_else(Default::default, |policy| {
            let FirstUsePolicy { known, since, retention, capacity } = policy;
            [u128::from(known), since.into(), retention.as_millis(), capacity as u128]
                .map(|it| it.to_string())
        });
        let own = [agent.as_str().to_owned(), reg.to_string(), (*token).to_owned(), (*owner).to_owned()];
        let [agent, reg, token, owner] = own;
        [agent, reg, token, owner, known, since, retention, capacity]
    }
}

fn remembered(name: &KnownName) -> [String; 5] {
    let KnownName { agent, owner, since, left, retention } = name;
    let [since, retention, left] =
        [u128::from(*since), retention.as_millis(), left.as_millis()].map(|number| number.to_string());
    [agent.as_str().to_owned(), owner.clone(), since, retention, left]
}

fn holder(holder: Option<&Holder>) -> (&str, String) {
    holder.map_or(("", String::new()), |holder| (&holder.node, holder.reg.to_string()))
}
