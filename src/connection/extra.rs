//! Messages and events as JavaScript values.
#![allow(unsafe_code)]

use std::ffi::c_void;
use std::ptr;
use std::sync::atomic::{AtomicBool, Ordering};

use bytes::{Bytes, BytesMut};
use napi::bindgen_prelude::ToNapiValue;
use napi::{check_status, sys};

use super::inbox::{Extra, LongText};

/// Messages from this size on become ArrayBuffers without being copied. Below it, copying costs less than a finalizer.
const EXTERNAL: usize = 128 * 1024;

/// The runtime has refused external memory (Electron and other builds with pointer compression): it always will.
static COPY_ALWAYS: AtomicBool = AtomicBool::new(false);

impl ToNapiValue for Extra {
    unsafe fn to_napi_value(env: sys::napi_env, extra: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: the caller vouches for `env`, and has a handle scope open.
        unsafe {
            match extra {
                Extra::Binary(data) => array_buffer(env, data),
                Extra::Text(data) => string(env, &data),
                Extra::Event(json) => string(env, json.as_bytes()),
                Extra::Lifted(skeleton, strings) => lifted(env, skeleton, strings),
            }
        }
    }
}

unsafe fn array_buffer(env: sys::napi_env, data: Bytes) -> napi::Result<sys::napi_value> {
    if data.len() < EXTERNAL || COPY_ALWAYS.load(Ordering::Relaxed) {
        // SAFETY: as for the caller.
        return unsafe { copied(env, &data) };
    }
    match data.try_into_mut() {
        // SAFETY: as for the caller.
        Ok(owned) => unsafe { external(env, owned) },
        // Shared with somebody else, and JavaScript may write into its ArrayBuffers.
        // SAFETY: as for the caller.
        Err(shared) => unsafe { copied(env, &shared) },
    }
}

unsafe fn copied(env: sys::napi_env, data: &[u8]) -> napi::Result<sys::napi_value> {
    let mut memory = ptr::null_mut();
    let mut value = ptr::null_mut();
    // SAFETY: on success `memory` points to `data.len()` fresh bytes, unless that is 0.
    unsafe {
        check_status!(
            sys::napi_create_arraybuffer(env, data.len(), &mut memory, &mut value),
            "no memory for a message of {} bytes",
            data.len()
        )?;
        if !data.is_empty() {
            ptr::copy_nonoverlapping(data.as_ptr(), memory.cast(), data.len());
        }
    }
    Ok(value)
}

unsafe fn external(env: sys::napi_env, data: BytesMut) -> napi::Result<sys::napi_value> {
    let mut owner = Box::new(data);
    let (memory, len) = (owner.as_mut_ptr(), owner.len());
    let hint = Box::into_raw(owner);
    let mut value = ptr::null_mut();
    // SAFETY: the memory belongs to `hint` alone and lives until `free` is called, once.
    let status = unsafe {
        sys::napi_create_external_arraybuffer(env, memory.cast(), len, Some(free), hint.cast(), &mut value)
    };
    if status == sys::Status::napi_ok {
        return Ok(value);
    }
    COPY_ALWAYS.store(true, Ordering::Relaxed);
    // SAFETY: the runtime has refused, so it did not take `hint`.
    let owner = unsafe { Box::from_raw(hint) };
    // SAFETY: as for the caller.
    unsafe { copied(env, &owner) }
}

unsafe extern "C" fn free(_env: sys::napi_env, _memory: *mut c_void, hint: *mut c_void) {
    // SAFETY: made by `external`; the runtime calls this once.
    drop(unsafe { Box::from_raw(hint.cast::<BytesMut>()) });
}

/// An array: the JSON, then the strings.
unsafe fn lifted(
    env: sys::napi_env,
    skeleton: String,
    strings: Vec<LongText>,
) -> napi::Result<sys::napi_value> {
    let mut array = ptr::null_mut();
    // SAFETY: as for the caller.
    unsafe {
        check_status!(sys::napi_create_array_with_length(env, strings.len() + 1, &mut array))?;
        check_status!(sys::napi_set_element(env, array, 0, string(env, skeleton.as_bytes())?))?;
        for (index, text) in (1..).zip(strings) {
            let value = match text {
                LongText::Latin1(text) => latin1(env, &text)?,
                LongText::Utf16(units) => utf16(env, &units)?,
            };
            check_status!(sys::napi_set_element(env, array, index, value))?;
        }
    }
    Ok(array)
}

/// Invalid UTF-8 becomes U+FFFD, as browsers have it. UTF-16 is made here because the runtime takes five times as long.
unsafe fn string(env: sys::napi_env, text: &[u8]) -> napi::Result<sys::napi_value> {
    // SAFETY: as for the caller.
    unsafe {
        if text.is_ascii() {
            return latin1(env, text);
        }
        let mut units = Vec::with_capacity(text.len());
        units.extend(String::from_utf8_lossy(text).encode_utf16());
        utf16(env, &units)
    }
}

/// A string of ASCII. Copied, although the runtime could use the memory as it is: what such strings hold does not make it
/// collect garbage, and a reader of large messages would take gigabytes.
unsafe fn latin1(env: sys::napi_env, text: &[u8]) -> napi::Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: the pointer is good for the length, and the bytes are copied.
    let status =
        unsafe { sys::napi_create_string_latin1(env, text.as_ptr().cast(), text.len() as isize, &mut value) };
    check_status!(status, "no memory for a text of {} bytes", text.len())?;
    Ok(value)
}

/// The same for any text.
unsafe fn utf16(env: sys::napi_env, units: &[u16]) -> napi::Result<sys::napi_value> {
    let mut value = ptr::null_mut();
    // SAFETY: as in `latin1`.
    let status =
        unsafe { sys::napi_create_string_utf16(env, units.as_ptr(), units.len() as isize, &mut value) };
    check_status!(status, "no memory for a text of {} characters", units.len())?;
    Ok(value)
}
