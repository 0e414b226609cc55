//! The scenarios of `docs/congestion-control.md`, and how a table is made of them.

use std::time::Duration;

use ossa_sctp::CongestionControl;

use super::network::{FlowSpec, Scenario, run};
use super::outcome::{FlowOutcome, jain};
use crate::support::MS;
use crate::support::link::{Bursts, Link, Policer};

/// The controllers that are compared. A new one is added here.
pub const CONTROLLERS: [(&str, CongestionControl); 3] = [
    ("NewReno", CongestionControl::NewReno),
    ("CUBIC", CongestionControl::Cubic),
    ("BBR", CongestionControl::Bbr),
];

/// A figure of a scenario.
#[derive(Clone, Copy, Debug)]
pub enum Metric {
    /// Payload that arrived, as a share of what the link carries.
    Share,
    /// Round trip time with the queue, in milliseconds, at this quantile.
    Rtt(f64),
    /// Percent of the user data that was sent again.
    Resent,
    Jain,
    /// What the flow with the least got, as a share of what the one with the most got.
    LeastToMost,
    /// What the first flow got, in units of its fair share.
    First,
    /// Milliseconds until everything had arrived.
    Took,
}

impl Metric {
    fn title(self) -> String {
        match self {
            Self::Share => "share".into(),
            Self::Rtt(quantile) => format!("RTT p{:.0}", quantile * 100.0),
            Self::Resent => "sent again, %".into(),
            Self::Jain => "Jain".into(),
            Self::LeastToMost => "least : most".into(),
            Self::First => "first : fair".into(),
            Self::Took => "ms".into(),
        }
    }

    fn value(self, scenario: &Scenario, flows: &[FlowOutcome]) -> f64 {
        let bytes = |flow: &FlowOutcome| flow.bytes as f64;
        let total: f64 = flows.iter().map(bytes).sum();
        match self {
            Self::Share => total / scenario.capacity(),
            Self::Rtt(quantile) => scenario.base_rtt_ms() + flows[0].queueing(quantile),
            Self::Resent => 100.0 * flows.iter().map(|flow| flow.resent).sum::<f64>() / flows.len() as f64,
            Self::Jain => jain(flows),
            Self::LeastToMost => {
                let least = flows.iter().map(bytes).fold(f64::MAX, f64::min);
                least / flows.iter().map(bytes).fold(1.0, f64::max)
            }
            Self::First => bytes(&flows[0]) * flows.len() as f64 / total.max(1.0),
            Self::Took => flows[0].took.map_or(f64::NAN, |took| took.as_secs_f64() * 1000.0),
        }
    }

    fn show(self, value: f64) -> String {
        match self {
            _ if value.is_nan() => "–".into(),
            Self::Share | Self::Jain | Self::LeastToMost | Self::First => {
                if value < 0.1 {
                    format!("{value:.3}")
                } else {
                    format!("{value:.2}")
                }
            }
            Self::Rtt(_) | Self::Took => format!("{value:.0}"),
            Self::Resent => format!("{value:.1}"),
        }
    }
}

/// Scenarios that differ in one or two things.
pub struct Table {
    pub title: &'static str,
    pub text: &'static str,
    /// Heads of the columns that say what a row is.
    heads: &'static [&'static str],
    metrics: &'static [Metric],
    /// Whether each row is run once per controller, or has its own controllers.
    per_controller: bool,
    /// Seeds; the table has medians.
    seeds: u64,
    pub rows: Vec<Row>,
}

pub struct Row {
    pub labels: Vec<String>,
    scenario: Scenario,
}

impl Table {
    fn columns(&self) -> Vec<(Metric, Option<(&'static str, CongestionControl)>)> {
        let columns = self.metrics.iter().flat_map(|metric| {
            let controllers = if self.per_controller { CONTROLLERS.map(Some).to_vec() } else { vec![None] };
            controllers.into_iter().map(|controller| (*metric, controller))
        });
        columns.collect()
    }

    /// The first lines of the table in Markdown.
    pub fn head(&self) -> String {
        let columns = self.columns();
        let titles = columns.iter().map(|(metric, controller)| match controller {
            Some((name, _)) => format!("{name}: {}", metric.title()),
            None => metric.title(),
        });
        let heads: Vec<String> = self.heads.iter().map(ToString::to_string).chain(titles).collect();
        let rule = "| ---: ".repeat(columns.len());
        format!("| {} |\n{}{rule}|", heads.join(" | "), "| --- ".repeat(self.heads.len()))
    }

    /// One line of the table in Markdown: this runs its simulations.
    pub fn line(&self, row: &Row) -> String {
        let cells = self.cells(row);
        format!("| {} |", row.labels.iter().cloned().chain(cells).collect::<Vec<_>>().join(" | "))
    }

    fn cells(&self, row: &Row) -> Vec<String> {
        let variants = if self.per_controller { CONTROLLERS.map(Some).to_vec() } else { vec![None] };
        let results: Vec<_> = variants.iter().map(|variant| self.measure(row, *variant)).collect();
        let metrics = self.metrics.iter().enumerate();
        let cells =
            metrics.flat_map(|(index, metric)| results.iter().map(move |values| metric.show(values[index])));
        cells.collect()
    }

    /// The median of each metric.
    fn measure(&self, row: &Row, controller: Option<(&str, CongestionControl)>) -> Vec<f64> {
        let mut scenario = row.scenario.clone();
        for flow in &mut scenario.flows {
            flow.congestion = controller.map_or(flow.congestion, |(_, congestion)| congestion);
        }
        let mut runs = Vec::new();
        for seed in 1..=self.seeds {
            scenario.seed = seed;
            let flows = run(&scenario);
            runs.push(self.metrics.iter().map(|metric| metric.value(&scenario, &flows)).collect::<Vec<_>>());
        }
        let median = |index: usize| {
            let mut values: Vec<f64> = runs.iter().map(|values| values[index]).collect();
            values.sort_by(f64::total_cmp);
            values[values.len() / 2]
        };
        (0..self.metrics.len()).map(median).collect()
    }
}

impl Scenario {
    /// One bulk transfer over a path of this round trip time and rate, measured for 20 s after 5 s.
    fn path(rtt: Duration, megabits: u64, queue: u64) -> Self {
        // Ethernet, and DTLS around each packet: 1,472 bytes of UDP payload, which are what the rate counts.
        let link = Link {
            delay: rtt / 2,
            rate: megabits * 125_000,
            queue,
            mtu: 1435,
            overhead: 37,
            ..Link::default()
        };
        let seconds = Duration::from_secs;
        Self { link, rates: Vec::new(), flows: vec![flow()], from: seconds(5), to: seconds(25), seed: 1 }
    }

    /// Bytes that the bottleneck carries in the time that is measured.
    fn capacity(&self) -> f64 {
        let (mut rate, mut since, mut bytes) = (self.link.rate, self.from, 0.0);
        for (at, next) in &self.rates {
            let at = (*at).clamp(self.from, self.to);
            bytes += rate as f64 * (at - since).as_secs_f64();
            (rate, since) = (*next, at);
        }
        bytes += rate as f64 * (self.to - since).as_secs_f64();
        for (from, to) in &self.link.outages {
            bytes -= self.link.rate as f64 * (*to - *from).as_secs_f64();
        }
        match self.link.policer {
            Some(policer) => policer.rate as f64 * (self.to - self.from).as_secs_f64(),
            None => bytes,
        }
    }

    fn base_rtt_ms(&self) -> f64 {
        (self.link.delay + self.flows[0].extra_delay).as_secs_f64() * 2000.0
    }
}

fn flow() -> FlowSpec {
    FlowSpec {
        congestion: CongestionControl::default(),
        starts: Duration::ZERO,
        extra_delay: Duration::ZERO,
        bytes: None,
    }
}

/// What is under way on a path at its rate, in bytes, and no less than ten packets.
fn bandwidth_delay(rtt: Duration, megabits: u64) -> u64 {
    ((rtt.as_secs_f64() * megabits as f64 * 125_000.0) as u64).max(15_000)
}

/// All tables, in the order of the document.
pub fn tables() -> Vec<Table> {
    vec![loss(), rates(), queues(), disorder(), policers(), transfers(), changes(), sharing(), mixed()]
}

fn loss() -> Table {
    let rows = [20, 50, 100, 300, 500].into_iter().flat_map(|rtt| {
        [0.0, 0.1, 1.0, 2.0, 5.0, 10.0, 20.0].into_iter().map(move |percent: f64| {
            let mut scenario = Scenario::path(rtt * MS, 100, 512_000);
            scenario.link.loss = percent / 100.0;
            Row { labels: vec![rtt.to_string(), percent.to_string()], scenario }
        })
    });
    Table {
        title: "Delay and random loss",
        text: "100 Mbit/s, a queue of 512 kB, packets lost at random in both directions.",
        heads: &["RTT, ms", "loss, %"],
        metrics: &[Metric::Share, Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: rows.collect(),
    }
}

fn rates() -> Table {
    let rows = [1, 10, 100, 1000].into_iter().flat_map(|megabits| {
        [1, 20, 100, 300].into_iter().map(move |rtt| {
            let queue = bandwidth_delay(rtt * MS, megabits);
            let scenario = Scenario::path(rtt * MS, megabits, queue);
            Row { labels: vec![megabits.to_string(), rtt.to_string()], scenario }
        })
    });
    Table {
        title: "Rate and delay",
        text: "No loss but that of the queue, which holds what the path does, and at least ten packets.",
        heads: &["Mbit/s", "RTT, ms"],
        metrics: &[Metric::Share, Metric::Rtt(0.5), Metric::Rtt(0.95), Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: rows.collect(),
    }
}

fn queues() -> Table {
    let rows = [10, 100, 1000, 10_000].into_iter().map(|queue| {
        let scenario = Scenario::path(40 * MS, 20, bandwidth_delay(queue * MS, 20));
        Row { labels: vec![queue.to_string()], scenario }
    });
    Table {
        title: "Depth of the queue",
        text: "20 Mbit/s, RTT 40 ms.",
        heads: &["queue, ms"],
        metrics: &[Metric::Share, Metric::Rtt(0.5), Metric::Rtt(0.95), Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: rows.collect(),
    }
}

fn disorder() -> Table {
    let base = || Scenario::path(60 * MS, 50, bandwidth_delay(60 * MS, 50));
    let row = |label: &str, change: &dyn Fn(&mut Link)| {
        let mut scenario = base();
        change(&mut scenario.link);
        Row { labels: vec![label.into()], scenario }
    };
    let bursts = |percent: f64, length| {
        move |link: &mut Link| link.bursts = Some(Bursts { loss: percent / 100.0, length })
    };
    let reorder = |share, by| move |link: &mut Link| (link.reorder, link.reorder_by) = (share, by);
    let jitter = |by| move |link: &mut Link| link.jitter = by;
    Table {
        title: "Bursts of loss, reordering, jitter",
        text: "50 Mbit/s, RTT 60 ms, a queue of that, loss by the model of Gilbert and Elliott; reordered packets are late by up to the time that is given.",
        heads: &["path"],
        metrics: &[Metric::Share, Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: vec![
            row("0.1 % lost, 5 in a row", &bursts(0.1, 5.0)),
            row("1 % lost, 5 in a row", &bursts(1.0, 5.0)),
            row("1 % lost, 20 in a row", &bursts(1.0, 20.0)),
            row("5 % lost, 20 in a row", &bursts(5.0, 20.0)),
            row("1 % reordered, 15 ms", &reorder(0.01, 15 * MS)),
            row("10 % reordered, 30 ms", &reorder(0.1, 30 * MS)),
            row("all reordered, 20 ms", &reorder(1.0, 20 * MS)),
            row("jitter of 5 ms, in order", &jitter(5 * MS)),
            row("jitter of 30 ms, in order", &jitter(30 * MS)),
        ],
    }
}

fn policers() -> Table {
    let rows = [15_000, 100_000, 1_000_000].into_iter().map(|bucket| {
        let mut scenario = Scenario::path(40 * MS, 100, 512_000);
        scenario.link.policer = Some(Policer { rate: 1_250_000, bucket });
        Row { labels: vec![(bucket / 1000).to_string()], scenario }
    });
    Table {
        title: "A policer instead of a queue",
        text: "A token bucket of 10 Mbit/s on a line of 100 Mbit/s, RTT 40 ms. The share is that of the 10 Mbit/s.",
        heads: &["bucket, kB"],
        metrics: &[Metric::Share, Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: rows.collect(),
    }
}

fn transfers() -> Table {
    let paths = [(10, 20), (10, 100), (100, 20), (100, 100), (100, 300)];
    let rows = paths.into_iter().flat_map(|(megabits, rtt)| {
        [0.0, 1.0].into_iter().map(move |percent: f64| {
            let mut scenario = Scenario::path(rtt * MS, megabits, 256_000);
            scenario.link.loss = percent / 100.0;
            scenario.flows[0].bytes = Some(1_000_000);
            scenario.to = Duration::from_secs(120);
            Row { labels: vec![megabits.to_string(), rtt.to_string(), percent.to_string()], scenario }
        })
    });
    Table {
        title: "One megabyte",
        text: "Milliseconds from the open association until 1 MB has arrived, median of nine; a queue of 256 kB.",
        heads: &["Mbit/s", "RTT, ms", "loss, %"],
        metrics: &[Metric::Took],
        per_controller: true,
        seeds: 9,
        rows: rows.collect(),
    }
}

fn changes() -> Table {
    let row = |label: &str, change: &dyn Fn(&mut Scenario)| {
        let mut scenario = Scenario::path(50 * MS, 50, bandwidth_delay(100 * MS, 50));
        change(&mut scenario);
        Row { labels: vec![label.into()], scenario }
    };
    let at = Duration::from_secs;
    Table {
        title: "Paths that change",
        text: "50 Mbit/s at the beginning, RTT 50 ms, a queue of 100 ms; changes after 10 s. The share is that of what the path carried from second 5 to 25.",
        heads: &["change"],
        metrics: &[Metric::Share, Metric::Rtt(0.5), Metric::Rtt(0.95), Metric::Resent],
        per_controller: true,
        seeds: 1,
        rows: vec![
            row("to 5 Mbit/s", &|scenario| scenario.rates = vec![(at(10), 625_000)]),
            row("to 5 Mbit/s and back after 5 s", &|scenario| {
                scenario.rates = vec![(at(10), 625_000), (at(15), 6_250_000)];
            }),
            row("to 500 Mbit/s", &|scenario| scenario.rates = vec![(at(10), 62_500_000)]),
            row("nothing passes for 2 s", &|scenario| scenario.link.outages = vec![(at(10), at(12))]),
        ],
    }
}

/// A scenario of several flows, measured once all of them have begun.
fn shared(flows: Vec<FlowSpec>, megabits: u64, rtt: u64, queue: u64) -> Scenario {
    let begun = flows.iter().map(|flow| flow.starts).max().unwrap_or_default();
    let path = Scenario::path(Duration::from_millis(rtt), megabits, queue);
    let from = begun + Duration::from_secs(10);
    Scenario { flows, from, to: from + Duration::from_secs(50), ..path }
}

fn sharing() -> Table {
    let queue = bandwidth_delay(40 * MS, 50);
    let row = |label: &str, flows| Row { labels: vec![label.into()], scenario: shared(flows, 50, 40, queue) };
    let later = |seconds| FlowSpec { starts: Duration::from_secs(seconds), ..flow() };
    let farther = |rtt: u32| FlowSpec { extra_delay: (rtt - 40) * MS / 2, ..flow() };
    Table {
        title: "Several flows of the same controller",
        text: "50 Mbit/s, RTT 40 ms where nothing else is said, a queue of that; measured for 50 s, from 10 s after the last one has begun.",
        heads: &["flows"],
        metrics: &[Metric::Share, Metric::Jain, Metric::LeastToMost, Metric::Rtt(0.95)],
        per_controller: true,
        seeds: 1,
        rows: vec![
            row("2", vec![flow(); 2]),
            row("4", vec![flow(); 4]),
            row("10", vec![flow(); 10]),
            row("2, one begins 20 s later", vec![flow(), later(20)]),
            row("4, one every 10 s", [0, 10, 20, 30].map(later).to_vec()),
            row("2, RTT 40 and 120 ms", vec![flow(), farther(120)]),
            row("4, RTT 40, 80, 120 and 200 ms", [40, 80, 120, 200].map(farther).to_vec()),
        ],
    }
}

fn mixed() -> Table {
    let mut rows = Vec::new();
    for (first, (name, congestion)) in CONTROLLERS.into_iter().enumerate() {
        for (other, others) in CONTROLLERS.into_iter().skip(first + 1) {
            for (tenths, count) in [(5, 1), (10, 1), (40, 1), (250, 1), (10, 4)] {
                let queue = bandwidth_delay(40 * MS, 50) * tenths / 10;
                let mut flows = vec![FlowSpec { congestion: others, ..flow() }];
                flows.extend(vec![FlowSpec { congestion, ..flow() }; count]);
                let labels = vec![other.into(), format!("{count} × {name}"), (40 * tenths / 10).to_string()];
                rows.push(Row { labels, scenario: shared(flows, 50, 40, queue) });
            }
        }
    }
    Table {
        title: "Beside flows of another controller",
        text: "50 Mbit/s, RTT 40 ms. What the first got, in units of its fair share: 1 is fair, 2 is twice as much as it should be.",
        heads: &["first", "others", "queue, ms"],
        metrics: &[Metric::First, Metric::Share, Metric::Rtt(0.95)],
        per_controller: false,
        seeds: 1,
        rows,
    }
}
