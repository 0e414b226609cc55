//! Alone in its process, because it counts what the process holds.
#![allow(dead_code, unreachable_pub, reason = "the network of the other tests can do more")]

#[path = "connection/net.rs"]
mod net;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use net::{Net, config};
use ossa_peer::{Config, DataChannelInit, MediaCapabilities, MediaSettings};

struct Counting;

static LIVE: AtomicUsize = AtomicUsize::new(0);

// SAFETY: every call goes to the system's allocator unchanged; only sizes are counted.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        LIVE.fetch_add(layout.size(), Relaxed);
        // SAFETY: as required of our caller.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, ptr: *mut u8, layout: Layout) {
        LIVE.fetch_sub(layout.size(), Relaxed);
        // SAFETY: as required of our caller.
        unsafe { System.dealloc(ptr, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

/// As W3C's classes make it: able to do audio and video, which costs nothing as long as there is none.
fn able_to_do_media(index: usize) -> Config {
    let wall_clock = Duration::from_secs(1_700_000_000);
    let media = MediaSettings { capabilities: MediaCapabilities::shared(), wall_clock };
    Config { media: Some(media), ..config(index) }
}

/// Connected, with a channel, and quiet for long enough that buffers were given back.
fn idle() -> Net {
    let mut net = Net::with(able_to_do_media(0), able_to_do_media(1));
    net.channel(0, DataChannelInit::default());
    net.connect();
    net.run(Duration::from_secs(7));
    for node in &mut net.nodes {
        node.events = Vec::new();
    }
    net
}

#[test]
fn thousands_of_idle_connections_fit_into_a_process() {
    // Once, so that what all share is there.
    drop(idle());
    let before = LIVE.load(Relaxed);
    let pairs: Vec<Net> = (0..10).map(|_| idle()).collect();
    let each = (LIVE.load(Relaxed) - before) / (2 * pairs.len());
    // 39 kB of Rust; what the C library of DTLS holds is not counted.
    assert!(each < 43_000, "{each} bytes for each end");
}
