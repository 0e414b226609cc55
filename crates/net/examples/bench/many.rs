//! Many connections with traffic on all of them, their servers at one port or at ports of their own: how long it takes to make them, how
//! many descriptors they take, how fast they answer, how much data passes, and how busy the busiest thread is with it.

use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use bytes::Bytes;

use crate::Sockets;
use crate::side::{ECHO, Link, Side, certificate, listen, runtime};
use crate::usage::{busiest_since, cpu_seconds, descriptors, of_threads};

/// Messages on each connection, one after the other.
const ROUNDS: usize = 20;

/// What a connection has queued at most: enough to keep it busy until its turn comes again, and 128 MB for 2,000.
const WINDOW: usize = 64 * 1024;

/// Threads of the servers, so that one port can be seen to keep to one of them.
const SHARDS: usize = 2;

pub(crate) fn run(sockets: Sockets, count: usize, time: Duration) {
    assert!(sockets != Sockets::Tcp, "each TCP connection is a socket of its own anyway");
    let listen = (sockets == Sockets::Shared).then(listen);
    let certificate = certificate();
    let (servers, clients) = (runtime(SHARDS), runtime(1));
    let connect = || {
        let a = Side::new(&clients, &certificate, |_| {});
        let b = Side::new(&servers, &certificate, |config| config.listen.clone_from(&listen));
        Link::new(a, b, |_| true)
    };
    let first = connect();
    let (before, started) = (descriptors(), Instant::now());
    let links: Vec<_> = std::iter::once(first).chain((1..count).map(|_| connect())).collect();
    let took = started.elapsed().as_secs_f64();
    println!("{count} connections, set up in   {:.2} ms each", took * 1e3 / count as f64);
    let more = descriptors() as i64 - before as i64 - (links.len() as i64 - 1);
    println!("descriptors of all servers      {more} more than for one connection");
    answers(&links);
    bulk(&links, time);
}

/// All at once, and again when all have their answers.
fn answers(links: &[Link]) {
    let data = Bytes::from_static(&[7; ECHO]);
    let started = Instant::now();
    for _ in 0..ROUNDS {
        links.iter().for_each(|link| link.a.send(link.at_a, &data, 1));
        for Link { b, at_b, .. } in links {
            b.echoes.recv().expect("a message");
            b.send(*at_b, &data, 1);
        }
        links.iter().for_each(|link| drop(link.a.echoes.recv().expect("an answer")));
    }
    let messages = (2 * ROUNDS * links.len()) as f64;
    println!("messages to and fro             {:.0} /s", messages / started.elapsed().as_secs_f64());
}

/// As much as goes, on all of them.
fn bulk(links: &[Link], time: Duration) {
    let data = Bytes::from(vec![7; 16 * 1024]);
    let received = || links.iter().map(|link| link.b.sink.bytes.load(Ordering::Relaxed)).sum::<u64>();
    let (started, cpu, threads, bytes) = (Instant::now(), cpu_seconds(), of_threads(), received());
    while started.elapsed() < time {
        let mut idle = true;
        for link in links.iter().filter(|link| link.a.buffered() < WINDOW) {
            link.a.send(link.at_a, &data, 1);
            idle = false;
        }
        if idle {
            std::thread::sleep(Duration::from_micros(50));
        }
    }
    let seconds = started.elapsed().as_secs_f64();
    let megabytes = (received() - bytes) as f64 / 1e6;
    println!(
        "messages of 16 KiB, all at once  {:.0} MB/s, {:.2} CPU s/GB, the busiest thread {:.0} %",
        megabytes / seconds,
        (cpu_seconds() - cpu) / (megabytes / 1e3),
        busiest_since(&threads) / seconds * 100.0
    );
}
