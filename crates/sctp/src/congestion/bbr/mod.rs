//! BBR version 3 (draft-ietf-ccwg-bbr): a model of the path, of its rate and its round trip time, says how fast to send and
//! how much may be in flight; loss bounds the model only when there is more of it than the path loses anyway.
//!
//! `model` measures, `cycle` decides what to try next, `bounds` learns from loss. Names are those of the draft; sizes are bytes
//! on the wire, rates bytes per second. Where we deviate, the constant or function says why.

mod bounds;
mod cycle;
mod model;
mod noise;
#[cfg(test)]
mod tests;

use crate::congestion::delivery::LostSample;
use crate::congestion::pacer::MIN_RTT;
use crate::congestion::{Ack, Controller, MAX_WINDOW, initial_window, min_window};
use crate::time::{MILLISECOND, Nanos, SECOND, Time};

use bounds::Bounds;
use cycle::Cycle;
use model::Model;
use noise::Noise;

/// What BBR is doing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    /// Doubles its rate every round trip until that brings nothing any more.
    Startup,
    /// Lets the queue that this has made run empty.
    Drain,
    /// Sends a little slower than the path delivers, so that a queue runs empty.
    Down,
    /// Sends as fast as the path delivers.
    Cruise,
    /// Fills the path once before more is tried.
    Refill,
    /// Tries whether the path delivers more.
    Up,
    /// Sends so little that the queue runs empty, to measure the round trip time.
    ProbeRtt,
}

impl State {
    fn pacing_gain(self) -> f64 {
        match self {
            // 4 ln 2: the rate doubles every round trip.
            Self::Startup => 2.77,
            Self::Drain => 0.5,
            Self::Down => 0.9,
            Self::Cruise | Self::Refill | Self::ProbeRtt => 1.0,
            Self::Up => 1.25,
        }
    }

    fn window_gain(self) -> f64 {
        match self {
            Self::Up => 1.25,
            Self::ProbeRtt => 0.5,
            _ => 2.0,
        }
    }

    fn is_in_probe_bw(self) -> bool {
        matches!(self, Self::Down | Self::Cruise | Self::Refill | Self::Up)
    }

    /// Whether more is sent than was known to pass: what is lost then bounds the model from above, not from below.
    fn is_probing(self) -> bool {
        matches!(self, Self::Startup | Self::Refill | Self::Up)
    }
}

/// Sent this much slower than measured, so that queues run empty in the long run (BBRPacingMarginPercent).
const PACING_MARGIN: f64 = 0.99;

/// State of BBR.
#[derive(Debug)]
pub(crate) struct Bbr {
    mtu: usize,
    state: State,
    window: u64,
    /// The window before PROBE_RTT or a timeout.
    prior_window: u64,
    pacing_rate: u64,
    model: Model,
    cycle: Cycle,
    bounds: Bounds,
    noise: Noise,
    /// What a mistaken loss has to restore.
    before: Option<(State, Bounds)>,
    /// A timeout has emptied the path: the window grows again with what arrives.
    timed_out: bool,
    /// Data is sent after nothing was in flight.
    restarting: bool,
    in_flight: u64,
    now: Time,
}

impl Bbr {
    pub(crate) fn new(mtu: usize, seed: u32) -> Self {
        Self {
            mtu,
            state: State::Startup,
            window: initial_window(mtu) as u64,
            prior_window: 0,
            pacing_rate: 0,
            model: Model::new(),
            cycle: Cycle::new(seed),
            bounds: Bounds::new(),
            noise: Noise::new(),
            before: None,
            timed_out: false,
            restarting: false,
            in_flight: 0,
            now: Time::default(),
        }
    }

    /// BBRMinPipeCwnd.
    fn min_window(&self) -> u64 {
        min_window(self.mtu) as u64
    }

    /// Bandwidth in use: what the path delivers, bounded by what it did in times of loss.
    fn bandwidth(&self) -> u64 {
        self.model.max_bandwidth().min(self.bounds.bandwidth_low)
    }

    /// What is in flight when the path is full and no queue stands, times a gain. A path shorter than a timer is exact counts
    /// as that long, since acknowledgements and turns of threads take longer than it.
    fn bdp(&self, bandwidth: u64, gain: f64) -> u64 {
        let Some(rtt) = self.model.unqueued_rtt() else {
            return (initial_window(self.mtu) as f64 * gain) as u64;
        };
        let bytes = bandwidth as f64 * rtt.max(MIN_RTT) as f64 / SECOND as f64;
        (bytes * gain / (1.0 - self.noise.share())) as u64
    }

    /// BBRInflight: the same, and what acknowledging in bursts needs beyond it.
    fn inflight(&self, bandwidth: u64, gain: f64) -> u64 {
        let burst = self.send_quantum() * 3;
        let probing = if self.state == State::Up { 2 * self.mtu as u64 } else { 0 };
        self.bdp(bandwidth, gain).max(burst).max(self.min_window()) + probing
    }

    /// What leaves at once: a millisecond's worth, at least two packets, at most what a system call takes.
    fn send_quantum(&self) -> u64 {
        let millisecond = self.pacing_rate / (SECOND / MILLISECOND);
        millisecond.clamp(2 * self.mtu as u64, 64 * 1024)
    }

    fn inflight_with_headroom(&self) -> u64 {
        if self.bounds.inflight_high == u64::MAX {
            return u64::MAX;
        }
        let headroom = ((self.bounds.inflight_high as f64 * bounds::HEADROOM) as u64).max(self.mtu as u64);
        // But what the path holds without a queue is nobody else's. Without this, a path whose queue is short compared to its
        // delay is used by 85 %.
        let full = self.bdp(self.model.max_bandwidth(), 1.0).min(self.bounds.inflight_high);
        self.bounds.inflight_high.saturating_sub(headroom).max(full).max(self.min_window())
    }

    /// BBRSetPacingRateWithGain.
    fn set_pacing_rate(&mut self, gain: f64) {
        // What the path loses by chance is sent in addition: it does not take part in what is delivered. But not in DOWN, which
        // shows whether it really is chance.
        let passing = if self.state == State::Down { 1.0 } else { 1.0 - self.noise.share() };
        let rate = (self.bandwidth() as f64 * gain * PACING_MARGIN / passing) as u64;
        if self.model.is_full_reached() || rate > self.pacing_rate {
            // A model that has seen nothing but a pause does not stop everything.
            let round = self.model.min_rtt().unwrap_or(SECOND).max(MILLISECOND);
            self.pacing_rate = rate.max(self.min_window() * SECOND / round / 2);
        }
    }

    /// BBRSetCwnd.
    fn set_window(&mut self, acked: u64) {
        let gain = self.state.window_gain();
        let mut target = self.inflight(self.bandwidth(), gain);
        if self.state == State::Up {
            // Where flows share a queue, more is in flight than the path holds. Less than that would try nothing, and whoever
            // came first would keep what it has.
            target = target.max((self.cycle.before_up as f64 * gain) as u64);
        }
        target += self.model.extra_acked();
        if self.model.is_full_reached() {
            self.window = (self.window + acked).min(target);
        } else if self.window < target || self.model.delivered() < initial_window(self.mtu) as u64 {
            self.window += acked;
        }
        self.window = self.window.max(self.min_window());
        let mut cap = match self.state {
            State::Cruise | State::ProbeRtt => self.inflight_with_headroom(),
            state if state.is_in_probe_bw() => self.bounds.inflight_high,
            _ => u64::MAX,
        };
        if self.state == State::ProbeRtt {
            cap = cap.min(self.probe_rtt_window());
        }
        cap = cap.min(self.bounds.inflight_low).max(self.min_window());
        self.window = self.window.min(cap).min(MAX_WINDOW as u64);
    }

    fn probe_rtt_window(&self) -> u64 {
        self.bdp(self.bandwidth(), State::ProbeRtt.window_gain()).max(self.min_window())
    }

    fn save_window(&mut self) {
        let is_normal = !self.timed_out && self.state != State::ProbeRtt;
        self.prior_window = if is_normal { self.window } else { self.prior_window.max(self.window) };
    }
}

impl Controller for Bbr {
    fn window(&self) -> usize {
        self.window as usize
    }

    fn threshold(&self) -> usize {
        // There is none; while the rate doubles, the window counts as below it.
        if self.state == State::Startup { MAX_WINDOW } else { 0 }
    }

    fn pacing_rate(&self, _srtt: Nanos) -> u64 {
        self.pacing_rate
    }

    fn wants_app_limited(&self) -> bool {
        self.state == State::ProbeRtt
    }

    fn on_sent(&mut self, now: Time, in_flight: usize, app_limited: bool) {
        if in_flight > 0 || !app_limited {
            return;
        }
        // BBRHandleRestartFromIdle: at the rate of the path at once, and no burst.
        self.restarting = true;
        self.now = now;
        self.model.restart_aggregation(now);
        if self.state.is_in_probe_bw() {
            self.set_pacing_rate(1.0);
        } else if self.state == State::ProbeRtt {
            self.check_probe_rtt_done();
        }
    }

    fn on_ack(&mut self, ack: &Ack) {
        self.now = ack.now;
        self.in_flight = ack.in_flight as u64;
        if self.pacing_rate == 0 && ack.srtt > 0 {
            self.pacing_rate = (self.window as f64 * State::Startup.pacing_gain() * SECOND as f64
                / ack.srtt.max(MILLISECOND) as f64) as u64;
        }
        if self.model.delivered() == 0 {
            // On another path before this one, perhaps.
            let before = ack.delivered - ack.bytes as u64;
            self.noise.start(before);
            self.bounds.start(before);
        }
        self.model.on_ack(ack);
        self.listen(ack);
        self.update_bounds(ack);
        self.model.update_aggregation(ack, self.bandwidth(), self.window);
        self.advance(ack);
        self.bounds.end_round(ack);
        self.set_pacing_rate(self.state.pacing_gain());
        self.set_window(ack.bytes as u64);
    }

    fn on_lost(&mut self, loss: &LostSample) {
        self.learn_from(loss);
    }

    fn on_loss(&mut self, _now: Time) {
        self.before = Some((self.state, self.bounds));
    }

    fn on_timeout(&mut self, _now: Time) {
        self.save_window();
        self.before = Some((self.state, self.bounds));
        self.timed_out = true;
        self.window = self.mtu as u64;
    }

    fn on_recovered(&mut self) {
        if std::mem::take(&mut self.timed_out) {
            self.window = self.window.max(self.prior_window);
        }
    }

    fn undo(&mut self) {
        self.on_recovered();
        let Some((state, bounds)) = self.before.take() else { return };
        self.bounds.restore(&bounds);
        if self.state != State::ProbeRtt && self.state != state {
            match state {
                State::Startup => self.enter_startup(),
                State::Up => self.start_up(),
                _ => {}
            }
        }
    }

    fn on_idle(&mut self, _timeouts: u32) {
        // The model ages by its filters, and what is sent first is paced.
    }

    fn on_mtu(&mut self, mtu: usize) {
        self.mtu = mtu;
        let floor = if self.model.is_full_reached() { min_window(mtu) } else { initial_window(mtu) };
        self.window = self.window.max(floor as u64);
    }
}
