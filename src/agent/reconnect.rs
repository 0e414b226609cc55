//! Keep-alive and reconnection as `ts/agent` sees them: the decisions. What they decide about is done in TypeScript.

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use napi_derive::napi;
use ossa_agent::{Action, ClockWatch, LinkMonitor, Patience, ReconnectConfig, Step};

use crate::base::system::random_seed;

/// When and how often to try; times in milliseconds. `ts/agent` has checked the ranges.
#[napi(object, object_to_js = false)]
pub struct LinkMonitorOptions {
    /// Between our heartbeats; 0 for none.
    pub heartbeat: f64,
    /// New connections to try.
    pub attempts: u32,
    /// Longest wait after the first.
    pub delay: f64,
    /// No wait is longer.
    pub max_delay: f64,
    /// Share of a wait that chance may take off, 0 to 1.
    pub jitter: f64,
    /// For each attempt.
    pub attempt_timeout: f64,
    /// How long `disconnected` may last before ICE is restarted.
    pub grace: f64,
}

/// What a link has to do or to tell. `kind` says which of the other members are there; times in milliseconds.
#[napi(object, object_from_js = false)]
#[derive(Default)]
pub struct LinkStep {
    /// `heartbeat`, `dead`, `woken`, `restart-ice`, `schedule`, `rebuild`, `repeat`, `wait`, `recovered` or `give-up`.
    pub kind: &'static str,
    /// dead: the silence; woken: the time lost; schedule, wait: how long; recovered: how long it was down.
    pub time: Option<f64>,
    /// restart-ice, schedule, rebuild: number of the attempt, from 1; recovered, give-up: how many new connections there were.
    pub attempt: Option<u32>,
    /// restart-ice: whether the connection is down.
    pub lost: Option<bool>,
}

impl From<Step> for LinkStep {
    fn from(step: Step) -> Self {
        let of = |kind| Self { kind, ..Self::default() };
        let time = |time: Duration| Some(time.as_secs_f64() * 1000.0);
        match step {
            Step::Heartbeat => of("heartbeat"),
            Step::Dead { silence } => Self { time: time(silence), ..of("dead") },
            Step::Woken { by } => Self { time: time(by), ..of("woken") },
            Step::Reconnect(Action::RestartIce { lost, attempt }) => {
                Self { lost: Some(lost), attempt: Some(attempt), ..of("restart-ice") }
            }
            Step::Reconnect(Action::Repeat) => of("repeat"),
            Step::Reconnect(Action::Schedule { attempt, delay }) => {
                Self { attempt: Some(attempt), time: time(delay), ..of("schedule") }
            }
            Step::Reconnect(Action::Rebuild { attempt }) => Self { attempt: Some(attempt), ..of("rebuild") },
            Step::Reconnect(Action::Wait { patience }) => Self { time: time(patience), ..of("wait") },
            Step::Reconnect(Action::Recovered { after, attempts }) => {
                Self { attempt: Some(attempts), time: time(after), ..of("recovered") }
            }
            Step::Reconnect(Action::GiveUp { attempts }) => Self { attempt: Some(attempts), ..of("give-up") },
        }
    }
}

/// The watch over one link, from its first open connection on.
#[napi(js_name = "LinkMonitor")]
pub struct Monitor {
    monitor: LinkMonitor,
}

#[napi]
impl Monitor {
    /// Begins with a connection that is open. `offerer`: this side's offer made it.
    #[napi(constructor)]
    pub fn new(options: LinkMonitorOptions, offerer: bool) -> Self {
        let config = ReconnectConfig {
            attempts: options.attempts,
            delay: duration(options.delay),
            max_delay: duration(options.max_delay),
            jitter: options.jitter,
            attempt_timeout: duration(options.attempt_timeout),
            grace: duration(options.grace),
        };
        let heartbeat = interval(options.heartbeat);
        Self { monitor: LinkMonitor::new(heartbeat, config, offerer, random_seed(), Instant::now()) }
    }

    /// Whether this side dials when the connection is lost.
    #[napi(getter)]
    pub fn offerer(&self) -> bool {
        self.monitor.is_offerer()
    }

    /// A new connection is open.
    #[napi]
    pub fn rebuilt(&mut self) -> Option<LinkStep> {
        self.monitor.handle_rebuilt(Instant::now()).map(Into::into)
    }

    /// The same connection works again.
    #[napi]
    pub fn connected(&mut self) -> Option<LinkStep> {
        self.monitor.handle_connected(Instant::now()).map(Into::into)
    }

    /// The connection does not answer, which may pass.
    #[napi]
    pub fn disconnected(&mut self) {
        self.monitor.handle_disconnected(Instant::now());
    }

    /// ICE has failed on a connection that was open; DTLS lives on.
    #[napi]
    pub fn path_failed(&mut self) -> Option<LinkStep> {
        self.monitor.handle_path_failed(Instant::now()).map(Into::into)
    }

    /// The other side has said something about the present connection: it has it still.
    #[napi]
    pub fn answered(&mut self) {
        self.monitor.handle_answered();
    }

    /// The other side wants to restart ICE on a connection that was given up here.
    #[napi]
    pub fn asked(&mut self) -> Option<LinkStep> {
        self.monitor.handle_asked(Instant::now()).map(Into::into)
    }

    /// The connection, or the attempt to make one, has failed.
    #[napi]
    pub fn failed(&mut self) -> Option<LinkStep> {
        self.monitor.handle_failed(Instant::now()).map(Into::into)
    }

    /// The restart, or the attempt to make a connection, came to nothing: the signaling service does not know the other side.
    #[napi]
    pub fn absent(&mut self) -> Option<LinkStep> {
        self.monitor.handle_absent(Instant::now()).map(Into::into)
    }

    /// The path in use is gone, and only signaling helps.
    #[napi]
    pub fn path_lost(&mut self) -> Option<LinkStep> {
        self.monitor.handle_path_lost(Instant::now()).map(Into::into)
    }

    /// The network has changed, or the machine has slept.
    #[napi]
    pub fn network_changed(&mut self) -> Option<LinkStep> {
        self.monitor.handle_network_change(Instant::now()).map(Into::into)
    }

    /// This machine has lost its network, or has one again, perhaps another one.
    #[napi]
    pub fn network(&mut self, up: bool) -> Option<LinkStep> {
        self.monitor.handle_network(up, Instant::now()).map(Into::into)
    }

    /// The other side's offer of a new connection is being answered.
    #[napi]
    pub fn redialled(&mut self) {
        self.monitor.handle_redialled(Instant::now());
    }

    /// The other side, which is one of ours, has said how often it sends heartbeats, in milliseconds; 0 for never.
    #[napi]
    pub fn announced(&mut self, heartbeat: f64) {
        self.monitor.announced(interval(heartbeat), Instant::now());
    }

    /// A heartbeat has come.
    #[napi]
    pub fn heartbeat(&mut self) {
        self.monitor.handle_heartbeat(Instant::now());
    }

    /// Something else has come, so many milliseconds ago.
    #[napi]
    pub fn traffic(&mut self, ago: f64) {
        let now = Instant::now();
        self.monitor.handle_traffic(now.checked_sub(duration(ago)).unwrap_or(now));
    }

    /// Milliseconds until `expire` is due; `null` if nothing is.
    #[napi]
    pub fn next_timeout(&self) -> Option<f64> {
        let due = self.monitor.poll_timeout()?;
        Some(due.saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0)
    }

    /// The next thing that is due. Call it until it returns `null`.
    #[napi]
    pub fn expire(&mut self) -> Option<LinkStep> {
        self.monitor.handle_timeout(Instant::now()).map(Into::into)
    }

    /// The link is closed: nothing is due any more.
    #[napi]
    pub fn close(&mut self) {
        self.monitor.close();
    }
}

/// A time limit for somebody else that allows for this program being late itself.
#[napi(js_name = "Patience")]
pub struct Limit {
    patience: Patience,
}

#[napi]
impl Limit {
    /// Ends in so many milliseconds.
    #[napi(constructor)]
    pub fn new(milliseconds: f64) -> Self {
        Self { patience: Patience::new(duration(milliseconds), Instant::now()) }
    }

    /// Milliseconds until `isOver` should be asked.
    #[napi]
    pub fn next_timeout(&self) -> f64 {
        self.patience.poll_timeout().saturating_duration_since(Instant::now()).as_secs_f64() * 1000.0
    }

    /// Whether the time is over. If not, ask again after `nextTimeout`.
    #[napi]
    pub fn is_over(&mut self) -> bool {
        self.patience.is_over(Instant::now())
    }
}

/// Notices that the machine, or this program, stood still.
#[napi(js_name = "ClockWatch")]
pub struct Watch {
    watch: ClockWatch,
}

#[napi]
impl Watch {
    /// Has not looked yet.
    #[napi(constructor)]
    #[allow(clippy::new_without_default, reason = "JavaScript makes them")]
    pub fn new() -> Self {
        Self { watch: ClockWatch::new() }
    }

    /// A look, wanted so many milliseconds after the one before; the milliseconds lost since then, if any were.
    #[napi]
    pub fn observe(&mut self, interval: f64) -> Option<f64> {
        // A clock before 1970 is wrong anyway.
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let wall = u64::try_from(wall.as_millis()).unwrap_or(u64::MAX);
        let lost = self.watch.observe(duration(interval), Instant::now(), wall)?;
        Some(lost.as_secs_f64() * 1000.0)
    }
}

fn duration(milliseconds: f64) -> Duration {
    Duration::try_from_secs_f64(milliseconds / 1000.0).unwrap_or(Duration::MAX)
}

fn interval(milliseconds: f64) -> Option<Duration> {
    Some(duration(milliseconds)).filter(|time| !time.is_zero())
}
