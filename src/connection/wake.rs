//! The wake-up call from any thread to one JavaScript thread.
//!
//! Raw Node-API on purpose: the handle is made for the first open peer and released with the last one, so that an
//! idle module leaves no open handle behind, and it must never be touched after its environment is gone.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;

use napi::bindgen_prelude::Function;
use napi::{Env, JsValue, sys};

use crate::base::error::{Result, failure};

/// A thread-safe function without arguments. It does not keep the process alive unless told to.
pub(crate) struct Wake {
    env: sys::napi_env,
    function: sys::napi_threadsafe_function,
}

// SAFETY: `call` may be used from any thread, which is what a thread-safe function is for; `env` is only used by the
// methods that take an `Env`, and thus on the JavaScript thread.
unsafe impl Send for Wake {}

impl Wake {
    /// `callback` is called on the JavaScript thread of `env` for every [`Self::call`].
    pub(crate) fn new(env: Env, callback: &Function<'_, (), ()>) -> Result<Self> {
        let name = env.create_string("ossa-webrtc")?;
        let mut function = ptr::null_mut();
        // SAFETY: `env` is the current environment and both values belong to its open scope. Without a `call_js_cb`
        // Node calls `callback` without arguments.
        let status = unsafe {
            sys::napi_create_threadsafe_function(
                env.raw(),
                callback.raw(),
                ptr::null_mut(),
                name.raw(),
                0,
                1,
                ptr::null_mut(),
                None,
                ptr::null_mut(),
                None,
                &mut function,
            )
        };
        check(status, "creating the wake-up handle")?;
        let wake = Wake { env: env.raw(), function };
        wake.set_ref(false);
        Ok(wake)
    }

    /// Queues a call. The owner makes sure that this is not called after [`Self::release`] or after the environment
    /// was torn down, by holding the lock that guards this value.
    pub(crate) fn call(&self) {
        // SAFETY: the handle is alive, see above. The queue has no bound, but one call at most is in it.
        unsafe {
            sys::napi_call_threadsafe_function(
                self.function,
                ptr::null_mut(),
                sys::ThreadsafeFunctionCallMode::nonblocking,
            );
        }
    }

    /// Whether the handle keeps the process alive. JavaScript thread only.
    pub(crate) fn set_ref(&self, alive: bool) {
        // SAFETY: on the JavaScript thread of a live environment.
        unsafe {
            if alive {
                sys::napi_ref_threadsafe_function(self.env, self.function);
            } else {
                sys::napi_unref_threadsafe_function(self.env, self.function);
            }
        }
    }

    /// Ends the handle; a queued call is dropped. JavaScript thread only.
    pub(crate) fn release(self) {
        // SAFETY: consumed here, so nobody can use it afterwards.
        unsafe {
            sys::napi_release_threadsafe_function(self.function, sys::ThreadsafeFunctionReleaseMode::abort);
        }
    }
}

/// Calls `hook(argument)` when the environment is torn down: the process exits or the worker is terminated.
pub(crate) fn add_cleanup_hook(
    env: Env,
    hook: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
) -> Result<()> {
    // SAFETY: `env` is the current environment; the caller keeps `argument` valid until the hook is removed or has run.
    check(
        unsafe { sys::napi_add_env_cleanup_hook(env.raw(), Some(hook), argument) },
        "watching for the end of the thread",
    )
}

/// Takes back [`add_cleanup_hook`]. JavaScript thread only.
pub(crate) fn remove_cleanup_hook(
    env: sys::napi_env,
    hook: unsafe extern "C" fn(*mut c_void),
    argument: *mut c_void,
) {
    // SAFETY: the environment is alive, since its hook has not run.
    unsafe { sys::napi_remove_env_cleanup_hook(env, Some(hook), argument) };
}

impl Wake {
    /// The environment this belongs to.
    pub(crate) fn env(&self) -> sys::napi_env {
        self.env
    }
}

fn check(status: sys::napi_status, doing: &str) -> Result<()> {
    match status {
        sys::Status::napi_ok => Ok(()),
        _ => Err(failure("OperationError", &format!("{doing} failed: Node-API status {status}"))),
    }
}
