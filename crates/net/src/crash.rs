//! Panics, and how far they get.
//!
//! No input may cause one, and some input will, here or in a crate below. It must cost no more than the connection that it
//! happens in: see [`Shared`](crate::shared::Shared), which ends that one visibly. Other connections of the thread go on.

use std::any::Any;
use std::cell::{Cell, RefCell};
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;
use std::sync::atomic::{AtomicU64, Ordering};

use ossa_peer::{Error, ErrorKind};

static COUNT: AtomicU64 = AtomicU64::new(0);

thread_local! {
    /// A panic of this thread will be caught: it is not for the ordinary hook, which would print a backtrace.
    static CATCHING: Cell<bool> = const { Cell::new(false) };
    /// What the last one said, and where.
    static REASON: RefCell<String> = const { RefCell::new(String::new()) };
}

/// How many connections this process has lost to a panic in it or in the libraries below. Anything but 0 is a bug to report.
pub fn internal_errors() -> u64 {
    COUNT.load(Ordering::Relaxed)
}

/// A caught panic.
pub(crate) struct Crash {
    /// What was said and where, in one line.
    pub(crate) reason: String,
    payload: Box<dyn Any + Send>,
}

impl Crash {
    /// Lets whoever called get to know of it too.
    pub(crate) fn resume(self) -> ! {
        panic::resume_unwind(self.payload)
    }

    pub(crate) fn into_error(self) -> Error {
        let message = format!("an internal error has ended the connection: {}", self.reason);
        Error::new(ErrorKind::Internal, message)
    }
}

/// Runs `f`. A panic in it neither prints a backtrace nor goes further.
pub(crate) fn catch<R>(f: impl FnOnce() -> R) -> Result<R, Crash> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let ordinary = panic::take_hook();
        panic::set_hook(Box::new(move |info| match CATCHING.get() {
            true => REASON.set(describe(info)),
            false => ordinary(info),
        }));
    });
    let before = CATCHING.replace(true);
    // What `f` works on may be halfway between two states afterwards: the caller gives it up.
    let result = panic::catch_unwind(AssertUnwindSafe(f));
    CATCHING.set(before);
    result.map_err(|payload| Crash { reason: REASON.with_borrow(String::clone), payload })
}

/// One line on the standard error output, because nobody may be listening to logs, and a count.
pub(crate) fn report(reason: &str) {
    COUNT.fetch_add(1, Ordering::Relaxed);
    tracing::error!(reason, "internal error: a connection has ended");
    eprintln!("ossa-webrtc: a connection was ended by an internal error, please report it: {reason}");
}

fn describe(info: &PanicHookInfo<'_>) -> String {
    let payload = info.payload();
    let text = payload
        .downcast_ref::<&str>()
        .copied()
        .or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    // Of the path of the machine that this was built on only the end is of interest: crate, folders, file.
    let place = info.location().map_or_else(String::new, |at| {
        let parts: Vec<&str> = at.file().rsplit(['/', '\\']).take(3).collect();
        format!(" ({}:{})", parts.into_iter().rev().collect::<Vec<_>>().join("/"), at.line())
    });
    let text: String = text.unwrap_or("a panic").lines().collect::<Vec<_>>().join(" ");
    text + &place
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_caught_panic_tells_what_it_said_and_where_without_the_path_of_the_machine() {
        let crash = catch(|| panic!("went\nwrong: {}", 7)).err().unwrap();
        let (text, place) = crash.reason.split_once(" (").unwrap();
        assert_eq!(text, "went wrong: 7");
        assert!(place.starts_with("net/src/crash.rs:") && place.ends_with(')'), "{place}");
        assert!(crash.into_error().message.contains("went wrong: 7"));
    }

    #[test]
    fn catching_inside_of_catching_ends_with_the_outer_one() {
        let outer = catch(|| {
            assert!(catch(|| panic!("inner")).is_err());
            assert!(CATCHING.get());
            catch(|| panic!("passed on")).unwrap_or_else(|crash| crash.resume())
        });
        assert!(outer.err().unwrap().reason.starts_with("passed on"));
        assert!(!CATCHING.get());
        assert_eq!(catch(|| 7).ok(), Some(7));
    }
}
