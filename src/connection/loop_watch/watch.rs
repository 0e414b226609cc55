//! The handles in the event loop, and what they call.

use std::ffi::{c_int, c_void};
use std::hint;
use std::os::fd::AsRawFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::ptr;
use std::sync::Arc;
use std::time::Instant;

use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, sys};
use ossa_net::Foreground;

use super::busy_poll::BusyPoll;
use super::libuv::{Handle, POLL, PREPARE, READABLE, Uv};
use crate::connection::mailbox::Mailbox;

/// What belongs to the handles. Used by the JavaScript thread alone, and freed when both are closed.
struct Watch {
    uv: Uv,
    uv_loop: *mut sys::uv_loop_s,
    /// The memory of the handle that waits for input.
    poll: Box<[u128]>,
    /// The same of the one that is called before the loop sleeps. It is active while a socket is on loan.
    prepare: Box<[u128]>,
    /// How many of them the loop has.
    handles: u8,
    closing: bool,
    busy_poll: BusyPoll,
    env: sys::napi_env,
    /// Called when there is something to drain.
    deliver: sys::napi_ref,
    /// Lets the end of the environment wait until the handle is closed.
    hook: sys::napi_async_cleanup_hook_handle,
    foreground: Arc<Foreground>,
    mailbox: Arc<Mailbox>,
}

/// The handles in the event loop of a JavaScript thread. They never keep the process alive.
pub(crate) struct LoopWatch {
    watch: *mut Watch,
    foreground: Arc<Foreground>,
}

// SAFETY: `watch` is used by `close` alone, on the JavaScript thread.
unsafe impl Send for LoopWatch {}

impl LoopWatch {
    /// `deliver` is called on the JavaScript thread of `env` when there is something to drain. `None` where this can't be done:
    /// everything works without.
    pub(crate) fn new(env: Env, deliver: &Function<'_, (), ()>, mailbox: &Arc<Mailbox>) -> Option<Self> {
        let uv = Uv::find()?;
        let foreground = Foreground::new().ok()?;
        let (mut uv_loop, mut function) = (ptr::null_mut(), ptr::null_mut());
        // SAFETY: `env` is the current environment, and the function belongs to its open scope.
        unsafe {
            ok(sys::napi_get_uv_event_loop(env.raw(), &mut uv_loop))?;
            ok(sys::napi_create_reference(env.raw(), deliver.raw(), 1, &mut function))?;
        }
        let watch = Box::into_raw(Box::new(Watch {
            uv,
            uv_loop,
            poll: uv.memory(POLL),
            prepare: uv.memory(PREPARE),
            handles: 0,
            closing: false,
            busy_poll: BusyPoll::default(),
            env: env.raw(),
            deliver: function,
            hook: ptr::null_mut(),
            foreground: foreground.clone(),
            mailbox: mailbox.clone(),
        }));
        // SAFETY: the handles have the sizes that libuv wants, and stay where they are until `on_closed`. So does the `Watch`, which the
        // hook is given. If the first handle was not made, nobody else knows of the `Watch`.
        let started = unsafe {
            if !(*watch).init(foreground.as_raw_fd()) {
                drop(Box::from_raw(watch));
                sys::napi_delete_reference(env.raw(), function);
                return None;
            }
            let hook = &raw mut (*watch).hook;
            ok(sys::napi_add_async_cleanup_hook(env.raw(), Some(on_teardown), watch.cast(), hook)).is_some()
                && (uv.poll_start)((*watch).poll(), READABLE, on_readable) == 0
        };
        let this = LoopWatch { watch, foreground };
        if !started {
            this.close();
            return None;
        }
        Some(this)
    }

    /// What it waits for.
    pub(crate) fn foreground(&self) -> Arc<Foreground> {
        self.foreground.clone()
    }

    /// Takes it out of the loop. JavaScript thread only.
    pub(crate) fn close(self) {
        // SAFETY: it is freed by `on_closed`, a turn of the loop after it was closed: here, or by the hook, which runs at the end of
        // the environment and closes nothing twice. This runs at its end at the latest, before the loop turns again.
        unsafe { close(self.watch) }
    }
}

impl Watch {
    fn poll(&mut self) -> Handle {
        self.poll.as_mut_ptr().cast()
    }

    fn prepare(&mut self) -> Handle {
        self.prepare.as_mut_ptr().cast()
    }

    /// Makes the handles. False if there is none.
    ///
    /// # Safety
    /// On the JavaScript thread, once. This must stay where it is until the handles are closed.
    unsafe fn init(&mut self, input: c_int) -> bool {
        let (uv, uv_loop, this) = (self.uv, self.uv_loop, &raw mut *self);
        // SAFETY: as for the caller; the memory of each handle has the size of its type.
        unsafe {
            if (uv.poll_init)(uv_loop, self.poll(), input) != 0 {
                return false;
            }
            // This one cannot fail.
            (uv.prepare_init)(uv_loop, self.prepare());
            for handle in [self.poll(), self.prepare()] {
                handle.write(this.cast());
                (uv.unref)(handle);
                self.handles += 1;
            }
        }
        true
    }
}

/// # Safety
/// On the JavaScript thread, with a `Watch` that was not freed.
unsafe fn close(watch: *mut Watch) {
    // SAFETY: as for the caller; nobody else has a reference to it at this moment.
    unsafe {
        if !(*watch).closing {
            (*watch).closing = true;
            let close = (*watch).uv.close;
            close((*watch).poll(), on_closed);
            close((*watch).prepare(), on_closed);
        }
    }
}

unsafe extern "C" fn on_teardown(_: sys::napi_async_cleanup_hook_handle, watch: *mut c_void) {
    // SAFETY: `on_closed` removes this hook, so that was not yet.
    unsafe { close(watch.cast()) }
}

unsafe extern "C" fn on_closed(handle: Handle) {
    // SAFETY: libuv calls this once for each handle, on the JavaScript thread, and has done with it; after the last, nobody knows of the
    // `Watch`. The hook, which keeps the environment alive until here, is the last to go.
    unsafe {
        let watch = handle.read().cast::<Watch>();
        (*watch).handles -= 1;
        if (*watch).handles > 0 {
            return;
        }
        let watch = Box::from_raw(watch);
        sys::napi_delete_reference(watch.env, watch.deliver);
        if !watch.hook.is_null() {
            sys::napi_remove_async_cleanup_hook(watch.hook);
        }
    }
}

unsafe extern "C" fn on_readable(handle: Handle, _status: c_int, _events: c_int) {
    // SAFETY: libuv calls this between `poll_start` and `close`, on the JavaScript thread.
    let watch = unsafe { &mut *handle.read().cast::<Watch>() };
    watch.busy_poll.end(Instant::now());
    // SAFETY: the same. It does nothing where it was started before.
    unsafe { (watch.uv.prepare_start)(watch.prepare(), on_prepare) };
    // JavaScript may close the handle. What is borrowed of the watch ends here; the reference to the function stays good for this turn of
    // the loop.
    let (env, deliver) = (watch.env, watch.deliver);
    let (foreground, mailbox) = (watch.foreground.clone(), watch.mailbox.clone());
    let mut served = None;
    // A panic must not unwind into libuv. Those of a connection are caught, and told of, further down.
    let serve = AssertUnwindSafe(|| Mailbox::defer(|| served = Some(foreground.serve())));
    let drain = catch_unwind(serve);
    // SAFETY: the environment outlives its loop's handles, see the hook.
    if drain.unwrap_or(true) && unsafe { call(env, deliver) }.is_none() {
        mailbox.call();
    }
    if let Some(served) = served {
        let _ = catch_unwind(AssertUnwindSafe(|| served.finish()));
    }
}

/// The loop is about to look for input, and to sleep if there is none.
unsafe extern "C" fn on_prepare(handle: Handle) {
    // SAFETY: libuv calls this between `prepare_start` and `close`, on the JavaScript thread. Nothing of JavaScript runs in here.
    let watch = unsafe { &mut *handle.read().cast::<Watch>() };
    if !watch.foreground.has_loans() {
        watch.busy_poll.rest();
        // SAFETY: the same.
        unsafe { (watch.uv.prepare_stop)(handle) };
        return;
    }
    // SAFETY: the same; the loop is the one that calls.
    let idle = unsafe { (watch.uv.backend_timeout)(watch.uv_loop) } != 0;
    if idle && watch.busy_poll.begin(Instant::now()) {
        let input = watch.foreground.as_raw_fd();
        while watch.busy_poll.goes_on(Instant::now()) && !readable(input) {
            hint::spin_loop();
        }
    }
}

/// Whether there is something to read, or nobody can say.
fn readable(input: c_int) -> bool {
    let mut asked = libc::pollfd { fd: input, events: libc::POLLIN, revents: 0 };
    // SAFETY: it is one structure that is asked about, without waiting.
    unsafe { libc::poll(&raw mut asked, 1, 0) != 0 }
}

/// Calls a function of JavaScript as a task of its own. What it throws is an uncaught exception. `None` if JavaScript can't be called.
///
/// # Safety
/// On the JavaScript thread, with the environment alive, and nothing of JavaScript running.
unsafe fn call(env: sys::napi_env, function: sys::napi_ref) -> Option<()> {
    let mut scope = ptr::null_mut();
    // SAFETY: as for the caller. The values belong to the scope that is opened here.
    unsafe {
        ok(sys::napi_open_handle_scope(env, &mut scope))?;
        let called = call_in_scope(env, function);
        sys::napi_close_handle_scope(env, scope);
        called
    }
}

/// # Safety
/// As for [`call`], with an open scope.
unsafe fn call_in_scope(env: sys::napi_env, function: sys::napi_ref) -> Option<()> {
    let (mut value, mut this, mut result) = (ptr::null_mut(), ptr::null_mut(), ptr::null_mut());
    // SAFETY: as for the caller. Without a context of its own the call belongs to none.
    let status = unsafe {
        ok(sys::napi_get_reference_value(env, function, &mut value))?;
        ok(sys::napi_get_global(env, &mut this))?;
        sys::napi_make_callback(env, ptr::null_mut(), this, value, 0, ptr::null(), &mut result)
    };
    if status != sys::Status::napi_pending_exception {
        return ok(status);
    }
    // SAFETY: as for the caller. The exception must not be found by the next call into this library. Where the thread is being ended,
    // nobody can be told of it.
    unsafe {
        ok(sys::napi_get_and_clear_last_exception(env, &mut result))?;
        ok(sys::napi_fatal_exception(env, result))
    }
}

fn ok(status: sys::napi_status) -> Option<()> {
    (status == sys::Status::napi_ok).then_some(())
}
