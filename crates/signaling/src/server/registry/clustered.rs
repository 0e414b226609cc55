//! What a registry does differently while it is part of a cluster: it asks before it acts, and says what it has done.

use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;
use tokio::time::{Instant, timeout};

use super::outcome::{Asked, Claim, Credentials, Departure, Holding};
use super::{Handle, Registry, State, new_token};
use crate::cluster::{Bus, Busy, Holder, Record, RoomBounds, RoomsOf};
use crate::error::{ErrorBody, code};
use crate::first_use::FirstUsePolicy;
use crate::room::RoomName;
use crate::server::rooms::{MAX_LISTING, RoomLimits};
use crate::uri::AgentUri;

/// Time for a question to travel to another server and for its answer to travel back, beyond the time that the server
/// takes to find the answer.
const TRAVEL: Duration = Duration::from_secs(1);

/// The part of a registry that only a cluster needs.
#[derive(Debug)]
pub(super) struct Clustered {
    /// None while Redis is lost: then this server acts as if it were alone.
    pub(super) bus: Option<Arc<Bus<Asked>>>,
    /// Requests that wait for an event. Each went through the bus, whose bound is theirs.
    pub(super) pending: HashMap<u64, Pending>,
    last_id: u64,
    /// Until then, members that Redis does not know (any more) may still be about to be published again.
    pub(super) settling: Option<Instant>,
    /// Those members; they count as present until then.
    pub(super) missing: HashMap<RoomName, BTreeSet<AgentUri>>,
    limits: RoomLimits,
    takeover_timeout: Duration,
}

/// A question that only the cluster can answer.
#[derive(Debug)]
pub(super) enum Pending {
    Claim(Claiming),
    /// Whether a registration on another server is alive.
    Probe(oneshot::Sender<bool>),
    /// The same, because it has the name of one of our registrations.
    Conflict {
        agent: AgentUri,
        reg: u64,
        holder: Holder,
        until: Instant,
    },
    Room {
        change: Change,
        agent: AgentUri,
        owner: Arc<Handle>,
        room: RoomName,
    },
}

/// What an agent wants of a room.
#[derive(Debug, Clone, Copy)]
pub(super) enum Change {
    Join,
    Leave,
}

/// A registration in the making.
#[derive(Debug)]
pub(super) struct Claiming {
    pub(super) agent: AgentUri,
    pub(super) claimant: Arc<Handle>,
    pub(super) reg: u64,
    pub(super) token: String,
    pub(super) shown: Option<String>,
    /// Who the claimant has proven to be.
    pub(super) owner: Option<String>,
    pub(super) first_use: Option<FirstUsePolicy>,
    /// `None`: the cluster is lost, the server itself has to decide.
    pub(super) verdict: oneshot::Sender<Option<Claim>>,
}

/// How far a claim has come.
pub(super) enum Stage {
    Decided(Claim),
    Asked(oneshot::Receiver<Option<Claim>>),
}

impl Registry {
    /// A registry that is about to be part of a cluster.
    pub(in crate::server) fn clustered(limits: RoomLimits, takeover_timeout: Duration) -> Self {
        let registry = Self::default();
        registry.lock().cluster = Some(Clustered {
            bus: None,
            pending: HashMap::new(),
            last_id: 0,
            settling: None,
            missing: HashMap::new(),
            limits,
            takeover_timeout,
        });
        registry
    }

    /// Bytes that wait for the cluster.
    pub(in crate::server) fn queued_for_cluster(&self) -> usize {
        self.lock().bus().map_or(0, |bus| bus.queued())
    }

    /// Whether who has a name sends anything, at least its answer to a ping, in time. If another server has to find out and
    /// does not answer, then no.
    pub(in crate::server) async fn answers(
        &self,
        agent: &AgentUri,
        holding: &Holding,
        patience: Duration,
    ) -> bool {
        match holding {
            Holding::Here(owner) => owner.answers(patience).await,
            Holding::There(holder) => match self.probe(agent, holder) {
                Ok(answer) => timeout(patience + TRAVEL, answer).await.is_ok_and(|answer| answer == Ok(true)),
                // Too busy to ask: nobody loses a name by that.
                Err(Busy) => true,
            },
        }
    }

    /// Nobody of these is to have a new allowance on another server.
    pub(in crate::server) fn tell_of_flooders(&self, who: &[String], penalty: Duration) {
        let bus = self.lock().bus();
        // Too busy to say so: then there are other limits that the others hold up.
        let _ = bus.map(|bus| bus.warn(who, penalty));
    }

    fn probe(&self, agent: &AgentUri, holder: &Holder) -> Result<oneshot::Receiver<bool>, Busy> {
        let mut state = self.lock();
        let (answer, answered) = oneshot::channel();
        match state.bus() {
            Some(bus) => {
                state.ask(Pending::Probe(answer), |id| bus.probe(id, agent, holder, Asked::Pending(id)))?;
            }
            // Lost meanwhile, and so is the holder.
            None => drop(answer.send(false)),
        }
        Ok(answered)
    }
}

impl Clustered {
    fn bounds(&self) -> RoomBounds {
        RoomBounds { rooms: self.limits.per_agent, members: self.limits.members, bytes: MAX_LISTING }
    }
}

impl State {
    /// The way to the cluster, while there is one.
    pub(super) fn bus(&self) -> Option<Arc<Bus<Asked>>> {
        self.cluster.as_ref()?.bus.clone()
    }

    /// There is a cluster, and no way to it.
    pub(super) fn is_cut_off(&self) -> bool {
        self.cluster.as_ref().is_some_and(|cluster| cluster.bus.is_none())
    }

    /// A number that was not used before.
    pub(super) fn next_id(&mut self) -> u64 {
        let Some(cluster) = &mut self.cluster else { return 0 };
        cluster.last_id += 1;
        cluster.last_id
    }

    /// The token of a registration that this server makes by itself. While the cluster is lost, one that a client shows may
    /// be right: it is kept, so that the registration is recognized as the same later.
    pub(super) fn token_for(&self, shown: Option<&str>) -> String {
        shown.filter(|_| self.cluster.is_some()).map_or_else(new_token, str::to_owned)
    }

    /// Asks the cluster something whose answer is an event.
    pub(super) fn ask(
        &mut self,
        pending: Pending,
        send: impl FnOnce(u64) -> Result<(), Busy>,
    ) -> Result<u64, Busy> {
        let id = self.next_id();
        send(id)?;
        if let Some(cluster) = &mut self.cluster {
            cluster.pending.insert(id, pending);
        }
        Ok(id)
    }

    pub(super) fn pending(&mut self, id: u64) -> Option<Pending> {
        self.cluster.as_mut()?.pending.remove(&id)
    }

    /// Asks the cluster for a name that nobody has here.
    pub(super) fn ask_for(
        &mut self,
        agent: &AgentUri,
        claimant: &Arc<Handle>,
        credentials: Credentials<'_>,
    ) -> Stage {
        let Some(bus) = self.bus() else { return Stage::Decided(Claim::Refused(busy())) };
        let (verdict, decided) = oneshot::channel();
        let (reg, token) = (self.next_id(), new_token());
        let shown = credentials.resume.map(str::to_owned);
        let dead = match credentials.dead {
            Some(Holding::There(holder)) => Some(holder),
            _ => None,
        };
        let hash = hash_of(&token);
        let Credentials { owner, first_use, .. } = credentials;
        let record = Record { agent, reg, token: &hash, owner: owner.unwrap_or(""), first_use };
        let shown_hash = shown.as_deref().map(hash_of).unwrap_or_default();
        let claiming = Claiming {
            agent: agent.clone(),
            claimant: claimant.clone(),
            reg,
            token: token.clone(),
            shown,
            owner: owner.map(str::to_owned),
            first_use,
            verdict,
        };
        let send = |id| bus.claim(id, &record, &shown_hash, dead, Asked::Pending(id));
        match self.ask(Pending::Claim(claiming), send) {
            Ok(_) => Stage::Asked(decided),
            Err(Busy) => Stage::Decided(Claim::Refused(busy())),
        }
    }

    /// Publishes what this server has decided about `agent`.
    pub(super) fn publish(&self, agent: &AgentUri, rooms: RoomsOf<'_>, dead: Option<&Holder>) {
        let (Some(cluster), Some(entry)) = (&self.cluster, self.agents.get(agent)) else { return };
        let Some(bus) = &cluster.bus else { return };
        let token = hash_of(&entry.resume);
        let owner = entry.identity.as_deref().unwrap_or("");
        let record = Record { agent, reg: entry.reg, token: &token, owner, first_use: entry.first_use };
        let asked = Asked::Published { agent: agent.clone(), reg: entry.reg };
        bus.publish(&record, entry.since, dead, rooms, cluster.bounds(), asked);
    }

    /// Takes `agent` out of its rooms because its connection is dead; in a cluster that happens when all hear of it, and
    /// the rooms that it is in until then are returned.
    pub(super) fn vacate(&mut self, agent: &AgentUri) -> BTreeSet<RoomName> {
        if self.bus().is_some() {
            return self
                .agents
                .get_mut(agent)
                .map(|entry| std::mem::take(&mut entry.rooms))
                .unwrap_or_default();
        }
        self.depart_all(agent, Departure::Lost);
        BTreeSet::new()
    }

    /// Gives a registration up in the cluster, which takes the agent out of its rooms. False: there is no cluster.
    pub(super) fn release_there(&self, agent: &AgentUri, reg: u64, how: Departure) -> bool {
        let Some(bus) = self.bus() else { return false };
        match how {
            Departure::Left => bus.release(agent, reg, false),
            Departure::Lost => bus.release(agent, reg, true),
            // If it does not come back, it is buried with this server.
            Departure::Moving => {}
        }
        true
    }

    /// Asks the cluster to let `agent` into `room` or out of it.
    pub(super) fn change_there(
        &mut self,
        bus: &Bus<Asked>,
        change: Change,
        (agent, reg): (&AgentUri, u64),
        owner: &Arc<Handle>,
        room: &RoomName,
    ) -> Result<(), ErrorBody> {
        let Some(bounds) = self.cluster.as_ref().map(Clustered::bounds) else { return Err(busy()) };
        let pending =
            Pending::Room { change, agent: agent.clone(), owner: owner.clone(), room: room.clone() };
        let send = |id| match change {
            Change::Join => bus.join(id, agent, reg, room, bounds, Asked::Pending(id)),
            Change::Leave => bus.leave(id, agent, reg, room, Asked::Pending(id)),
        };
        self.ask(pending, send).map(drop).map_err(|Busy| busy())
    }

    /// Another server has the name of one of our registrations, which it must prove to be alive to keep.
    pub(super) fn contest(&mut self, agent: AgentUri, reg: u64, holder: Holder) {
        let (Some(bus), Some(cluster)) = (self.bus(), &self.cluster) else { return };
        let until = Instant::now() + cluster.takeover_timeout + TRAVEL;
        let conflict = Pending::Conflict { agent: agent.clone(), reg, holder: holder.clone(), until };
        let asked = self.ask(conflict, |id| {
            bus.contest(id, &agent, &holder, Asked::Pending(id));
            Ok(())
        });
        debug_assert!(asked.is_ok(), "there is no limit to these");
    }
}

fn busy() -> ErrorBody {
    ErrorBody::new(code::RATE_LIMIT_EXCEEDED, "the cluster of this server is too busy; try again later")
}

/// What others know of a resume token: enough to recognize it. It is random, so it needs no salt.
fn hash_of(token: &str) -> String {
    use std::fmt::Write;
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, token.as_bytes());
    digest.as_ref().iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    })
}

pub(super) fn unix_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}
