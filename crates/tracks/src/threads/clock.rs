//! The clock of this process's audio: a thread that ticks every 10 ms while something is played or JavaScript is to be woken, and is
//! not there otherwise.

use std::cell::Cell;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

use ossa_codec::track::{AHEAD, BLOCK, Paced};

use super::lock;

static CLOCK: Mutex<Clock> = Mutex::new(Clock { playing: Vec::new(), waiting: Vec::new(), running: false });

thread_local! {
    static TICKING: Cell<bool> = const { Cell::new(false) };
}

struct Clock {
    playing: Vec<Arc<dyn Paced>>,
    /// What wakes those who wait for the end of the next tick.
    waiting: Vec<Box<dyn FnOnce() + Send>>,
    running: bool,
}

/// From now on `paced` is called on every tick until it says that it is over. Fails if no thread can be had.
pub fn play(paced: Arc<dyn Paced>) -> io::Result<()> {
    let mut clock = lock(&CLOCK);
    clock.run()?;
    clock.playing.push(paced);
    Ok(())
}

/// Calls `wake` at the end of the next tick. Fails if no thread can be had.
pub fn wake_later(wake: Box<dyn FnOnce() + Send>) -> io::Result<()> {
    let mut clock = lock(&CLOCK);
    clock.run()?;
    clock.waiting.push(wake);
    Ok(())
}

/// Whether this thread is in the middle of a tick: at its end whoever waits is woken, once for all of it.
pub fn is_ticking() -> bool {
    TICKING.get()
}

impl Clock {
    fn run(&mut self) -> io::Result<()> {
        if !self.running {
            thread::Builder::new().name("ossa-audio".into()).spawn(tick_until_idle)?;
            self.running = true;
        }
        Ok(())
    }
}

fn tick_until_idle() {
    TICKING.set(true);
    let mut due = Instant::now();
    loop {
        let playing = lock(&CLOCK).playing.clone();
        let now = Instant::now();
        for paced in &playing {
            // A panic costs the stream that it happens in, and not the audio of all others.
            let on = catch_unwind(AssertUnwindSafe(|| paced.tick(now))).unwrap_or(false);
            if !on {
                // Once: it may have begun anew in the meantime.
                let mut clock = lock(&CLOCK);
                let at = clock.playing.iter().position(|other| Arc::ptr_eq(other, paced));
                at.map(|at| clock.playing.remove(at));
            }
        }
        drop(playing);
        let waiting = std::mem::take(&mut lock(&CLOCK).waiting);
        waiting.into_iter().for_each(|wake| wake());
        {
            let mut clock = lock(&CLOCK);
            if clock.playing.is_empty() && clock.waiting.is_empty() {
                clock.running = false;
                return;
            }
        }
        // After a pause of the process the ticks that were missed are not made up for: what is played looks at the time.
        due = (due + BLOCK).max(now);
        sleep_until(due, AHEAD);
        let playing = lock(&CLOCK).playing.clone();
        for paced in playing {
            // What panics here does so in its tick as well, and ends there.
            let _ = catch_unwind(AssertUnwindSafe(|| paced.prepare()));
        }
        sleep_until(due, Duration::ZERO);
    }
}

/// Sleeps until so long before `due`.
fn sleep_until(due: Instant, ahead: Duration) {
    thread::sleep(due.saturating_duration_since(Instant::now()).saturating_sub(ahead));
}
