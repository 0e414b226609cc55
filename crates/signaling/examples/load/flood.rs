//! One agent that sends to another as fast as the server reads, whatever it says.

use std::time::{Duration, Instant};

use crate::Failure;
use crate::options::Options;
use crate::wire::{Socket, encode};

/// Written at once: what a kernel buffer takes.
const BATCH: usize = 64 * 1024;

pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let (from, to) = (options.agent(0), options.agent(1));
    let mut victim = Socket::register(&options, &to).await?;
    let mut batch = Vec::new();
    for message in options.protocol.messages(&from, &to).iter().cycle() {
        if batch.len() > BATCH {
            break;
        }
        encode(&mut batch, message.as_bytes());
    }
    println!("{}", serde_json::json!({ "ready": true }));
    let end = Instant::now() + options.duration;
    let (mut arrived, mut answers, mut disconnected, mut sent) = (0_u64, 0_u64, 0_u64, 0_u64);
    while Instant::now() < end {
        let Ok(mut flooder) = Socket::register(&options, &from).await else {
            // Refused for now: it tries again, as fast as anybody may.
            tokio::time::sleep(Duration::from_millis(10)).await;
            continue;
        };
        while Instant::now() < end {
            if flooder.unwritten() == 0 {
                flooder.queue_encoded(&batch);
                sent += batch.len() as u64;
            }
            let step = async {
                tokio::select! {
                    ready = flooder.stream.writable() => ready,
                    ready = flooder.stream.readable() => ready,
                    ready = victim.stream.readable() => ready,
                }
            };
            // A server that reads no more is a good one: look at the clock nevertheless.
            let _ = tokio::time::timeout(Duration::from_millis(100), step).await;
            let open = flooder.try_flush().is_ok() && flooder.try_receive(|_| answers += 1).unwrap_or(false);
            if !victim.try_receive(|_| arrived += 1).unwrap_or(false) {
                victim = Socket::register(&options, &to).await?;
            }
            let _ = victim.try_flush();
            if !open {
                disconnected += 1;
                break;
            }
        }
    }
    println!(
        "{}",
        serde_json::json!({
            "arrivedPerSecond": arrived as f64 / options.duration.as_secs_f64(),
            "sentBytesPerSecond": sent as f64 / options.duration.as_secs_f64(),
            "answers": answers,
            "disconnected": disconnected,
        })
    );
    Ok(())
}
