//! Two peers, each with a shard and an application thread of its own: set-up, memory, throughput with large and small messages, and the
//! round trip.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::{Duration, Instant};

use bytes::Bytes;
use ossa_net::{Runtime, TcpMode};

use crate::Sockets;
use crate::side::{ECHO, Link, Side, certificate, listen, runtime};
use crate::usage::{cpu_seconds, resident_kilobytes};

/// What the sender has queued and not sent yet, at most: the high-water mark of the documentation.
const WINDOW: usize = 1 << 20;

pub(crate) fn run(sockets: Sockets, time: Duration) {
    set_up(sockets);
    if sockets == Sockets::Own {
        memory();
    }
    let link = link(&runtime(1), &runtime(1), sockets);
    for size in [64 * 1024, 16 * 1024, 1024, 64] {
        throughput(&link, size, time);
    }
    round_trip(link, time);
}

fn link(of_a: &Arc<Runtime>, of_b: &Arc<Runtime>, sockets: Sockets) -> Link {
    let certificate = certificate();
    let tcp = sockets == Sockets::Tcp;
    let a = Side::new(of_a, &certificate, |config| config.tcp = TcpMode { active: tcp, passive: false });
    let b = Side::new(of_b, &certificate, |config| {
        config.tcp = TcpMode { active: false, passive: tcp };
        config.listen = (sockets == Sockets::Shared).then(listen);
    });
    Link::new(a, b, |candidate| !tcp || candidate.contains(" tcp "))
}

fn set_up(sockets: Sockets) {
    let (a, b) = (runtime(1), runtime(1));
    let mut times: Vec<Duration> = (0..50).map(|_| link(&a, &b, sockets).took).collect();
    times.sort_unstable();
    let ms = |i: usize| times[i].as_secs_f64() * 1e3;
    println!("set-up             {:>10.2} ms p50 {:>10.2} ms p90 {:>10.2} ms max", ms(24), ms(44), ms(49));
}

fn memory() {
    let runtime = Runtime::shared().expect("a runtime");
    let first = link(&runtime, &runtime, Sockets::Own);
    let before = resident_kilobytes();
    let links: Vec<_> = (0..100).map(|_| link(&runtime, &runtime, Sockets::Own)).collect();
    let kilobytes = resident_kilobytes() - before;
    println!("memory             {:>10.1} KB for each end of an idle connection", kilobytes / 200.0);
    drop((first, links));
}

fn throughput(link: &Link, size: usize, time: Duration) {
    let Link { a, b, at_a, .. } = link;
    let data = Bytes::from(vec![7; size]);
    // Small messages go out in batches, as one turn of JavaScript's event loop makes them.
    let batch = (16 * 1024 / size).max(1);
    let received = || (b.sink.messages.load(Ordering::Relaxed), b.sink.bytes.load(Ordering::Relaxed));
    let (started, cpu, (messages, bytes)) = (Instant::now(), cpu_seconds(), received());
    while started.elapsed() < time {
        if a.buffered() > WINDOW {
            thread::sleep(Duration::from_micros(50));
        } else {
            a.send(*at_a, &data, batch);
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let (all, all_bytes) = received();
    let megabytes = (all_bytes - bytes) as f64 / 1e6;
    println!(
        "{size:>8} bytes     {:>10.1} MB/s {:>12.0} messages/s {:>8.2} CPU s/GB",
        megabytes / seconds,
        (all - messages) as f64 / seconds,
        (cpu_seconds() - cpu) / (megabytes / 1e3),
    );
    if std::env::var_os("STATS").is_some() {
        println!("{}", a.peer.with(|c, now| format!("{:?}", c.stats(now))).expect("statistics"));
    }
    // Let it run dry.
    while a.buffered() > 0 {
        thread::sleep(Duration::from_millis(1));
    }
}

fn round_trip(link: Link, time: Duration) {
    let Link { a, b, at_a, at_b, .. } = link;
    let data = Bytes::from_static(&[1; ECHO]);
    let mut times = Vec::new();
    thread::scope(|scope| {
        let (data, peer_b) = (&data, b);
        let echo = scope.spawn(move || {
            while peer_b.echoes.recv_timeout(Duration::from_millis(500)).is_ok() {
                peer_b.send(at_b, data, 1);
            }
        });
        let started = Instant::now();
        while started.elapsed() < time {
            let sent = Instant::now();
            a.send(at_a, data, 1);
            a.echoes.recv().expect("an answer");
            times.push(sent.elapsed());
        }
        echo.join().expect("no panic");
    });
    times.sort_unstable();
    let at = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e6;
    println!(
        "round trip 32 B    {:>10.1} us p50 {:>10.1} us p90 {:>10.1} us p99",
        at(0.5),
        at(0.9),
        at(0.99)
    );
}
