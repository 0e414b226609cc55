//! Measurements over one channel: the counterpart of `bench/meter.cjs`.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::Failure;
use crate::message::Kind;
use crate::slot::{Mode, Slot, Tally};
use crate::stack::Channel;

/// The longest that a sender holds its thread while the stack takes everything at once, as in `bench/meter.cjs`.
const TURN: Duration = Duration::from_millis(4);

fn switch<C>(slot: &Slot<C>, mode: Mode) {
    *slot.mode.lock().expect("no code panics while it holds the mode") = mode;
}

/// Sends binary messages of `size` bytes for `ms` milliseconds; `send` waits while the channel's buffer is full.
pub(crate) async fn flood<C: Channel>(slot: &Slot<C>, size: usize, ms: u64) -> Result<Value, Failure> {
    let channel = slot.get()?;
    let payload = vec![7_u8; size];
    let mut turn = Instant::now();
    let end = turn + Duration::from_millis(ms);
    let mut sent = 0_u64;
    loop {
        let now = Instant::now();
        if now >= end {
            break;
        }
        if now - turn > TURN {
            tokio::task::yield_now().await;
            turn = now;
        }
        channel.send(Kind::Binary, &payload).await?;
        sent += 1;
    }
    Ok(json!({ "messages": sent }))
}

/// Counts from now on.
pub(crate) fn count<C>(slot: &Slot<C>) -> Result<Value, Failure> {
    switch(slot, Mode::Count);
    *slot.tally.lock().expect("no code panics while it holds the tally") = Tally::default();
    Ok(json!({}))
}

/// What has come since `count`, and in which time.
pub(crate) fn counted<C>(slot: &Slot<C>) -> Result<Value, Failure> {
    let tally = slot.tally.lock().expect("no code panics while it holds the tally");
    let ms = tally.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64() * 1000.0);
    Ok(json!({ "messages": tally.messages, "bytes": tally.bytes, "ms": ms }))
}

/// Sends every message back from now on.
pub(crate) fn echo<C>(slot: &Slot<C>) -> Result<Value, Failure> {
    switch(slot, Mode::Echo);
    Ok(json!({}))
}

/// Round trips one after the other for at most `ms` milliseconds, in microseconds.
pub(crate) async fn ping<C: Channel>(slot: &Slot<C>, size: usize, ms: u64) -> Result<Value, Failure> {
    switch(slot, Mode::Ping);
    let channel = slot.get()?;
    let payload = vec![7_u8; size];
    let mut returned = slot.returned.lock().await;
    let mut micros = Vec::new();
    let end = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < end {
        let start = Instant::now();
        channel.send(Kind::Binary, &payload).await?;
        returned.recv().await.ok_or("the channel is gone")?;
        micros.push(start.elapsed().as_nanos() as f64 / 1000.0);
    }
    Ok(json!({ "micros": micros }))
}

/// CPU seconds of this process so far and its resident memory.
#[cfg(target_os = "linux")]
pub(crate) fn usage() -> Result<Value, Failure> {
    // Times of all threads in clock ticks; the command name before them is in parentheses and may hold spaces.
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let fields: Vec<&str> = stat.rsplit(')').next().unwrap_or_default().split_whitespace().collect();
    let ticks = fields.get(11).zip(fields.get(12)).ok_or("unexpected /proc/self/stat")?;
    let cpu = (ticks.0.parse::<f64>()? + ticks.1.parse::<f64>()?) / 100.0;
    let status = std::fs::read_to_string("/proc/self/status")?;
    let rss =
        status.lines().find_map(|line| line.strip_prefix("VmRSS:")).ok_or("no VmRSS in /proc/self/status")?;
    let rss = rss.trim().trim_end_matches(" kB").parse::<u64>()? * 1024;
    Ok(json!({ "cpuSeconds": cpu, "rss": rss }))
}

/// CPU time and memory are only read on Linux: elsewhere the benchmark leaves these cells empty.
#[cfg(not(target_os = "linux"))]
pub(crate) fn usage() -> Result<Value, Failure> {
    Ok(json!({ "cpuSeconds": null, "rss": null }))
}
