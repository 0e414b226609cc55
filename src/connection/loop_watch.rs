//! Lets the event loop of the JavaScript thread wait for the sockets of quiet connections, see [`Foreground`].
//!
//! Raw libuv and Node-API on purpose: there is no other way into the loop. The functions of libuv are looked up at run time, as
//! other runtimes that load this library may not have them.

#[cfg(any(target_os = "linux", target_os = "android"))]
#[allow(unsafe_code)]
mod imp {
    use std::ffi::{CStr, c_int, c_void};
    use std::mem::transmute;
    use std::os::fd::AsRawFd;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::ptr;
    use std::sync::Arc;

    use napi::bindgen_prelude::Function;
    use napi::{Env, JsValue, sys};
    use ossa_net::Foreground;

    use crate::connection::mailbox::Mailbox;

    /// `UV_POLL` and `UV_READABLE`, which are the same in all versions 1 of libuv.
    const POLL_HANDLE: c_int = 8;
    const READABLE: c_int = 1;

    /// A `uv_poll_t`. The first word of every handle is the user's.
    type Handle = *mut *mut Watch;

    /// The functions of libuv that this takes, as `uv.h` declares them.
    #[derive(Clone, Copy)]
    struct Uv {
        handle_size: HandleSize,
        poll_init: PollInit,
        poll_start: PollStart,
        unref: Unref,
        close: Close,
    }

    type HandleSize = unsafe extern "C" fn(c_int) -> usize;
    type PollInit = unsafe extern "C" fn(*mut sys::uv_loop_s, Handle, c_int) -> c_int;
    type PollStart = unsafe extern "C" fn(Handle, c_int, OnReadable) -> c_int;
    type OnReadable = unsafe extern "C" fn(Handle, c_int, c_int);
    type Unref = unsafe extern "C" fn(Handle);
    type Close = unsafe extern "C" fn(Handle, OnClosed);
    type OnClosed = unsafe extern "C" fn(Handle);

    impl Uv {
        /// `None` if the program has no libuv to show.
        fn find() -> Option<Self> {
            // SAFETY: these functions have had these signatures in all versions 1 of libuv.
            unsafe {
                Some(Self {
                    handle_size: transmute::<*mut c_void, HandleSize>(symbol(c"uv_handle_size")?),
                    poll_init: transmute::<*mut c_void, PollInit>(symbol(c"uv_poll_init")?),
                    poll_start: transmute::<*mut c_void, PollStart>(symbol(c"uv_poll_start")?),
                    unref: transmute::<*mut c_void, Unref>(symbol(c"uv_unref")?),
                    close: transmute::<*mut c_void, Close>(symbol(c"uv_close")?),
                })
            }
        }
    }

    fn symbol(name: &CStr) -> Option<*mut c_void> {
        // SAFETY: the name ends with a zero byte; looking up has no other conditions.
        let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
        (!found.is_null()).then_some(found)
    }

    /// What belongs to the handle. Used by the JavaScript thread alone, and freed when the handle is closed.
    struct Watch {
        uv: Uv,
        /// The memory of the handle, aligned for anything that libuv puts in there.
        memory: Box<[u128]>,
        closing: bool,
        env: sys::napi_env,
        /// Called when there is something to drain.
        deliver: sys::napi_ref,
        /// Lets the end of the environment wait until the handle is closed.
        hook: sys::napi_async_cleanup_hook_handle,
        foreground: Arc<Foreground>,
        mailbox: Arc<Mailbox>,
    }

    /// A handle in the event loop of a JavaScript thread. It never keeps the process alive.
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
            // SAFETY: the number is that of a type of handle.
            let size = unsafe { (uv.handle_size)(POLL_HANDLE) };
            let (mut uv_loop, mut function) = (ptr::null_mut(), ptr::null_mut());
            // SAFETY: `env` is the current environment, and the function belongs to its open scope.
            unsafe {
                ok(sys::napi_get_uv_event_loop(env.raw(), &mut uv_loop))?;
                ok(sys::napi_create_reference(env.raw(), deliver.raw(), 1, &mut function))?;
            }
            let watch = Box::into_raw(Box::new(Watch {
                uv,
                memory: vec![0; size.div_ceil(size_of::<u128>())].into(),
                closing: false,
                env: env.raw(),
                deliver: function,
                hook: ptr::null_mut(),
                foreground: foreground.clone(),
                mailbox: mailbox.clone(),
            }));
            // SAFETY: the handle has the size that libuv wants, and stays where it is until `on_closed`. So does the `Watch`, which the
            // hook is given. If the handle was not made, nobody else knows of the `Watch`.
            let started = unsafe {
                let handle = (*watch).handle();
                if (uv.poll_init)(uv_loop, handle, foreground.as_raw_fd()) != 0 {
                    drop(Box::from_raw(watch));
                    sys::napi_delete_reference(env.raw(), function);
                    return None;
                }
                handle.write(watch);
                (uv.unref)(handle);
                let hook = &raw mut (*watch).hook;
                ok(sys::napi_add_async_cleanup_hook(env.raw(), Some(on_teardown), watch.cast(), hook))
                    .is_some()
                    && (uv.poll_start)(handle, READABLE, on_readable) == 0
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
        fn handle(&mut self) -> Handle {
            self.memory.as_mut_ptr().cast()
        }
    }

    /// # Safety
    /// On the JavaScript thread, with a `Watch` that was not freed.
    unsafe fn close(watch: *mut Watch) {
        // SAFETY: as for the caller; nobody else has a reference to it at this moment.
        unsafe {
            if !(*watch).closing {
                (*watch).closing = true;
                ((*watch).uv.close)((*watch).handle(), on_closed);
            }
        }
    }

    unsafe extern "C" fn on_teardown(_: sys::napi_async_cleanup_hook_handle, watch: *mut c_void) {
        // SAFETY: `on_closed` removes this hook, so that was not yet.
        unsafe { close(watch.cast()) }
    }

    unsafe extern "C" fn on_closed(handle: Handle) {
        // SAFETY: libuv calls this once, on the JavaScript thread, and has done with the handle. The hook, which keeps the environment
        // alive until here, is the last to go.
        unsafe {
            let watch = Box::from_raw(handle.read());
            sys::napi_delete_reference(watch.env, watch.deliver);
            if !watch.hook.is_null() {
                sys::napi_remove_async_cleanup_hook(watch.hook);
            }
        }
    }

    unsafe extern "C" fn on_readable(handle: Handle, _status: c_int, _events: c_int) {
        // SAFETY: libuv calls this between `poll_start` and `close`, on the JavaScript thread.
        let watch = unsafe { &*handle.read() };
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
}

#[cfg(not(any(target_os = "linux", target_os = "android")))]
mod imp {
    use std::convert::Infallible;
    use std::sync::Arc;

    use napi::Env;
    use napi::bindgen_prelude::Function;
    use ossa_net::Foreground;

    use crate::connection::mailbox::Mailbox;

    /// There is none: see [`Foreground::new`].
    pub(crate) struct LoopWatch(Infallible);

    impl LoopWatch {
        pub(crate) fn new(_: Env, _: &Function<'_, (), ()>, _: &Arc<Mailbox>) -> Option<Self> {
            None
        }

        pub(crate) fn foreground(&self) -> Arc<Foreground> {
            match self.0 {}
        }

        pub(crate) fn close(self) {
            match self.0 {}
        }
    }
}

pub(crate) use imp::LoopWatch;
