//! Threads that work for streams of media: as many as there are processors at most, started when there is work, and gone when there
//! was none for some seconds. Each stream belongs to one of them, so what it does happens in order.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, Weak};
use std::thread;
use std::time::Duration;

use super::lock;

/// Streams that do not end have work each 10 to 400 ms.
const IDLE: Duration = Duration::from_secs(5);

/// What a stream does when it was woken.
pub(crate) trait Work: Send + Sync {
    /// Does all that there is to do. Called by one thread at a time, with nothing locked.
    fn work(&self);

    /// It has panicked, and is never called again.
    fn crashed(&self);
}

#[derive(Default)]
struct Worker {
    state: Mutex<State>,
    work: Condvar,
    /// Strands that belong here.
    strands: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// Each strand at most once.
    waiting: VecDeque<Arc<Inner>>,
    running: bool,
}

struct Inner {
    worker: &'static Worker,
    work: Weak<dyn Work>,
    /// Waits for its worker.
    waiting: AtomicBool,
    dead: AtomicBool,
}

/// Ties a stream to its worker, until it is dropped.
pub(crate) struct Strand {
    inner: Arc<Inner>,
}

impl Strand {
    /// Ties it to the worker that has the fewest.
    pub(crate) fn new(work: Weak<dyn Work>) -> Self {
        static WORKERS: OnceLock<Vec<Worker>> = OnceLock::new();
        let workers = WORKERS.get_or_init(|| {
            let count = thread::available_parallelism().map_or(1, usize::from);
            (0..count).map(|_| Worker::default()).collect()
        });
        let least = workers.iter().min_by_key(|worker| worker.strands.load(Ordering::Relaxed));
        let worker = least.expect("there is at least one processor");
        worker.strands.fetch_add(1, Ordering::Relaxed);
        Self { inner: Arc::new(Inner { worker, work, waiting: false.into(), dead: false.into() }) }
    }

    /// There is something to do. Never blocks for long.
    pub(crate) fn wake(&self) {
        let inner = &self.inner;
        if inner.dead.load(Ordering::Relaxed) || inner.waiting.swap(true, Ordering::AcqRel) {
            return;
        }
        inner.worker.push(inner.clone());
    }
}

impl Drop for Strand {
    fn drop(&mut self) {
        self.inner.worker.strands.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Worker {
    fn push(&'static self, strand: Arc<Inner>) {
        let mut state = lock(&self.state);
        state.waiting.push_back(strand);
        if state.running {
            drop(state);
            self.work.notify_one();
            return;
        }
        let started = thread::Builder::new().name("ossa-media".into()).spawn(|| self.run());
        match started {
            Ok(_) => state.running = true,
            // What waits stays, and the next wake-up tries again; the queues of the streams are bounded.
            Err(error) => tracing::error!("no thread can be had for media: {error}"),
        }
    }

    fn run(&self) {
        while let Some(strand) = self.next() {
            strand.run();
        }
    }

    /// `None`: there was nothing for long, and the thread ends.
    fn next(&self) -> Option<Arc<Inner>> {
        let state = lock(&self.state);
        let idle = |state: &mut State| state.waiting.is_empty();
        let waited = self.work.wait_timeout_while(state, IDLE, idle);
        let (mut state, _) = waited.unwrap_or_else(std::sync::PoisonError::into_inner);
        let next = state.waiting.pop_front();
        state.running = next.is_some();
        next
    }
}

impl Inner {
    fn run(&self) {
        // Before the work: what comes from now on may be overlooked by it.
        self.waiting.store(false, Ordering::Release);
        let Some(work) = self.work.upgrade() else { return };
        if catch_unwind(AssertUnwindSafe(|| work.work())).is_err() {
            // A panic costs the stream that it happens in.
            self.dead.store(true, Ordering::Relaxed);
            let _ = catch_unwind(AssertUnwindSafe(|| work.crashed()));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{Receiver, Sender, channel};

    use super::*;

    struct Counting {
        jobs: Mutex<Receiver<u32>>,
        done: Mutex<Sender<u32>>,
        strand: Strand,
    }

    impl Work for Counting {
        fn work(&self) {
            while let Ok(job) = lock(&self.jobs).try_recv() {
                assert_ne!(job, 13, "unlucky");
                let _ = lock(&self.done).send(job);
            }
        }

        fn crashed(&self) {
            let _ = lock(&self.done).send(u32::MAX);
        }
    }

    fn counting() -> (Arc<Counting>, Sender<u32>, Receiver<u32>) {
        let (sender, jobs) = channel();
        let (done, receiver) = channel();
        let counting = Arc::new_cyclic(|this: &Weak<Counting>| Counting {
            jobs: Mutex::new(jobs),
            done: Mutex::new(done),
            strand: Strand::new(this.clone()),
        });
        (counting, sender, receiver)
    }

    #[test]
    fn all_that_was_given_is_done_in_order_and_streams_do_not_wait_for_each_other() {
        let streams: Vec<_> = (0..20).map(|_| counting()).collect();
        for job in 20..1_020 {
            for (counting, jobs, _) in &streams {
                jobs.send(job).unwrap();
                counting.strand.wake();
            }
        }
        for (_, _, done) in &streams {
            assert!((20..1_020).all(|job| done.recv() == Ok(job)));
        }
    }

    #[test]
    fn a_panic_costs_its_own_stream_only() {
        let (bad, bad_jobs, bad_done) = counting();
        let (good, good_jobs, good_done) = counting();
        bad_jobs.send(13).unwrap();
        bad.strand.wake();
        assert_eq!(bad_done.recv(), Ok(u32::MAX));
        bad_jobs.send(1).unwrap();
        bad.strand.wake();
        good_jobs.send(1).unwrap();
        good.strand.wake();
        assert_eq!(good_done.recv(), Ok(1));
        assert!(bad_done.try_recv().is_err());
    }
}
