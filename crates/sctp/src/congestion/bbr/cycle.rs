//! What is tried next: the states and when they are left.

use super::noise::Calm;
use super::{Bbr, State};
use crate::congestion::Ack;
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

/// How long PROBE_RTT lasts at least (ProbeRTTDuration).
const PROBE_RTT_TIME: Nanos = 200 * MILLISECOND;
/// More is tried after so many rounds at the latest, as often as Reno would on a short path.
const MAX_ROUNDS: u64 = 63;

/// Which part of a probe the acknowledgements that come in now speak of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Feedback {
    Init,
    Refilling,
    Starting,
    Arriving,
    Stopping,
}

/// Where in the cycle of probing we are.
#[derive(Debug)]
pub(super) struct Cycle {
    random: u32,
    phase_start: Time,
    wait: Nanos,
    rounds: u64,
    feedback: Feedback,
    /// Loss of what is acknowledged now was caused by a probe.
    pub(super) samples_probe: bool,
    /// A round of DOWN has told what is lost while less is sent than the path carries.
    has_listened: bool,
    /// In flight when UP began.
    pub(super) before_up: u64,
    up_rounds: u32,
    up_acked: u64,
    /// Bytes to be acknowledged for each packet that the upper bound grows by.
    up_step: u64,
    probe_rtt_end: Option<Time>,
    probe_rtt_round_done: bool,
}

impl Cycle {
    pub(super) fn new(seed: u32) -> Self {
        Self {
            random: seed | 1,
            phase_start: Time::default(),
            wait: 0,
            rounds: 0,
            feedback: Feedback::Init,
            samples_probe: false,
            has_listened: false,
            before_up: 0,
            up_rounds: 0,
            up_acked: 0,
            up_step: u64::MAX,
            probe_rtt_end: None,
            probe_rtt_round_done: false,
        }
    }

    /// Xorshift: flows that share a bottleneck must not probe at the same times.
    fn random(&mut self) -> u32 {
        self.random ^= self.random << 13;
        self.random ^= self.random >> 17;
        self.random ^= self.random << 5;
        self.random
    }

    /// BBRPickProbeWait.
    fn pick_wait(&mut self) {
        self.rounds = u64::from(self.random() & 1);
        self.wait = 2 * SECOND + u64::from(self.random()) * SECOND / u64::from(u32::MAX);
    }
}

impl Bbr {
    /// Learns what is lost by chance, from rounds in which nothing was tried.
    pub(super) fn listen(&mut self, ack: &Ack) {
        if let Some(rtt) = ack.rtt {
            self.noise.on_rtt(rtt);
        }
        if let Some(min_rtt) = self.model.min_rtt().filter(|_| self.model.round_start()) {
            let calm = match self.state {
                State::Startup if !self.model.has_stalled() => Calm::Full,
                State::Down if self.cycle.feedback == Feedback::Init => Calm::Below,
                State::Cruise if self.cycle.feedback == Feedback::Init => Calm::Full,
                State::ProbeRtt if self.cycle.probe_rtt_round_done => Calm::Below,
                _ => Calm::No,
            };
            self.cycle.has_listened |= calm == Calm::Below;
            self.noise.end_round(ack.delivered, min_rtt, calm, self.mtu);
        }
    }

    /// Goes from state to state as an acknowledgement suggests.
    pub(super) fn advance(&mut self, ack: &Ack) {
        if self.model.round_start() {
            self.cycle.rounds += 1;
        }
        if self.state == State::Startup {
            self.check_startup_loss(ack);
            // The draft waits for three rounds without growth, in which a short queue overflows, by so many packets that a SACK has
            // no room to list them. What stands in a queue is no growth; if it was jitter, the first probe comes at once.
            if self.model.has_queue() {
                self.model.set_full();
            }
            if self.model.is_full_reached() {
                self.state = State::Drain;
            }
        }
        if self.state == State::Drain && self.in_flight <= self.inflight(self.model.max_bandwidth(), 1.0) {
            self.start_down();
        }
        self.advance_probe(ack);
        self.check_probe_rtt(ack);
    }

    /// BBRUpdateProbeBWCyclePhase.
    fn advance_probe(&mut self, ack: &Ack) {
        if !self.model.is_full_reached() {
            return;
        }
        self.adapt_upper_bound(ack);
        let state = self.state;
        match state {
            State::Down if !self.starts_probe() && self.has_drained() => self.state = State::Cruise,
            State::Cruise => {
                self.starts_probe();
            }
            State::Refill if self.model.round_start() => {
                // What is lost from now on was lost with a full path.
                self.cycle.samples_probe = true;
                self.start_up();
            }
            State::Up if self.has_probed(ack) => self.start_down(),
            _ => {}
        }
    }

    /// BBRIsTimeToCruise.
    fn has_drained(&self) -> bool {
        (self.cycle.has_listened || self.noise.share() == 0.0)
            && self.in_flight <= self.inflight_with_headroom()
            && self.in_flight <= self.inflight(self.model.max_bandwidth(), 1.0)
    }

    /// BBRIsTimeToProbeBW; starts it if so.
    fn starts_probe(&mut self) -> bool {
        let target = self.bdp(self.bandwidth(), 1.0).min(self.window) / self.mtu as u64;
        let is_time = self.now.since(self.cycle.phase_start) > self.cycle.wait
            || self.cycle.rounds >= target.clamp(1, MAX_ROUNDS);
        if is_time {
            self.bounds.reset_lower();
            self.cycle.up_rounds = 0;
            self.cycle.up_acked = 0;
            self.cycle.feedback = Feedback::Refilling;
            self.model.start_round();
            self.state = State::Refill;
        }
        is_time
    }

    /// BBRIsTimeToGoDown.
    fn has_probed(&mut self, ack: &Ack) -> bool {
        if ack.limited && self.window >= self.bounds.inflight_high {
            // It is our own bound that holds the rate down.
            self.model.reset_full(ack.sample.and_then(|sample| sample.rate).unwrap_or(0));
            return false;
        }
        self.model.is_full_now()
    }

    pub(super) fn start_down(&mut self) {
        self.bounds.reset_signals(self.model.delivered());
        self.noise.forget_probe(self.model.delivered());
        self.cycle.up_step = u64::MAX;
        self.cycle.pick_wait();
        self.cycle.phase_start = self.now;
        self.cycle.feedback = Feedback::Stopping;
        self.cycle.has_listened = false;
        self.model.start_round();
        self.state = State::Down;
    }

    pub(super) fn start_up(&mut self) {
        self.cycle.feedback = Feedback::Starting;
        self.model.start_round();
        self.model.reset_full(self.model.max_bandwidth());
        self.cycle.phase_start = self.now;
        self.cycle.before_up = self.in_flight;
        self.state = State::Up;
        self.raise_slope();
    }

    pub(super) fn enter_startup(&mut self) {
        self.state = State::Startup;
    }

    /// BBRRaiseInflightHiSlope: twice as much in each round.
    fn raise_slope(&mut self) {
        let growth = (self.mtu as u64) << self.cycle.up_rounds.min(30);
        self.cycle.up_rounds = (self.cycle.up_rounds + 1).min(30);
        self.cycle.up_step = (self.window * self.mtu as u64 / growth).max(1);
    }

    /// BBRAdaptUpperBounds.
    fn adapt_upper_bound(&mut self, ack: &Ack) {
        if self.model.round_start() {
            match self.cycle.feedback {
                Feedback::Starting => self.cycle.feedback = Feedback::Arriving,
                Feedback::Stopping => {
                    self.cycle.samples_probe = false;
                    self.cycle.feedback = Feedback::Init;
                    if self.state.is_in_probe_bw() && ack.sample.is_some_and(|sample| !sample.app_limited) {
                        self.model.advance_bandwidth();
                    }
                }
                _ => {}
            }
        }
        let Some(sample) = &ack.sample else { return };
        if self.is_too_much(sample.lost, sample.in_flight) || self.bounds.inflight_high == u64::MAX {
            return;
        }
        self.bounds.inflight_high = self.bounds.inflight_high.max(sample.in_flight);
        if self.state == State::Up {
            self.raise_upper_bound(ack);
        }
    }

    /// BBRProbeInflightHiUpward.
    fn raise_upper_bound(&mut self, ack: &Ack) {
        if !ack.limited || self.window < self.bounds.inflight_high {
            return;
        }
        self.cycle.up_acked += ack.bytes as u64;
        let steps = self.cycle.up_acked / self.cycle.up_step;
        self.cycle.up_acked -= steps * self.cycle.up_step;
        self.bounds.inflight_high = self.bounds.inflight_high.saturating_add(steps * self.mtu as u64);
        if self.model.round_start() {
            self.raise_slope();
        }
    }

    /// BBRCheckProbeRTT.
    fn check_probe_rtt(&mut self, ack: &Ack) {
        if self.state != State::ProbeRtt && self.model.probe_rtt_expired() && !self.restarting {
            self.save_window();
            self.state = State::ProbeRtt;
            self.cycle.probe_rtt_end = None;
            self.cycle.feedback = Feedback::Stopping;
            self.cycle.probe_rtt_round_done = false;
            self.model.start_round();
        }
        if self.state == State::ProbeRtt {
            match self.cycle.probe_rtt_end {
                None if self.in_flight <= self.probe_rtt_window() => {
                    self.cycle.probe_rtt_end = Some(self.now.after(PROBE_RTT_TIME));
                    self.cycle.probe_rtt_round_done = false;
                    self.model.start_round();
                }
                None => {}
                Some(_) => {
                    self.cycle.probe_rtt_round_done |= self.model.round_start();
                    if self.cycle.probe_rtt_round_done {
                        self.check_probe_rtt_done();
                    }
                }
            }
        }
        if ack.bytes > 0 {
            self.restarting = false;
        }
    }

    /// BBRCheckProbeRTTDone and BBRExitProbeRTT.
    pub(super) fn check_probe_rtt_done(&mut self) {
        if self.cycle.probe_rtt_end.is_none_or(|end| self.now < end) {
            return;
        }
        self.model.confirm_rtt(self.now);
        self.window = self.window.max(self.prior_window);
        self.bounds.reset_lower();
        if self.model.is_full_reached() {
            self.start_down();
            self.state = State::Cruise;
        } else {
            self.enter_startup();
        }
    }
}
