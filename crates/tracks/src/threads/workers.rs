//! Threads that work for streams of media: as many as there are processors at most, started when there is work, and gone when there
//! was none for some seconds. Each stream belongs to one of them, so what it does happens in order; which one, its [`Effort`] decides.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError, Weak};
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

/// About how much of a processor a stream takes, in relation to others. Counted alike, the streams of calls would be dealt out in turn, and
/// as each call has as many of each kind, all that encode would get the same thread.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Effort {
    /// It passes on, or asks now and then.
    Pass = 1,
    /// It decodes audio.
    Decode = 8,
    /// It encodes audio.
    Encode = 32,
}

#[derive(Default)]
struct Worker {
    state: Mutex<State>,
    work: Condvar,
    /// The effort of all strands that belong here.
    load: AtomicUsize,
}

#[derive(Default)]
struct State {
    /// Each strand at most once.
    waiting: Vec<Arc<Inner>>,
    thread: Thread,
}

#[derive(Default, Clone, Copy, PartialEq, Eq)]
enum Thread {
    #[default]
    None,
    /// Takes what waits when it is done with what it has: nobody need tell it.
    Working,
    /// Is to be woken. Telling a thread that works costs a system call as well, for each packet that goes to each of many takers.
    Asleep,
}

struct Inner {
    worker: &'static Worker,
    effort: Effort,
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
    /// Ties it to the worker that has the least to do.
    pub(crate) fn new(effort: Effort, work: Weak<dyn Work>) -> Self {
        static WORKERS: OnceLock<Vec<Worker>> = OnceLock::new();
        let workers = WORKERS.get_or_init(|| {
            let count = thread::available_parallelism().map_or(1, usize::from);
            (0..count).map(|_| Worker::default()).collect()
        });
        let worker = least_loaded(workers);
        worker.load.fetch_add(effort as usize, Ordering::Relaxed);
        Self { inner: Arc::new(Inner { worker, effort, work, waiting: false.into(), dead: false.into() }) }
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
        self.inner.worker.load.fetch_sub(self.inner.effort as usize, Ordering::Relaxed);
    }
}

fn least_loaded(workers: &[Worker]) -> &Worker {
    let least = workers.iter().min_by_key(|worker| worker.load.load(Ordering::Relaxed));
    least.expect("there is at least one processor")
}

impl Worker {
    fn push(&'static self, strand: Arc<Inner>) {
        let mut state = lock(&self.state);
        state.waiting.push(strand);
        match state.thread {
            Thread::Working => {}
            Thread::Asleep => {
                state.thread = Thread::Working;
                drop(state);
                self.work.notify_one();
            }
            Thread::None => {
                let started = thread::Builder::new().name("ossa-media".into()).spawn(|| self.run());
                match started {
                    Ok(_) => state.thread = Thread::Working,
                    // What waits stays, and the next wake-up tries again; the queues of the streams are bounded.
                    Err(error) => tracing::error!("no thread can be had for media: {error}"),
                }
            }
        }
    }

    fn run(&self) {
        let mut taken = Vec::new();
        while self.take(&mut taken) {
            taken.drain(..).for_each(|strand| strand.run());
        }
    }

    /// Takes all that waits, or what comes next. False: there was nothing for long, and the thread ends.
    fn take(&self, taken: &mut Vec<Arc<Inner>>) -> bool {
        let mut state = lock(&self.state);
        if state.waiting.is_empty() {
            state.thread = Thread::Asleep;
            let idle = |state: &mut State| state.waiting.is_empty();
            let waited = self.work.wait_timeout_while(state, IDLE, idle);
            (state, _) = waited.unwrap_or_else(PoisonError::into_inner);
        }
        std::mem::swap(&mut state.waiting, taken);
        state.thread = if taken.is_empty() { Thread::None } else { Thread::Working };
        !taken.is_empty()
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
            strand: Strand::new(Effort::Pass, this.clone()),
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
    fn what_encodes_in_many_calls_is_spread_over_all_threads() {
        for count in 2..9 {
            let workers: Vec<Worker> = (0..count).map(|_| Worker::default()).collect();
            let mut encoders = vec![0_i32; count];
            for _ in 0..100 {
                for effort in [Effort::Encode, Effort::Pass, Effort::Pass, Effort::Decode] {
                    let least = least_loaded(&workers);
                    least.load.fetch_add(effort as usize, Ordering::Relaxed);
                    let at = workers.iter().position(|worker| std::ptr::eq(worker, least)).unwrap();
                    encoders[at] += i32::from(effort == Effort::Encode);
                }
            }
            let (least, most) = (encoders.iter().min().unwrap(), encoders.iter().max().unwrap());
            assert!(most - least <= 4, "{encoders:?}");
        }
    }

    #[test]
    fn a_stream_is_served_after_a_pause_in_which_its_thread_slept_as_well_as_in_the_middle_of_work() {
        let (counting, jobs, done) = counting();
        // Each answer is waited for, so the thread falls asleep in between, or is about to.
        for job in 20..2_020 {
            jobs.send(job).unwrap();
            counting.strand.wake();
            assert_eq!(done.recv(), Ok(job));
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
