//! Where one JavaScript thread and the peers it has made meet.

use std::collections::HashMap;
use std::ffi::c_void;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use napi::Env;
use napi::bindgen_prelude::{Function, Uint8ArraySlice, Uint32ArraySlice};
use napi_derive::napi;
use ossa_net::Peer;

use super::inbox::{Extra, Inbox, Record};
use super::loop_watch::LoopWatch;
use super::mailbox::Mailbox;
use super::outbox::Records;
use super::sink::PeerSink;
use super::wake::{Wake, add_cleanup_hook, remove_cleanup_hook};
use crate::base::error::{Result, type_error};
use crate::base::lock::lock;

/// Words before the records that [`Hub::drain`] writes, and words of each record.
const STRIDE: usize = 4;

/// The state behind a [`Hub`], which its peers share.
#[derive(Default)]
pub(crate) struct State {
    pub(crate) mailbox: Arc<Mailbox>,
    /// The thread's event loop may wait for sockets itself.
    polls: bool,
    /// There as long as the wake-up handle is, where it can be had.
    watch: Mutex<Option<LoopWatch>>,
    draining: Mutex<Inbox>,
    peers: Mutex<Peers>,
}

#[derive(Default)]
struct Peers {
    last_id: u32,
    open: HashMap<u32, Registered>,
}

#[derive(Clone)]
struct Registered {
    peer: Peer,
    sink: Arc<PeerSink>,
}

impl State {
    /// The id of a peer to be.
    pub(crate) fn next_id(&self) -> u32 {
        let mut peers = lock(&self.peers);
        // 4 billion peers later an id comes again; it must not be one in use.
        loop {
            peers.last_id = peers.last_id.wrapping_add(1);
            if !peers.open.contains_key(&peers.last_id) {
                return peers.last_id;
            }
        }
    }

    /// Adds an open peer. The first one makes the wake-up handle, which calls `schedule`, and the one in the event loop, which calls
    /// `deliver`.
    pub(crate) fn register(
        self: &Arc<Self>,
        env: Env,
        (schedule, deliver): (&Function<'_, (), ()>, &Function<'_, (), ()>),
        id: u32,
        peer: Peer,
        sink: Arc<PeerSink>,
    ) -> Result<()> {
        if !self.mailbox.is_open() {
            let wake = Wake::new(env, schedule)?;
            let this = Arc::into_raw(self.clone()).cast_mut().cast();
            // After the handle was made: hooks run in reverse order, and the handle must outlive its users.
            if let Err(error) = add_cleanup_hook(env, on_teardown, this) {
                wake.release();
                // SAFETY: from `into_raw` above, and nobody else got it.
                #[allow(unsafe_code)]
                drop(unsafe { Arc::from_raw(this.cast::<State>().cast_const()) });
                return Err(error);
            }
            self.mailbox.open(wake);
            if self.polls {
                *lock(&self.watch) = LoopWatch::new(env, deliver, &self.mailbox);
            }
        }
        lock(&self.peers).open.insert(id, Registered { peer, sink });
        Ok(())
    }

    /// Forgets a closed peer. The last one takes the wake-up handle with it. JavaScript thread only.
    pub(crate) fn unregister(self: &Arc<Self>, id: u32) {
        let empty = {
            let mut peers = lock(&self.peers);
            if peers.open.remove(&id).is_none() {
                return;
            }
            peers.open.is_empty()
        };
        if !empty {
            return;
        }
        self.close_watch();
        if let Some(wake) = self.mailbox.close() {
            let this = Arc::as_ptr(self);
            remove_cleanup_hook(wake.env(), on_teardown, this.cast_mut().cast());
            wake.release();
            // SAFETY: the hook's reference; the hook was removed and did not run, or there would be no handle.
            #[allow(unsafe_code)]
            drop(unsafe { Arc::from_raw(this) });
        }
    }

    fn registered(&self, id: u32) -> Option<Registered> {
        lock(&self.peers).open.get(&id).cloned()
    }

    /// Hands over the messages of a slab.
    fn send(&self, slab: Bytes) {
        let mut records = Records::new(slab);
        while let Some(id) = records.peer() {
            let registered = self.registered(id);
            let mut any = false;
            let mut messages = std::iter::from_fn(|| {
                let message = records.next_of(id);
                any |= message.is_some();
                message
            });
            match registered {
                Some(Registered { peer, sink }) => {
                    peer.send_batch(messages.filter(|m| sink.message_queued(m.channel, m.data.len())));
                }
                // Closed in the meantime: its messages are dropped.
                None => messages.by_ref().for_each(drop),
            }
            if !any {
                break;
            }
        }
    }

    /// Settles what the peers of the drained records have in the queue.
    fn settle(&self, costs: &[(u32, usize)]) {
        let foreground = lock(&self.watch).as_ref().map(LoopWatch::foreground);
        for (id, cost) in costs {
            let Some(Registered { peer, sink }) = self.registered(*id) else { continue };
            if sink.drained(*cost) {
                peer.resume();
            }
            if let Some(foreground) = &foreground {
                peer.attend(foreground);
            }
        }
    }

    fn close_watch(&self) {
        let watch = lock(&self.watch).take();
        if let Some(watch) = watch {
            watch.close();
        }
    }

    /// The thread ends: close everything it owns, and never call it again.
    fn teardown(&self) {
        self.close_watch();
        if let Some(wake) = self.mailbox.close() {
            wake.release();
        }
        let peers = std::mem::take(&mut lock(&self.peers).open);
        for registered in peers.values() {
            registered.peer.close();
            registered.sink.close();
        }
    }
}

#[allow(unsafe_code)]
unsafe extern "C" fn on_teardown(state: *mut c_void) {
    // SAFETY: from `Arc::into_raw` in `register`; a hook runs once, and not after it was removed.
    let state = unsafe { Arc::from_raw(state.cast::<State>().cast_const()) };
    // A panic must not unwind into Node. There is nobody left to tell.
    let _ = catch_unwind(AssertUnwindSafe(|| state.teardown()));
}

/// The meeting place of one JavaScript thread (and copy of the module) with its peers.
#[napi]
pub struct Hub {
    state: Arc<State>,
}

#[napi]
impl Hub {
    /// An empty one. It has no handle and no thread. `libuv`: the functions of libuv that the program has are those of the loop that
    /// this thread runs in.
    #[napi(constructor, catch_unwind)]
    pub fn new(libuv: bool) -> Self {
        Hub { state: Arc::new(State { polls: libuv, ..State::default() }) }
    }

    /// Sends the messages in the first `length` bytes of the outgoing slab. True: call `drain` soon.
    #[napi(catch_unwind)]
    pub fn flush(&self, slab: &[u8], length: u32) -> Result<bool> {
        let used =
            slab.get(..length as usize).ok_or_else(|| type_error("the slab is shorter than its length"))?;
        let slab = Bytes::copy_from_slice(used);
        Ok(Mailbox::defer(|| self.state.send(slab)))
    }

    /// Takes what has come in: writes records into `records` and their bytes into `slab`, and returns what is too big
    /// or not bytes. `records[0]` is their number, `records[1]` is 0 if nothing is left, and whoever was woken must go on
    /// until then.
    #[napi(catch_unwind, ts_return_type = "Array<string | ArrayBuffer | string[]> | null")]
    pub fn drain(
        &self,
        mut records: Uint32ArraySlice<'_>,
        mut slab: Uint8ArraySlice<'_>,
    ) -> Result<Option<Vec<Extra>>> {
        if overlap(&records, &slab) {
            return Err(type_error("the records and the slab share memory"));
        }
        // SAFETY: the views were just taken from live typed arrays, no JavaScript runs while they are written to, and
        // they do not overlap.
        #[allow(unsafe_code)]
        let (records, slab) = unsafe { (records.as_mut(), slab.as_mut()) };
        let room = (records.len() / STRIDE).checked_sub(1).filter(|room| *room > 0);
        let room = room.ok_or_else(|| type_error("there is no room for records"))?;
        let mut draining = lock(&self.state.draining);
        if draining.is_empty() {
            self.state.mailbox.take(&mut draining);
        }
        let mut extras = Vec::new();
        let mut costs: Vec<(u32, usize)> = Vec::new();
        let mut count = 0;
        draining.drain(room, slab, &mut extras, |record| {
            count += 1;
            write_record(&mut records[count * STRIDE..][..STRIDE], &record);
            match costs.last_mut() {
                Some((id, cost)) if *id == record.peer => *cost += record.cost(),
                _ => costs.push((record.peer, record.cost())),
            }
        });
        let more = !(draining.is_empty() && self.state.mailbox.rest());
        drop(draining);
        records[0] = count as u32;
        records[1] = u32::from(more);
        self.state.settle(&costs);
        Ok((!extras.is_empty()).then_some(extras))
    }

    /// Whether the open peers keep the process alive.
    #[napi(catch_unwind)]
    pub fn set_ref(&self, alive: bool) -> Result<()> {
        self.state.mailbox.set_ref(alive);
        Ok(())
    }
}

impl Hub {
    pub(crate) fn state(&self) -> &Arc<State> {
        &self.state
    }
}

fn overlap(records: &[u32], slab: &[u8]) -> bool {
    let (records, slab) = (records.as_ptr_range(), slab.as_ptr_range());
    records.start.cast::<u8>() < slab.end && slab.start < records.end.cast::<u8>()
}

fn write_record(words: &mut [u32], record: &Record) {
    words.copy_from_slice(&[record.peer, record.channel, record.kind as u32, record.len]);
}
