//! The W3C classes' half of the binding: the peers of a JavaScript thread, what goes to them and what comes from them. Nothing
//! in here knows an agent or a signaling server.
//!
//! Nothing is called once per packet in either direction: JavaScript hands over the messages of a turn with one call of
//! `Hub.flush`, is woken once per batch, and then takes what has come in with `Hub.drain`.
//!
//! ```text
//! JS send() -> slab -> Hub.flush -> outbox::Records -> ossa_net::Peer::send_batch
//! ossa_net -> sink::PeerSink -> inbox::Inbox -> mailbox::Mailbox::signal -> wake::Wake -> JS -> Hub.drain
//! ```
//!
//! `peer`, with what `transceivers` adds for audio and video, and `hub` are what JavaScript calls. Below them `sink` takes what the core tells and `outbox` reads what JavaScript sends;
//! `mailbox` joins the queue (`inbox`, whose values `extra` makes) and the wake-up call (`wake`), which `loop_watch` saves in quiet exchanges; `event`, `media_event`, `stats` and `media_stats` write JSON,
//! `options` and `certificate` read what a peer is made with.

mod certificate;
mod diagnosis;
mod event;
mod extra;
mod hub;
mod inbox;
mod loop_watch;
mod mailbox;
mod media_event;
mod media_stats;
mod meter;
mod options;
mod outbox;
pub(crate) mod peer;
mod sink;
mod stats;
mod transceivers;
mod wake;
