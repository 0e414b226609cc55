//! A peer connection: one call of the core per method.

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use napi::Env;
use napi::bindgen_prelude::{Function, ObjectFinalize};
use napi_derive::napi;
use ossa_net::{OutMessage, Runtime};
use ossa_peer::stats::StatsReport;
use ossa_peer::{
    CandidateInit, ChannelId, DataChannelInit, ErrorKind, MessageKind, Priority, SdpType, Snapshot,
};
use ossa_tracks::Tracks;

use super::certificate::Certificate;
use super::diagnosis;
use super::event;
use super::hub::{Hub, State};
use super::mailbox::Mailbox;
use super::media_stats::MediaReport;
use super::options::{IceServerOptions, PeerOptions, ice_servers, transport_policy};
use super::sink::PeerSink;
use super::stats;
use crate::base::error::{Result, failure, from_net, from_peer, type_error};
use crate::base::system::unix_milliseconds;
use crate::base::values::{choice, handle, integer, short};

/// Lifetime of a certificate that nobody has asked for: W3C recommends 30 days.
const CERTIFICATE_LIFETIME: Duration = Duration::from_secs(30 * 24 * 60 * 60);

/// The longest text for a description or candidate, in bytes: real ones have a few thousand.
const MAX_TEXT: usize = 1 << 20;

/// Argument of `addIceCandidate`.
#[napi(object)]
pub struct CandidateOptions {
    /// The candidate-attribute; empty for the end of candidates.
    pub candidate: String,
    /// Mid of its section.
    pub sdp_mid: Option<String>,
    /// Index of its section.
    #[napi(js_name = "sdpMLineIndex")]
    pub sdp_m_line_index: Option<f64>,
    /// ICE generation it belongs to.
    pub username_fragment: Option<String>,
}

/// Argument of `createDataChannel`.
#[napi(object)]
pub struct ChannelOptions {
    /// At most 65,535 bytes.
    pub label: String,
    /// At most 65,535 bytes.
    pub protocol: Option<String>,
    /// Default true.
    pub ordered: Option<bool>,
    /// Milliseconds.
    pub max_packet_life_time: Option<f64>,
    /// A count.
    pub max_retransmits: Option<f64>,
    /// The agreed stream id, 0 to 65,534.
    pub negotiated: Option<f64>,
    /// Default `low`.
    #[napi(ts_type = "'very-low' | 'low' | 'medium' | 'high'")]
    pub priority: Option<String>,
}

/// What the garbage collector is told that an open peer costs, in bytes: buffers of SCTP and DTLS, sockets, candidates.
const MEMORY: i64 = 128 * 1024;

/// A peer connection. It is closed when it is garbage.
#[napi(custom_finalize)]
pub struct Peer {
    state: Arc<State>,
    id: u32,
    sink: Arc<PeerSink>,
    phase: RefCell<Phase>,
}

/// Nothing of the core is kept after `close()`: it may take the garbage collector long to come by.
enum Phase {
    Open(ossa_net::Peer),
    Closed { snapshot: String, stats: String },
}

#[napi]
impl Peer {
    /// Makes a peer whose events `hub` delivers. When there are some to drain, `schedule` is called, which is to do so soon; or, from the
    /// event loop and with nothing else of JavaScript running, `deliver`, which is to do so at once.
    #[napi(constructor, catch_unwind)]
    pub fn new(
        env: Env,
        hub: &Hub,
        schedule: Function<'_, (), ()>,
        deliver: Function<'_, (), ()>,
        options: PeerOptions,
        certificate: Option<&Certificate>,
    ) -> Result<Self> {
        let certificate = match certificate {
            Some(certificate) => certificate.inner().clone(),
            None => Certificate::lasting(CERTIFICATE_LIFETIME)?.inner().clone(),
        };
        let config = options.into_config(certificate)?;
        let state = hub.state().clone();
        let id = state.next_id();
        let sink = Arc::new(PeerSink::new(state.mailbox.clone(), id));
        let runtime = Runtime::shared().map_err(from_net)?;
        let peer = ossa_net::Peer::new(&runtime, config, sink.clone()).map_err(from_net)?;
        state.register(env, (&schedule, &deliver), id, peer.clone(), sink.clone())?;
        env.adjust_external_memory(MEMORY)?;
        Ok(Peer { state, id, sink, phase: RefCell::new(Phase::Open(peer)) })
    }

    /// Its number in records.
    #[napi(catch_unwind)]
    pub fn id(&self) -> Result<u32> {
        Ok(self.id)
    }

    /// `createOffer()`.
    #[napi(catch_unwind)]
    pub fn create_offer(&self, ice_restart: bool) -> Result<String> {
        self.open()?
            .with(|connection, now| connection.create_offer(now, ice_restart))
            .flatten()
            .map_err(from_peer)
    }

    /// `createAnswer()`.
    #[napi(catch_unwind)]
    pub fn create_answer(&self) -> Result<String> {
        self.open()?.with(|connection, now| connection.create_answer(now)).flatten().map_err(from_peer)
    }

    /// `setLocalDescription()`. Returns a snapshot.
    #[napi(catch_unwind)]
    pub fn set_local_description(&self, kind: String, sdp: String) -> Result<String> {
        let kind = description_kind(&kind, &sdp)?;
        self.open()?
            .with(|connection, now| {
                connection.set_local_description(now, kind, &sdp).map(|()| connection.snapshot())
            })
            .flatten()
            .map(|snapshot| event::snapshot(&snapshot))
            .map_err(from_peer)
    }

    /// `setRemoteDescription()`. Returns a snapshot.
    #[napi(catch_unwind)]
    pub fn set_remote_description(&self, kind: String, sdp: String) -> Result<String> {
        let kind = description_kind(&kind, &sdp)?;
        self.open()?
            .with(|connection, now| {
                connection.set_remote_description(now, kind, &sdp).map(|()| connection.snapshot())
            })
            .flatten()
            .map(|snapshot| event::snapshot(&snapshot))
            .map_err(from_peer)
    }

    /// `addIceCandidate()`. Returns a snapshot.
    #[napi(catch_unwind)]
    pub fn add_ice_candidate(&self, options: CandidateOptions) -> Result<String> {
        if options.candidate.len() > MAX_TEXT {
            return Err(type_error(format!("a candidate of {} bytes is too long", options.candidate.len())));
        }
        let index = |value| short("sdpMLineIndex", value, 0, u16::MAX);
        let init = CandidateInit {
            candidate: options.candidate,
            sdp_mid: options.sdp_mid,
            sdp_m_line_index: options.sdp_m_line_index.map(index).transpose()?,
            username_fragment: options.username_fragment,
        };
        self.open()?
            .with(|connection, now| connection.add_ice_candidate(now, &init).map(|()| connection.snapshot()))
            .flatten()
            .map(|snapshot| event::snapshot(&snapshot))
            .map_err(from_peer)
    }

    /// `restartIce()`.
    #[napi(catch_unwind)]
    pub fn restart_ice(&self) -> Result<()> {
        self.open()?.with(|connection, _| connection.restart_ice()).map_err(from_peer)
    }

    /// Whether `negotiationneeded` is due.
    #[napi(catch_unwind)]
    pub fn negotiation_needed(&self) -> Result<bool> {
        self.open()?.with(|connection, _| connection.negotiation_needed()).map_err(from_peer)
    }

    /// The observable state.
    #[napi(catch_unwind)]
    pub fn snapshot(&self) -> Result<String> {
        match &*self.phase.borrow() {
            Phase::Open(peer) => snapshot_of(peer),
            Phase::Closed { snapshot, .. } => Ok(snapshot.clone()),
        }
    }

    /// Statistics.
    #[napi(catch_unwind)]
    pub fn stats(&self) -> Result<String> {
        match &*self.phase.borrow() {
            Phase::Open(peer) => stats_of(peer, &self.sink),
            Phase::Closed { stats, .. } => Ok(stats.clone()),
        }
    }

    /// What is known about why the connection does not come about; `null` once it is closed.
    #[napi(catch_unwind)]
    pub fn diagnosis(&self) -> Result<String> {
        let Phase::Open(peer) = &*self.phase.borrow() else { return Ok("null".to_owned()) };
        let diagnosis = peer.with(|connection, _| connection.diagnosis()).map_err(from_peer)?;
        Ok(diagnosis::encode(&diagnosis))
    }

    /// Uses other servers and candidates from the next gathering on.
    #[napi(catch_unwind)]
    pub fn set_configuration(
        &self,
        servers: Vec<IceServerOptions>,
        #[napi(ts_arg_type = "'all' | 'relay'")] policy: String,
    ) -> Result<()> {
        let servers = ice_servers(servers)?;
        let policy = transport_policy(&policy)?;
        self.open()?
            .with(|connection, _| connection.set_ice_transport_policy(policy))
            .flatten()
            .map_err(from_peer)?;
        self.open()?.set_ice_servers(servers).map_err(from_peer)
    }

    /// `createDataChannel()`. Returns our handle.
    #[napi(catch_unwind)]
    pub fn create_data_channel(&self, options: ChannelOptions) -> Result<u32> {
        let init = channel_init(options)?;
        let sink = &self.sink;
        self.open()?
            .with(|connection, now| {
                let channel = connection.create_data_channel(now, init)?;
                // Before its first event comes.
                sink.channel_created(channel);
                Ok(channel.0)
            })
            .flatten()
            .map_err(from_peer)
    }

    /// SCTP stream id of a channel, once it has one.
    #[napi(catch_unwind)]
    pub fn channel_id(&self, channel: f64) -> Result<Option<u16>> {
        let channel = ChannelId(handle("channel", channel)?);
        let info = self.open()?.with(|connection, _| connection.channel(channel)).map_err(from_peer)?;
        Ok(info.and_then(|info| info.stream_id))
    }

    /// Closes a channel after what was sent before.
    #[napi(catch_unwind)]
    pub fn close_data_channel(&self, channel: f64) -> Result<()> {
        let channel = ChannelId(handle("channel", channel)?);
        self.open()?.with(|connection, now| connection.close_channel(now, channel)).map_err(from_peer)
    }

    /// Sends one big binary message. True: call `drain` soon.
    #[napi(catch_unwind)]
    pub fn send_binary(&self, channel: f64, data: &[u8]) -> Result<bool> {
        let channel = ChannelId(handle("channel", channel)?);
        let data = bytes::Bytes::copy_from_slice(data);
        self.send(OutMessage { channel, kind: MessageKind::Binary, data })
    }

    /// Sends one big text message, in UTF-8. True: call `drain` soon.
    #[napi(catch_unwind)]
    pub fn send_text(&self, channel: f64, utf8: &[u8]) -> Result<bool> {
        let channel = ChannelId(handle("channel", channel)?);
        let data = bytes::Bytes::copy_from_slice(utf8);
        self.send(OutMessage { channel, kind: MessageKind::Text, data })
    }

    /// Sends one big text message made of pieces of UTF-8, each up to one of `ends`: JSON and the content of a string
    /// literal by turns. Returns its size in bytes. Call `drain` soon.
    #[napi(catch_unwind)]
    pub fn send_pieces(&self, channel: f64, utf8: &[u8], ends: Vec<u32>) -> Result<f64> {
        let channel = ChannelId(handle("channel", channel)?);
        let text = ossa_agent::join(utf8, &ends).ok_or_else(|| type_error("the pieces have no such ends"))?;
        let size = text.len() as f64;
        self.send(OutMessage { channel, kind: MessageKind::Text, data: text.into() })?;
        Ok(size)
    }

    /// From now on large messages of this channel come without their long strings.
    #[napi(catch_unwind)]
    pub fn lift_strings(&self, channel: f64) -> Result<()> {
        self.sink.lift_strings(ChannelId(handle("channel", channel)?));
        Ok(())
    }

    /// `bufferedAmountLowThreshold`.
    #[napi(catch_unwind)]
    pub fn set_low_threshold(&self, channel: f64, bytes: f64) -> Result<()> {
        let channel = ChannelId(handle("channel", channel)?);
        // Beyond 2^53 a threshold is never crossed in practice, and numbers are no longer exact.
        let bytes = integer("threshold", bytes, 0, 1 << 53)?;
        self.sink.set_low_threshold(channel, bytes);
        Ok(())
    }

    /// Closes the connection. Idempotent.
    #[napi(catch_unwind)]
    pub fn close(&self, env: Env) -> Result<()> {
        let Ok(peer) = self.open() else { return Ok(()) };
        // After an internal error there may be nothing left to say; it is closed all the same.
        let stats = stats_of(&peer, &self.sink)
            .unwrap_or_else(|_| stats::encode(&StatsReport::default(), Vec::new(), unix_milliseconds()));
        peer.close();
        self.sink.close();
        let snapshot = snapshot_of(&peer).unwrap_or_else(|_| event::snapshot(&Snapshot::closed()));
        self.phase.replace(Phase::Closed { snapshot, stats });
        self.state.unregister(self.id);
        env.adjust_external_memory(-MEMORY)?;
        Ok(())
    }
}

impl Peer {
    /// Its tracks.
    pub(crate) fn tracks(&self) -> Result<&Tracks> {
        Ok(self.sink.tracks(&self.open()?))
    }

    /// Where its events go.
    pub(super) fn sink(&self) -> &PeerSink {
        &self.sink
    }

    /// The core's peer, unless it is closed.
    pub(super) fn open(&self) -> Result<ossa_net::Peer> {
        match &*self.phase.borrow() {
            Phase::Open(peer) => Ok(peer.clone()),
            Phase::Closed { .. } => Err(failure(ErrorKind::InvalidState.name(), "the connection is closed")),
        }
    }

    fn send(&self, message: OutMessage) -> Result<bool> {
        let peer = self.open()?;
        Ok(Mailbox::defer(|| {
            if self.sink.message_queued(message.channel, message.data.len()) {
                peer.send_batch([message]);
            }
        }))
    }
}

impl ObjectFinalize for Peer {
    /// Nobody has closed it.
    fn finalize(self, env: Env) -> Result<()> {
        if let Phase::Open(peer) = self.phase.into_inner() {
            // A panic must not unwind into the garbage collector. There is nobody to tell.
            let _ = catch_unwind(AssertUnwindSafe(|| {
                peer.close();
                self.sink.close();
            }));
            self.state.unregister(self.id);
            env.adjust_external_memory(-MEMORY)?;
        }
        Ok(())
    }
}

fn snapshot_of(peer: &ossa_net::Peer) -> Result<String> {
    let snapshot = peer.with(|connection, _| connection.snapshot()).map_err(from_peer)?;
    Ok(event::snapshot(&snapshot))
}

fn stats_of(peer: &ossa_net::Peer, sink: &PeerSink) -> Result<String> {
    let timestamp = unix_milliseconds();
    let (report, media) = peer
        .with(|connection, now| (connection.stats(now), MediaReport::take(connection, (now, timestamp))))
        .map_err(from_peer)?;
    let media = media.map(|media| media.entries(sink.known_tracks())).unwrap_or_default();
    Ok(stats::encode(&report, media, timestamp))
}

fn description_kind(kind: &str, sdp: &str) -> Result<SdpType> {
    if sdp.len() > MAX_TEXT {
        return Err(type_error(format!(
            "a description of {} bytes is too long: at most {MAX_TEXT} are read",
            sdp.len()
        )));
    }
    let kinds = [SdpType::Offer, SdpType::Answer, SdpType::Pranswer, SdpType::Rollback];
    choice("type", kind, &kinds.map(|kind| (kind.as_str(), kind)))
}

fn channel_init(options: ChannelOptions) -> Result<DataChannelInit> {
    let limit = |name, value: Option<f64>| value.map(|value| short(name, value, 0, u16::MAX)).transpose();
    let priorities = [Priority::VeryLow, Priority::Low, Priority::Medium, Priority::High];
    let priority = match options.priority {
        Some(name) => choice("priority", &name, &priorities.map(|priority| (priority.as_str(), priority)))?,
        None => Priority::default(),
    };
    Ok(DataChannelInit {
        label: options.label,
        protocol: options.protocol.unwrap_or_default(),
        ordered: options.ordered.unwrap_or(true),
        max_packet_life_time: limit("maxPacketLifeTime", options.max_packet_life_time)?,
        max_retransmits: limit("maxRetransmits", options.max_retransmits)?,
        negotiated: limit("negotiated", options.negotiated)?,
        priority,
    })
}
