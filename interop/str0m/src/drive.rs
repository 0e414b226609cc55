//! The task that drives the engine of a connection: reads its sockets, keeps its time, and tells what has happened.

use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::{Duration, Instant};

use ossa_interop_driver::{Events, Kind};
use str0m::Event;
use tokio::time::sleep_until;

use crate::channel::Channel;
use crate::engine::{Engine, Socket};

/// The largest datagram that the crate reads.
const DATAGRAM: usize = 2000;

/// The engine says "never" by a time in the distant future, which timers do not reach.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);

pub(crate) async fn drive(engine: Arc<Engine>, events: Events<Channel>) {
    let mut buffer = vec![0; DATAGRAM];
    let mut sleep = pin!(sleep_until(Instant::now().into()));
    loop {
        tell(&engine, &events).await;
        let Some((deadline, blocked)) = engine.next() else { break };
        let deadline = deadline.min(Instant::now() + LONGEST_SLEEP);
        if sleep.deadline() != deadline.into() {
            sleep.as_mut().reset(deadline.into());
        }
        tokio::select! {
            socket = readable(engine.sockets()) => engine.read(socket, &mut buffer),
            () = &mut sleep => engine.time_has_come(),
            () = writable(blocked) => engine.flush(),
            () = engine.woken() => {}
        }
    }
    engine.end();
}

/// The first socket that has something to read.
async fn readable(sockets: &[Socket]) -> &Socket {
    poll_fn(|context| {
        // One that fails says so when it is read.
        let ready = sockets.iter().find(|socket| socket.io().poll_recv_ready(context).is_ready());
        ready.map_or(Poll::Pending, Poll::Ready)
    })
    .await
}

/// When the socket that has refused a datagram takes more; never without one.
async fn writable(blocked: Option<&Socket>) {
    match blocked {
        Some(socket) => drop(socket.io().writable().await),
        None => std::future::pending().await,
    }
}

async fn tell(engine: &Arc<Engine>, events: &Events<Channel>) {
    loop {
        let happened = engine.happened();
        if happened.is_empty() {
            return;
        }
        for event in happened {
            match event {
                Event::ChannelOpen(id, label) => {
                    engine.slot(id, || events.attach(&label, Channel::incoming(engine, id), true)).opened();
                }
                Event::ChannelData(data) => {
                    if let Some(slot) = engine.known(data.id) {
                        let kind = if data.binary { Kind::Binary } else { Kind::String };
                        slot.received(kind, &data.data).await;
                    }
                }
                Event::ChannelClose(id) => engine.forget(id),
                Event::Closed => engine.end(),
                _ => {}
            }
        }
    }
}
