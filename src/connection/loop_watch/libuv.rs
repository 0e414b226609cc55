//! The functions of libuv. They are looked up at run time, as other runtimes that load this library may not have them.
#![allow(unsafe_code)]

use std::ffi::{CStr, c_int, c_void};
use std::mem::transmute;

use napi::sys::uv_loop_s;

/// `UV_POLL`, `UV_PREPARE` and `UV_READABLE`, which are the same in all versions 1 of libuv.
pub(super) const POLL: c_int = 8;
pub(super) const PREPARE: c_int = 9;
pub(super) const READABLE: c_int = 1;

/// A `uv_handle_t` of any type. Its first word is the user's.
pub(super) type Handle = *mut *mut c_void;

/// The functions that are taken, as `uv.h` declares them.
#[derive(Clone, Copy)]
pub(super) struct Uv {
    handle_size: HandleSize,
    pub(super) poll_init: PollInit,
    pub(super) poll_start: PollStart,
    pub(super) prepare_init: PrepareInit,
    pub(super) prepare_start: PrepareStart,
    pub(super) prepare_stop: PrepareStop,
    /// How long the loop would sleep, in milliseconds; -1 for ever.
    pub(super) backend_timeout: BackendTimeout,
    pub(super) unref: Unref,
    pub(super) close: Close,
}

type HandleSize = unsafe extern "C" fn(c_int) -> usize;
type PollInit = unsafe extern "C" fn(*mut uv_loop_s, Handle, c_int) -> c_int;
type PollStart = unsafe extern "C" fn(Handle, c_int, OnReadable) -> c_int;
type OnReadable = unsafe extern "C" fn(Handle, c_int, c_int);
type PrepareInit = unsafe extern "C" fn(*mut uv_loop_s, Handle) -> c_int;
type PrepareStart = unsafe extern "C" fn(Handle, OnPrepare) -> c_int;
type PrepareStop = unsafe extern "C" fn(Handle) -> c_int;
type OnPrepare = unsafe extern "C" fn(Handle);
type BackendTimeout = unsafe extern "C" fn(*const uv_loop_s) -> c_int;
type Unref = unsafe extern "C" fn(Handle);
type Close = unsafe extern "C" fn(Handle, OnClosed);
type OnClosed = unsafe extern "C" fn(Handle);

impl Uv {
    /// `None` if the program has no libuv to show.
    pub(super) fn find() -> Option<Self> {
        // SAFETY: these functions have had these signatures in all versions 1 of libuv.
        unsafe {
            Some(Self {
                handle_size: transmute::<*mut c_void, HandleSize>(symbol(c"uv_handle_size")?),
                poll_init: transmute::<*mut c_void, PollInit>(symbol(c"uv_poll_init")?),
                poll_start: transmute::<*mut c_void, PollStart>(symbol(c"uv_poll_start")?),
                prepare_init: transmute::<*mut c_void, PrepareInit>(symbol(c"uv_prepare_init")?),
                prepare_start: transmute::<*mut c_void, PrepareStart>(symbol(c"uv_prepare_start")?),
                prepare_stop: transmute::<*mut c_void, PrepareStop>(symbol(c"uv_prepare_stop")?),
                backend_timeout: transmute::<*mut c_void, BackendTimeout>(symbol(c"uv_backend_timeout")?),
                unref: transmute::<*mut c_void, Unref>(symbol(c"uv_unref")?),
                close: transmute::<*mut c_void, Close>(symbol(c"uv_close")?),
            })
        }
    }

    /// Memory for a handle of this type, aligned for anything that libuv puts in there.
    pub(super) fn memory(&self, handle: c_int) -> Box<[u128]> {
        // SAFETY: the number is that of a type of handle.
        let size = unsafe { (self.handle_size)(handle) };
        vec![0; size.div_ceil(size_of::<u128>())].into()
    }
}

fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name ends with a zero byte; looking up has no other conditions.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}
