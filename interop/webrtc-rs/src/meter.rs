//! Measurements over one channel: the counterpart of `bench/meter.cjs`.

use std::time::{Duration, Instant};

use bytes::BytesMut;
use serde_json::{Value, json};

use crate::Failure;
use crate::channel::{Channel, Mode, Tally};

fn switch(channel: &Channel, mode: Mode) {
    *channel.mode.lock().expect("no code panics while it holds the mode") = mode;
}

/// Sends binary messages of `size` bytes for `ms` milliseconds; `send` waits while the channel's buffer is full.
pub(crate) async fn flood(channel: &Channel, size: usize, ms: u64) -> Result<Value, Failure> {
    let sender = channel.get()?;
    let payload = vec![7_u8; size];
    let end = Instant::now() + Duration::from_millis(ms);
    let mut sent = 0_u64;
    while Instant::now() < end {
        sender.send(BytesMut::from(&payload[..])).await?;
        sent += 1;
    }
    Ok(json!({ "messages": sent }))
}

/// Counts from now on.
pub(crate) fn count(channel: &Channel) -> Result<Value, Failure> {
    switch(channel, Mode::Count);
    *channel.tally.lock().expect("no code panics while it holds the tally") = Tally::default();
    Ok(json!({}))
}

/// What has come since `count`, and in which time.
pub(crate) fn counted(channel: &Channel) -> Result<Value, Failure> {
    let tally = channel.tally.lock().expect("no code panics while it holds the tally");
    let ms = tally.span.map_or(0.0, |(first, last)| (last - first).as_secs_f64() * 1000.0);
    Ok(json!({ "messages": tally.messages, "bytes": tally.bytes, "ms": ms }))
}

/// Sends every message back from now on.
pub(crate) fn echo(channel: &Channel) -> Result<Value, Failure> {
    switch(channel, Mode::Echo);
    Ok(json!({}))
}

/// Round trips one after the other for at most `ms` milliseconds, in microseconds.
pub(crate) async fn ping(channel: &Channel, size: usize, ms: u64) -> Result<Value, Failure> {
    switch(channel, Mode::Ping);
    let sender = channel.get()?;
    let payload = vec![7_u8; size];
    let mut returned = channel.returned.lock().await;
    let mut micros = Vec::new();
    let end = Instant::now() + Duration::from_millis(ms);
    while Instant::now() < end {
        let start = Instant::now();
        sender.send(BytesMut::from(&payload[..])).await?;
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
