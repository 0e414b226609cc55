//! Heap that an idle, connected connection keeps.
//!
//! `cargo run -p ossa-peer --example memory`
#![allow(missing_docs)]

mod support;

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};
use std::time::Duration;

use bytes::Bytes;
use ossa_peer::{Config, DataChannelInit, MessageKind};
use support::{Pair, certificate, now};

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

const PAIRS: usize = 20;

fn main() {
    for busy in [false, true] {
        let certificates = [certificate(), certificate()];
        let before = LIVE.load(Relaxed);
        let mut pairs = Vec::new();
        for i in 0..PAIRS {
            let configs = certificates.clone().map(Config::new);
            let (mut pair, channel) = Pair::connect(configs, DataChannelInit::default(), i as u8);
            pair.wait_open();
            if busy {
                let t = now();
                for _ in 0..100 {
                    let message = Bytes::from(vec![1u8; 65_536]);
                    pair.ends[0].send(t, channel, MessageKind::Binary, message).expect("room");
                }
                while pair.received[1].0 < 100 {
                    pair.turn();
                }
            }
            pairs.push(pair);
        }
        // Long enough for path MTU discovery to end and for buffers to be given back.
        let end = now() + Duration::from_secs(7);
        while now() < end {
            for pair in &mut pairs {
                while pair.turn() {}
            }
            std::thread::sleep(Duration::from_millis(5));
        }
        for pair in &mut pairs {
            pair.release_buffer();
        }
        let each = (LIVE.load(Relaxed) - before) / (2 * PAIRS);
        let inline = size_of::<ossa_peer::Connection>();
        println!(
            "after {}: {each} bytes per connection, {inline} of them the struct",
            if busy { "6.5 MB" } else { "set-up" }
        );
    }
}
