//! Senders and recipients in pairs: how many messages get through, and how long each of them takes.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::task::LocalSet;
use tokio::time::{MissedTickBehavior, interval_at};

use crate::Failure;
use crate::options::Options;
use crate::protocol::sdp;
use crate::wire::{Socket, encode};

/// Before anything is counted: compilers and buffers warm up.
const WARM_UP: Duration = Duration::from_secs(1);

/// A paced sender sends what is due this often. The runtime's clock has no finer steps.
const TICK: Duration = Duration::from_millis(1);

/// A paced sender that has so much unwritten waits: the server does not take it.
const BACKLOG: usize = 1 << 20;

/// What all pairs add up to.
struct Totals {
    counting: Cell<bool>,
    ended: Cell<bool>,
    sent: Cell<u64>,
    received: Cell<u64>,
    bytes: Cell<u64>,
    /// Frames that came back to the senders: errors of the server.
    answers: Cell<u64>,
    lost: Cell<u64>,
    micros: RefCell<Vec<u32>>,
}

struct Pair {
    sender: Socket,
    recipient: Socket,
    frames: Vec<Vec<u8>>,
    next: usize,
    /// When each message that is under way was handed to the socket. They arrive in this order.
    under_way: VecDeque<Instant>,
    totals: Rc<Totals>,
}

pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let totals = Rc::new(Totals {
        counting: Cell::new(false),
        ended: Cell::new(false),
        sent: Cell::default(),
        received: Cell::default(),
        bytes: Cell::default(),
        answers: Cell::default(),
        lost: Cell::default(),
        micros: RefCell::default(),
    });
    let mut pairs = Vec::new();
    for index in 0..options.pairs {
        pairs.push(Pair::open(&options, index, totals.clone()).await?);
    }
    println!("{}", serde_json::json!({ "ready": true }));

    let local = LocalSet::new();
    let window = options.window;
    for (index, pair) in pairs.into_iter().enumerate() {
        match options.rate {
            Some(rate) => {
                let offset = TICK.mul_f64(index as f64 / options.pairs as f64);
                local.spawn_local(pair.paced(rate / options.pairs as f64, offset));
            }
            None => {
                local.spawn_local(pair.windowed(window));
            }
        }
    }
    let started = local
        .run_until(async {
            tokio::time::sleep(WARM_UP).await;
            totals.counting.set(true);
            let started = Instant::now();
            tokio::time::sleep(options.duration).await;
            totals.counting.set(false);
            started
        })
        .await;
    let seconds = started.elapsed().as_secs_f64();
    totals.ended.set(true);
    report(&totals, seconds);
    Ok(())
}

fn report(totals: &Totals, seconds: f64) {
    let mut micros = totals.micros.take();
    micros.sort_unstable();
    let quantile =
        |q: f64| micros.get(((micros.len() as f64 * q) as usize).min(micros.len().saturating_sub(1)));
    println!(
        "{}",
        serde_json::json!({
            "seconds": seconds,
            "sent": totals.sent.get(),
            "messages": totals.received.get(),
            "messagesPerSecond": totals.received.get() as f64 / seconds,
            "bytesPerSecond": totals.bytes.get() as f64 / seconds,
            "p50": quantile(0.5),
            "p99": quantile(0.99),
            "p999": quantile(0.999),
            "max": quantile(1.0),
            "answers": totals.answers.get(),
            "lostPairs": totals.lost.get(),
        })
    );
}

impl Pair {
    /// Connects both and checks that an offer arrives as it was sent.
    async fn open(options: &Options, index: usize, totals: Rc<Totals>) -> Result<Self, Failure> {
        let (from, to) = (options.agent(index * 2), options.agent(index * 2 + 1));
        let there = Options { server: options.recipients.unwrap_or(options.server), ..options.clone() };
        let mut recipient = Socket::register(&there, &to).await?;
        let mut sender = Socket::register(options, &from).await?;
        let messages = options.protocol.messages(&from, &to);
        sender.queue(messages[0].as_bytes());
        sender.try_flush()?;
        let offer = recipient.receive().await?;
        if options.protocol.sdp_of(&offer).as_deref() != Some(&sdp()) {
            return Err(format!("the offer arrived changed: {}", String::from_utf8_lossy(&offer)).into());
        }
        let frames = messages
            .iter()
            .map(|message| {
                let mut frame = Vec::new();
                encode(&mut frame, message.as_bytes());
                frame
            })
            .collect();
        Ok(Self { sender, recipient, frames, next: index, under_way: VecDeque::new(), totals })
    }

    /// Keeps `window` messages under way.
    async fn windowed(mut self, window: usize) {
        while !self.totals.ended.get() {
            self.send(window - self.under_way.len());
            if self.step(None).await.is_err() {
                self.totals.lost.set(self.totals.lost.get() + 1);
                break;
            }
        }
    }

    /// Sends `rate` messages per second, however many arrive.
    async fn paced(mut self, rate: f64, offset: Duration) {
        let period = TICK.max(Duration::from_secs_f64(1.0 / rate));
        let started = tokio::time::Instant::now() + offset.mul_f64(period.as_secs_f64() / TICK.as_secs_f64());
        let mut ticks = interval_at(started, period);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
        let mut sent = 0;
        while !self.totals.ended.get() {
            let due = (started.elapsed().as_secs_f64() * rate) as usize;
            if self.sender.unwritten() < BACKLOG {
                self.send(due.saturating_sub(sent));
            }
            sent = due.max(sent);
            if self.step(Some(&mut ticks)).await.is_err() {
                self.totals.lost.set(self.totals.lost.get() + 1);
                break;
            }
        }
    }

    fn send(&mut self, count: usize) {
        let now = Instant::now();
        for _ in 0..count {
            self.next = (self.next + 1) % self.frames.len();
            self.sender.queue_encoded(&self.frames[self.next]);
            self.under_way.push_back(now);
        }
        if self.totals.counting.get() {
            self.totals.sent.set(self.totals.sent.get() + count as u64);
        }
    }

    /// Waits until something can be done, and does it.
    async fn step(&mut self, ticks: Option<&mut tokio::time::Interval>) -> Result<(), Failure> {
        self.sender.try_flush()?;
        let blocked = self.sender.unwritten() > 0;
        let tick = async {
            match ticks {
                Some(ticks) => {
                    ticks.tick().await;
                }
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            ready = self.recipient.stream.readable() => {
                ready?;
                self.take()?;
            }
            ready = self.sender.stream.readable() => {
                ready?;
                let answers = &self.totals.answers;
                if !self.sender.try_receive(|_| answers.set(answers.get() + 1))? {
                    return Err("the server disconnected a sender".into());
                }
            }
            ready = self.sender.stream.writable(), if blocked => ready?,
            () = tick => {}
        }
        Ok(())
    }

    fn take(&mut self) -> Result<(), Failure> {
        let totals = self.totals.clone();
        let under_way = &mut self.under_way;
        let now = Instant::now();
        let mut micros = totals.micros.borrow_mut();
        let counting = totals.counting.get();
        let (mut count, mut bytes) = (0, 0);
        let stands = self.recipient.try_receive(|text| {
            let Some(sent_at) = under_way.pop_front() else { return };
            count += 1;
            bytes += text.len() as u64;
            if counting {
                micros.push(u32::try_from((now - sent_at).as_micros()).unwrap_or(u32::MAX));
            }
        })?;
        if counting {
            totals.received.set(totals.received.get() + count);
            totals.bytes.set(totals.bytes.get() + bytes);
        }
        self.recipient.try_flush()?;
        if stands { Ok(()) } else { Err("the server disconnected a recipient".into()) }
    }
}
