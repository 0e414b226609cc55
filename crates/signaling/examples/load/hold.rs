//! Connections that do nothing: registered agents, and handshakes that never end.

use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Semaphore;
use tokio::task::LocalSet;

use crate::Failure;
use crate::options::Options;
use crate::wire::{Socket, connect};

/// Before a connection that the server has given up is opened again: a thousand a second of ten thousand.
const PAUSE: Duration = Duration::from_secs(10);

/// Registers all agents and holds them, answering pings.
pub(crate) async fn run(options: Options) -> Result<(), Failure> {
    let options = Rc::new(options);
    let turns = Rc::new(Semaphore::new(options.parallel));
    let started = Instant::now();
    let local = LocalSet::new();
    local
        .run_until(async {
            let mut registering = Vec::new();
            for index in 0..options.agents {
                let (options, turns) = (options.clone(), turns.clone());
                registering.push(tokio::task::spawn_local(async move {
                    let turn = turns.acquire().await;
                    let socket = Socket::register(&options, &options.agent(index)).await;
                    drop(turn);
                    socket
                        .map(|socket| tokio::task::spawn_local(stay(socket)))
                        .map_err(|error| error.to_string())
                }));
            }
            let (mut registered, mut failure) = (Vec::new(), None);
            for one in registering {
                match one.await? {
                    Ok(held) => registered.push(held),
                    Err(error) => failure = Some(error),
                }
            }
            let seconds = started.elapsed().as_secs_f64();
            println!(
                "{}",
                serde_json::json!({
                    "ready": true, "registered": registered.len(), "seconds": seconds,
                    "failed": options.agents - registered.len(), "failure": failure,
                })
            );
            wait_for_the_end().await;
            let lost = registered.iter().filter(|held| held.is_finished()).count();
            println!("{}", serde_json::json!({ "lost": lost }));
            Ok(())
        })
        .await
}

/// Until the server ends the connection.
async fn stay(mut socket: Socket) {
    while socket.stream.readable().await.is_ok()
        && socket.try_receive(|_| {}).unwrap_or(false)
        && socket.try_flush().is_ok()
    {}
}

/// Opens connections that stop in the middle of their request and opens a new one for each that the server gives up.
pub(crate) async fn half_open(options: Options) -> Result<(), Failure> {
    let options = Rc::new(options);
    let local = LocalSet::new();
    let opened = Rc::new(std::cell::Cell::new(0_u64));
    let refused = Rc::new(std::cell::Cell::new(0_u64));
    local
        .run_until(async {
            let mut first = Vec::new();
            for _ in 0..options.agents {
                let (options, opened, refused) = (options.clone(), opened.clone(), refused.clone());
                let (begun, beginning) = tokio::sync::oneshot::channel();
                tokio::task::spawn_local(async move {
                    let mut begun = Some(begun);
                    loop {
                        match stop_halfway(&options, &mut begun).await {
                            Ok(()) => opened.set(opened.get() + 1),
                            Err(_) => refused.set(refused.get() + 1),
                        }
                        begun.take();
                        tokio::time::sleep(PAUSE).await;
                    }
                });
                first.push(beginning);
            }
            for beginning in first {
                let _ = beginning.await;
            }
            println!("{}", serde_json::json!({ "ready": true, "connections": options.agents }));
            wait_for_the_end().await;
            println!("{}", serde_json::json!({ "givenUp": opened.get(), "refused": refused.get() }));
            Ok(())
        })
        .await
}

async fn stop_halfway(
    options: &Options,
    begun: &mut Option<tokio::sync::oneshot::Sender<()>>,
) -> std::io::Result<()> {
    let mut stream = connect(options).await?;
    stream.write_all(b"GET / HTTP/1.1\r\nHost: example.com\r\nUpgrade: webso").await?;
    if let Some(begun) = begun.take() {
        let _ = begun.send(());
    }
    // The server's answer, if it gives one, and the end of the connection.
    let mut answer = [0; 512];
    while stream.read(&mut answer).await.unwrap_or(0) > 0 {}
    Ok(())
}

/// The parent closes standard input when it has seen enough.
async fn wait_for_the_end() {
    let mut byte = [0];
    while tokio::io::stdin().read(&mut byte).await.unwrap_or(0) > 0 {}
}
