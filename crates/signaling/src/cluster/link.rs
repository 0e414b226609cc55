//! Keeps a node connected to Redis, and tells it when it is not.

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{MissedTickBehavior, interval_at, sleep, timeout};

use redis::aio::MultiplexedConnection;

use super::bus::{Bus, Command, Scripts, Setup, Then, hello};
use super::config::{ClusterConfig, Target};
use super::connect::{Connection, connect};
use super::status::{ClusterState, Status};
use super::trouble::{examine, said};
use super::wire::{Event, Reply, VERSION};

/// Commands that travel together: they share a round trip, and Redis serves others between two such batches.
const BATCH: usize = 256;

/// Delays between attempts to connect: short, as agents wait for others, and capped, as a stopped server is cheap to ask.
const FIRST_DELAY: Duration = Duration::from_millis(50);
const MAX_DELAY: Duration = Duration::from_secs(1);

const NONSENSE: &str = "it gave an answer that makes no sense";

/// A node as its link to Redis sees it. No method may block.
pub(crate) trait Site: Send + Sync + 'static {
    /// Whom an answer concerns.
    type Asked: Send + Sync + Debug + 'static;

    /// Redis is there. Everything that the site has is to be published through `bus`, followed by [`Bus::synced`].
    fn connected(&self, bus: Arc<Bus<Self::Asked>>);
    /// An event of the channel of `node`, in the order in which they happened.
    fn event(&self, node: &str, event: Event<'_>);
    /// The answer to a command. Events that it has caused may come before or after it.
    fn replied(&self, asked: Self::Asked, reply: Reply);
    /// The bus is dead. [`unanswered`](Self::unanswered) follows for what was under way.
    fn lost(&self);
    /// A command may have been served or not.
    fn unanswered(&self, asked: Self::Asked);
    /// For the log.
    fn stands(&self, state: ClusterState);
    /// Called at every beat, several times in a lease.
    fn tick(&self);
}

/// Serves `site` until `closing`; then what is queued is still sent.
pub(crate) async fn run<S: Site>(
    config: Arc<ClusterConfig>,
    site: Arc<S>,
    status: Arc<Status>,
    mut closing: watch::Receiver<bool>,
) {
    let mut past = Past::default();
    let mut failures = 0;
    loop {
        let session = tokio::select! {
            session = timeout(config.timeout, open(&config, &site, &status, &past)) => session,
            () = told(&mut closing) => return,
        };
        let silence = match config.place.target {
            // A server that speaks no TLS waits for the end of what it takes for a command.
            Target::Tcp { tls: true, .. } => "it does not answer, or speaks no TLS on this port",
            _ => "it does not answer",
        };
        let reason = match session.unwrap_or_else(|_| Err(silence.to_owned())) {
            Ok(mut session) => {
                failures = 0;
                past = Past { node: session.bus.node().to_owned(), epoch: session.epoch.clone() };
                match session.serve(&config, &status, &mut closing).await {
                    Ok(()) => return,
                    Err(reason) => reason,
                }
            }
            Err(reason) => reason,
        };
        let reason = format!("{}: {reason}", config.place.target);
        if status.lost(&reason) {
            site.stands(ClusterState::Lost { reason });
        }
        failures += 1;
        tokio::select! {
            () = sleep(delay(failures)) => {}
            () = told(&mut closing) => return,
        }
    }
}

async fn told(closing: &mut watch::Receiver<bool>) {
    // An error means that the server was dropped.
    let _ = closing.wait_for(|closing| *closing).await;
}

/// Longer with every failure in a row, up to half of it taken away at random: servers that lost Redis together come back
/// one after the other.
fn delay(failures: u32) -> Duration {
    let full = FIRST_DELAY.saturating_mul(1 << failures.saturating_sub(1).min(10)).min(MAX_DELAY);
    let random = uuid::Uuid::new_v4().as_bytes()[0];
    full.mul_f64(1.0 - f64::from(random) / 512.0)
}

/// What a node remembers of its last connection.
#[derive(Default)]
struct Past {
    /// The id that it had then.
    node: String,
    /// Names the time since Redis was last empty.
    epoch: String,
}

struct Session<S: Site> {
    site: Arc<S>,
    epoch: String,
    bus: Arc<Bus<S::Asked>>,
    connection: Connection,
    commands: mpsc::UnboundedReceiver<Command<S::Asked>>,
    /// Sent, and not answered yet.
    under_way: Vec<(Then<S::Asked>, usize)>,
}

/// Connects, subscribes to the node's channel and takes a lease.
async fn open<S: Site>(
    config: &ClusterConfig,
    site: &Arc<S>,
    status: &Arc<Status>,
    past: &Past,
) -> Result<Session<S>, String> {
    let node = uuid::Uuid::new_v4().simple().to_string();
    let pushed = {
        let (site, node, status) = (Arc::downgrade(site), node.clone(), status.clone());
        move |payload: &[u8]| match (site.upgrade(), Event::parse(payload)) {
            (Some(site), Some(event)) => site.event(&node, event),
            (Some(_), None) => status.not_understood(),
            (None, _) => {}
        }
    };
    let mut connection = connect(config, pushed).await?;
    let redis = &mut connection.redis;
    examine(redis).await?;
    let mut scripts = redis::pipe();
    scripts.cmd("SCRIPT").arg("LOAD").arg(concat!(include_str!("state.lua"), include_str!("commands.lua")));
    scripts.cmd("SCRIPT").arg("LOAD").arg(include_str!("relay.lua"));
    let (state, relay) = scripts.query_async(redis).await.map_err(|error| said(&error))?;
    let (scripts, prefix) = (Scripts { state, relay }, config.place.prefix.clone());
    redis.subscribe(format!("{prefix}to:{node}")).await.map_err(|error| said(&error))?;
    let hello = hello(&scripts, &prefix, &node, config.lease, &past.node, &past.epoch);
    let answer = hello.query_async(redis).await.map_err(|error| said(&error))?;
    let epoch = match Reply::parse(answer) {
        Some(Reply::Ok(answer)) if answer.len() == 1 => answer[0].clone(),
        Some(Reply::Version(other)) => {
            return Err(format!(
                "the servers of this cluster speak version {other:?} of its protocol, this one {VERSION:?}: \
                 stop the others first, or give this one another prefix"
            ));
        }
        _ => return Err(NONSENSE.to_owned()),
    };
    let (before, lease, max_queue_bytes) = (past.node.clone(), config.lease, config.max_queue_bytes);
    let (bus, commands) = Bus::new(Setup { node, before, lease, prefix, scripts, max_queue_bytes });
    Ok(Session { site: site.clone(), epoch, bus: Arc::new(bus), connection, commands, under_way: Vec::new() })
}

impl<S: Site> Session<S> {
    /// Until the connection is lost (an error) or the server closes.
    async fn serve(
        &mut self,
        config: &ClusterConfig,
        status: &Status,
        closing: &mut watch::Receiver<bool>,
    ) -> Result<(), String> {
        self.site.connected(self.bus.clone());
        let Self { site, bus, connection, commands, under_way, .. } = self;
        let (redis, driver) = connection.parts();
        let mut way = Way { site, bus, redis, commands, under_way, config, status };
        let end = tokio::select! {
            reason = way.forward() => Err(reason),
            () = ended(driver) => Err("the connection has ended".to_owned()),
            () = beat(site, bus, config.lease) => Err("the clock has ended".to_owned()),
            () = told(closing) => Ok(()),
        };
        if end.is_ok() {
            // What the last clients leave behind; if that fails now, the lease runs out.
            let _ = timeout(config.timeout, way.finish()).await;
        }
        self.give_up();
        end
    }

    fn give_up(&mut self) {
        self.site.lost();
        self.commands.close();
        let queued = std::iter::from_fn(|| self.commands.try_recv().ok()).map(|command| command.then);
        for then in self.under_way.drain(..).map(|(then, _)| then).chain(queued) {
            if let Then::Site(asked) = then {
                self.site.unanswered(asked);
            }
        }
    }
}

async fn ended(driver: &mut JoinHandle<()>) {
    Connection::ended(driver).await;
}

/// Says three times in a lease that this node is alive, which also shows whether Redis is.
async fn beat<S: Site>(site: &Arc<S>, bus: &Arc<Bus<S::Asked>>, lease: Duration) {
    let period = lease / 3;
    let mut clock = interval_at(tokio::time::Instant::now(), period.max(Duration::from_millis(1)));
    clock.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        clock.tick().await;
        bus.beat();
        site.tick();
    }
}

/// The queue on its way to Redis.
struct Way<'a, S: Site> {
    site: &'a Arc<S>,
    bus: &'a Arc<Bus<S::Asked>>,
    redis: &'a mut MultiplexedConnection,
    commands: &'a mut mpsc::UnboundedReceiver<Command<S::Asked>>,
    under_way: &'a mut Vec<(Then<S::Asked>, usize)>,
    config: &'a ClusterConfig,
    status: &'a Status,
}

impl<S: Site> Way<'_, S> {
    /// Ends with the reason why it cannot go on.
    async fn forward(&mut self) -> String {
        loop {
            // The bus itself holds a sender: this does not end.
            let Some(first) = self.commands.recv().await else { return "the queue has ended".to_owned() };
            if let Err(reason) = self.batch(first).await {
                return reason;
            }
        }
    }

    async fn finish(&mut self) -> Result<(), String> {
        while let Ok(first) = self.commands.try_recv() {
            self.batch(first).await?;
        }
        self.bus.bye().exec_async(self.redis).await.map_err(|error| said(&error))
    }

    /// Sends a batch that begins with `first` and handles the answers. One batch at a time: the next one collects
    /// meanwhile, so that batches are as large as the load makes them.
    async fn batch(&mut self, first: Command<S::Asked>) -> Result<(), String> {
        let mut pipeline = redis::pipe();
        let mut next = Some(first);
        while let Some(Command { cmd, cost, then }) = next {
            pipeline.add_command(cmd);
            self.under_way.push((then, cost));
            next = if pipeline.len() < BATCH { self.commands.try_recv().ok() } else { None };
        }
        let count = pipeline.len();
        let answers = timeout(self.config.timeout, self.redis.send_packed_commands(&pipeline, 0, count))
            .await
            .map_err(|_| "it does not answer".to_owned())?
            .map_err(|error| said(&error))?;
        if answers.len() != count {
            return Err("it gave fewer answers than it was asked questions".to_owned());
        }
        for ((then, cost), answer) in self.under_way.drain(..).zip(answers) {
            self.bus.taken(cost);
            let answer = answer.extract_error().map_err(|error| said(&error))?;
            match (then, Reply::parse(answer)) {
                (_, Some(Reply::Lapsed)) => return Err("the lease of this server has run out".to_owned()),
                (Then::Site(asked), Some(reply)) => self.site.replied(asked, reply),
                (Then::Beat, Some(Reply::Ok(numbers))) => {
                    if self.status.counted(&numbers) {
                        self.bus.beat();
                    }
                }
                (Then::Synced, Some(_)) => {
                    self.status.connected();
                    self.site.stands(ClusterState::Connected);
                }
                (Then::Nothing, _) => {}
                (_, _) => return Err(NONSENSE.to_owned()),
            }
        }
        Ok(())
    }
}
