//! The task of a peer: waits for its sockets, its timer and for calls, and does what is due.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use tokio::time::Sleep;

use crate::core::Core;
use crate::crash;
use crate::foreground::Lender;
use crate::gather;
use crate::link::sockets;
use crate::resolve;
use crate::roam;
use crate::runtime::Lease;
use crate::shared::Shared;
use crate::socket::{BATCH, RecvBuffers, UdpSocket};

/// Most bytes received before other peers of the shard get their turn: twice what one system call can bring.
const RECEIVE_BUDGET: usize = 1 << 20;

/// Full batches after which a socket on loan goes back: this is bulk.
const FOREGROUND_BATCHES: usize = 2;

/// From this delay on a timer of the connection counts as late, and with it this thread: what has come in meanwhile is read
/// before silence is taken for an outage.
const LATE: Duration = Duration::from_millis(100);

pub(crate) struct Driver {
    shared: Arc<Shared>,
    sockets: Vec<Arc<UdpSocket>>,
    /// The version of the core's links that `sockets` shows.
    links_version: u64,
    timer: Pin<Box<Sleep>>,
    /// When the timer fires, if it is still to.
    armed: Option<Instant>,
    /// The last step has left something to the next one, whatever wakes the task.
    unfinished: bool,
    /// Keeps the shard running.
    _lease: Lease,
}

impl Future for Driver {
    type Output = ();

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<()> {
        let driven = crash::catch(|| self.drive(cx));
        driven.unwrap_or_else(|crash| {
            // The other peers of this shard go on.
            self.shared.crashed(crash);
            Poll::Ready(())
        })
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Step {
    Wait,
    /// There is more to do, after others had their turn.
    Again,
    Finished,
}

impl Driver {
    fn drive(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.shared.set_waker(Some(cx.waker()));
        let (any_input, more_input) = self.receive(cx);
        // What came in was handled with all that follows from it, and says so if there is anything for this task: most of what comes is no more
        // than a message or a packet.
        let called = self.shared.take_call() || self.unfinished || self.timer.is_elapsed();
        let step = if called || !any_input { self.step(cx) } else { Step::Wait };
        // What came into the outbox while the core was locked is our duty, see `shared`.
        self.shared.flush_outbox();
        if step == Step::Finished {
            return Poll::Ready(());
        }
        let due = self.timer.as_mut().poll(cx).is_ready() && self.armed.is_some();
        if more_input || step == Step::Again || due {
            cx.waker().wake_by_ref();
        }
        Poll::Pending
    }

    pub(crate) fn new(shared: Arc<Shared>, lease: Lease) -> Self {
        let timer = {
            let _context = lease.handle.enter();
            Box::pin(tokio::time::sleep_until(Instant::now().into()))
        };
        Self {
            shared,
            sockets: Vec::new(),
            links_version: 0,
            timer,
            armed: None,
            unfinished: false,
            _lease: lease,
        }
    }

    /// Reads the sockets. Says whether there was anything, and whether there may be more.
    fn receive(&mut self, cx: &mut Context<'_>) -> (bool, bool) {
        let mut budget = RECEIVE_BUDGET;
        for socket in &self.sockets {
            while budget > 0 {
                let received = RecvBuffers::with(|buffers| {
                    socket.in_order(|| {
                        let count = socket.poll_recv(cx, buffers);
                        count.map(|count| {
                            self.shared.run(|core, now| handle_received(core, now, socket, buffers, count))
                        })
                    })
                });
                match received {
                    Poll::Ready(bytes) => budget = budget.saturating_sub(bytes.max(1)),
                    Poll::Pending => break,
                }
            }
        }
        // Whoever was served first had the most of the budget: next time it is another's turn.
        if budget == 0 && !self.sockets.is_empty() {
            self.sockets.rotate_left(1);
        }
        (budget < RECEIVE_BUDGET, budget == 0)
    }

    /// Everything but receiving.
    fn step(&mut self, cx: &mut Context<'_>) -> Step {
        let shared = self.shared.clone();
        shared.hold(|core| self.step_locked(cx, core))
    }

    fn step_locked(&mut self, cx: &mut Context<'_>, core: &mut Core) -> Step {
        let shared = self.shared.clone();
        let now = Instant::now();
        let polled = self.timer.is_elapsed();
        if core.connection.poll_timeout().is_some_and(|due| may_judge(due, now, polled)) {
            core.connection.handle_timeout(now);
        }
        core.lending.expire(now);
        roam::look(&shared, core, now);
        gather::renew_lost(&shared, core, now);
        let blocked = core.blocked.poll_flush(cx).is_pending();
        shared.drain_outbox(core, now);
        let mut more = core.pump(&*shared.sink, now).more;
        if serve(&shared, core, now) {
            more |= core.pump(&*shared.sink, now).more;
        }
        let closes = core.is_closing() && (core.closing_time_is_over(now) || !(blocked || more));
        // Finished it is only if something has panicked elsewhere.
        if closes || core.is_finished() {
            core.finish();
            shared.set_waker(None);
            return Step::Finished;
        }
        if self.links_version != core.links_version() {
            self.links_version = core.links_version();
            self.sockets = sockets(core.links());
            // New sockets have to be polled to be heard.
            more = true;
        }
        // And so have those that were lent.
        more |= core.lending.take_returned();
        self.unfinished = more || core.blocked.is_blocked();
        self.arm(core, now);
        if more { Step::Again } else { Step::Wait }
    }

    /// Sets the timer if it would fire too late. Firing too early does no harm, and saves setting it for each packet.
    fn arm(&mut self, core: &mut Core, now: Instant) {
        // A time that has passed would fire without a turn of the poller, see `may_judge`.
        let deadline = core.next_deadline().map(|due| if is_late(due, now) { now + TURN } else { due });
        if self.timer.is_elapsed() {
            self.armed = None;
        }
        if let Some(deadline) = deadline
            && self.armed.is_none_or(|armed| deadline < armed)
        {
            self.timer.as_mut().reset(deadline.into());
            self.armed = Some(deadline);
        }
        core.armed = self.armed;
    }
}

/// Enough for the timer to be left to the poller.
const TURN: Duration = Duration::from_millis(1);

fn is_late(due: Instant, now: Instant) -> bool {
    now.saturating_duration_since(due) >= LATE
}

/// Whether what is due at `due` may be done at `now`. A thread that comes late, because of the other peers of its shard or of
/// other programs, does not know yet what waits in its sockets, unless it has `polled` since: timers fire after the poller has
/// said which sockets have something, and those are read first.
fn may_judge(due: Instant, now: Instant, polled: bool) -> bool {
    due <= now && (polled || !is_late(due, now))
}

impl Drop for Driver {
    /// At the end, or when the runtime is shut down under the peer.
    fn drop(&mut self) {
        self.shared.set_waker(None);
        self.shared.hold(Core::finish);
    }
}

/// Hands received datagrams to the connection. Returns the number of bytes.
fn handle_received(
    core: &mut Core,
    now: Instant,
    socket: &UdpSocket,
    buffers: &RecvBuffers,
    count: usize,
) -> usize {
    let local = socket.local();
    let mut datagrams = 0;
    let bytes = buffers.deliver(count, &mut |remote, datagram| {
        datagrams += 1;
        if !core.stun.intercept(remote, datagram) {
            core.connection.handle_datagram(now, local, remote, datagram);
        }
    });
    core.lending.heard(now, local, bytes, datagrams);
    bytes
}

impl Lender for Shared {
    fn read(&self, socket: &UdpSocket) {
        for _ in 0..FOREGROUND_BATCHES {
            let count = RecvBuffers::with(|buffers| {
                socket.in_order(|| {
                    let count = socket.try_recv(buffers)?;
                    self.take(|core, now| {
                        handle_received(core, now, socket, buffers, count);
                    });
                    Some(count)
                })
            });
            // Fewer buffers than asked for mean that the queue was empty a moment ago; what came since is reported anew.
            if count.is_none_or(|count| count < BATCH) {
                return;
            }
        }
        self.run(|core, _| core.lending.end());
    }

    fn settle(&self) {
        Shared::settle(self);
    }
}

/// Does what the connection asked for: gathering and name resolution. True if it was anything.
fn serve(shared: &Arc<Shared>, core: &mut Core, now: Instant) -> bool {
    let wanted = std::mem::take(&mut core.wanted);
    let any = wanted.gather.is_some() || wanted.move_out;
    if let Some(generation) = wanted.gather {
        gather::start(shared, core, now, generation);
    }
    if wanted.move_out {
        gather::host::move_out(core, now);
    }
    for request in wanted.resolve {
        resolve::start(shared, core, request);
    }
    any
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_thread_reads_its_sockets_before_it_takes_silence_for_an_outage() {
        let due = Instant::now();
        assert!(!may_judge(due, due - Duration::from_millis(1), true), "nothing is due");
        assert!(may_judge(due, due + Duration::from_millis(5), false), "in time");
        let late = due + Duration::from_secs(30);
        assert!(!may_judge(due, late, false), "woken by something else");
        assert!(may_judge(due, late, true), "what had come in was read");
    }
}
