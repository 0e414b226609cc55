//! The connection: everything put together.

mod broken;
mod data;
mod datagrams;
mod diagnosis;
mod gather;
mod media;
mod negotiate;
mod report;
mod snapshot;
mod state;
mod transceivers;
mod transmit;

use std::collections::{HashMap, VecDeque};
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use ossa_sctp::{Association, InitChunk};
use rand_chacha::ChaCha20Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::channels::Channels;
use crate::config::Config;
use crate::dtls::{DtlsTransport, ReceiveBuffer};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::ice::IceTransport;
use crate::jsep::{IceParameters, MediaConfig, Session, SessionConfig, TransportParameters};
use crate::random::Randomness;
use crate::rtc_error::RtcError;
use crate::sdp::Candidate;
use crate::states::SctpState;
pub use transmit::Transmit;

/// One connection. See the [crate documentation](crate) for how to drive it.
pub struct Connection {
    config: Config,
    randomness: Randomness,
    session: Session,
    ice: IceTransport,
    dtls: DtlsTransport,
    /// What was negotiated for the transports, once both descriptions are known.
    transport: Option<TransportParameters>,
    /// Of the association, which is made later; its INIT may stand in the descriptions already.
    sctp_seed: [u8; 32],
    sctp: Option<Box<Association>>,
    sctp_state: SctpState,
    /// The association is over, but what has arrived before is still to be taken: with which error it then ends.
    ending: Option<Option<RtcError>>,
    channels: Channels,
    /// Audio and video, if the connection was made with them.
    media: Option<Box<media::Media>>,
    events: VecDeque<Event>,
    /// Descriptions that have been set: candidates that are told of meanwhile show which ones they have seen.
    descriptions: u32,
    /// Remote candidates whose names are being looked up.
    unresolved: HashMap<u32, Candidate>,
    /// What stood in the way of the present ICE generation.
    faults: diagnosis::Faults,
    last_token: u32,
    shown: state::Shown,
    closed: bool,
    /// Something in it has panicked: what, for people.
    broken: Option<String>,
    rx: ReceiveBuffer,
    /// One SCTP packet before it is encrypted.
    scratch: Vec<u8>,
    /// Records that came before their association. Without a path they wait for one, otherwise it is empty between two calls.
    unclaimed: Vec<Bytes>,
    tx: transmit::Outbox,
    /// When buffers that are no longer needed are given back.
    housekeeping: Option<Instant>,
    counters: Counters,
}

/// Datagrams other than STUN.
#[derive(Debug, Default, Clone, Copy)]
struct Counters {
    packets_sent: u64,
    bytes_sent: u64,
    packets_received: u64,
    bytes_received: u64,
    discarded: u64,
}

impl Connection {
    /// A new connection. `seed` must be unpredictable outside of tests: ICE credentials, the session id and the seed
    /// of the SCTP association come from it. Left to the libraries are the keys and randoms of DTLS (system's
    /// random generator) and the transaction ids of STUN (which are no secret: messages are authenticated).
    ///
    /// # Errors
    /// `RangeError` for settings outside of their ranges.
    pub fn new(config: Config, seed: [u8; 32], now: Instant) -> Result<Self, Error> {
        check(&config)?;
        let mut rng = ChaCha20Rng::from_seed(seed);
        let mut sctp_seed = [0; 32];
        rng.fill_bytes(&mut sctp_seed);
        let session = Session::new(SessionConfig {
            fingerprints: config.certificate.fingerprints(),
            max_message_size: config.max_message_size,
            sctp_port: config.sctp_port,
            sctp_init: init_chunk(&config, sctp_seed),
            // Below 2^63, as RFC 9429 section 5.2.1 asks.
            session_id: rng.next_u64() >> 1,
            always_negotiate: config.always_negotiate_data_channels,
            media: media_config(&config, &mut rng),
        });
        let mut dtls = DtlsTransport::new(&config.dtls, config.certificate.clone())?;
        dtls.export_srtp_keys(config.media.is_some());
        let max_receive =
            usize::try_from(config.max_message_size).ok().filter(|m| *m != 0).unwrap_or(usize::MAX);
        Ok(Connection {
            ice: new_ice(&config, rng.next_u64()),
            dtls,
            channels: Channels::new(config.send_buffer_limit, max_receive),
            media: config.media.as_ref().map(|settings| {
                Box::new(media::Media::new(session.cname().to_owned(), settings.wall_clock, now))
            }),
            randomness: Randomness::after(&mut rng),
            session,
            config,
            transport: None,
            sctp_seed,
            sctp: None,
            sctp_state: SctpState::Connecting,
            ending: None,
            events: VecDeque::new(),
            descriptions: 0,
            unresolved: HashMap::new(),
            faults: diagnosis::Faults::default(),
            last_token: 0,
            shown: state::Shown::default(),
            closed: false,
            broken: None,
            rx: ReceiveBuffer::default(),
            scratch: Vec::new(),
            unclaimed: Vec::new(),
            tx: transmit::Outbox::default(),
            housekeeping: None,
            counters: Counters::default(),
        })
    }

    /// `close()`: every state becomes `closed` at once and without events; what happened before is not reported any
    /// more either. What tells the peer is taken with [`Self::poll_transmit`] afterwards. Idempotent.
    pub fn close(&mut self, now: Instant) {
        if self.closed {
            return;
        }
        self.farewell(now);
        self.closed = true;
        self.session.close();
        self.ice.close();
        self.dtls.close(&mut self.rx);
        self.collect_farewell();
        self.sctp = None;
        self.media = None;
        self.ending = None;
        self.sctp_state = SctpState::Closed;
        self.channels.close_silently();
        self.events.clear();
        self.unresolved.clear();
        self.rx = ReceiveBuffer::default();
        self.scratch = Vec::new();
    }

    /// Random ICE credentials (RFC 8445 section 5.3 asks for 24 and 128 bits).
    fn fresh_ice(&mut self) -> IceParameters {
        IceParameters { ufrag: self.ice_chars(8), pwd: self.ice_chars(32), ice_lite: self.config.ice.lite }
    }

    fn ice_chars(&mut self, len: usize) -> String {
        const CHARS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let mut bytes = vec![0u8; len];
        self.randomness.fill_bytes(&mut bytes);
        bytes.iter().map(|b| char::from(CHARS[usize::from(b % 64)])).collect()
    }

    /// Mid of the section that carries the transport.
    fn mid(&self) -> String {
        self.session.transport_mid().unwrap_or_default().to_owned()
    }
}

/// What the negotiation needs to know of audio and video.
fn media_config(config: &Config, rng: &mut ChaCha20Rng) -> Option<MediaConfig> {
    let capabilities = config.media.as_ref()?.capabilities.clone();
    // RFC 7022, section 4.2: 96 bits that nothing else is made from.
    let mut name = [0; 12];
    rng.fill_bytes(&mut name);
    Some(MediaConfig { capabilities, cname: STANDARD.encode(name), seed: rng.next_u64() })
}

/// What stands in our descriptions about the association that this seed makes.
fn init_chunk(config: &Config, seed: [u8; 32]) -> Option<InitChunk> {
    config.init_in_descriptions.then(|| Association::new(config.sctp.clone(), seed).init_chunk())
}

fn new_ice(config: &Config, tie_breaker: u64) -> IceTransport {
    IceTransport::new(config.ice.clone(), config.ice_transport_policy, tie_breaker, config.dtls.in_checks)
}

fn check(config: &Config) -> Result<(), Error> {
    let range = |message: String| Err(Error::new(ErrorKind::Range, message));
    if config.sctp_port == 0 {
        return range("sctp_port is 1 to 65535, not 0".to_owned());
    }
    if config.ice.check_interval.is_zero() || config.ice.initial_rto.is_zero() {
        return range("the ICE check interval and retransmission time-out must not be 0".to_owned());
    }
    if config.ice.max_rto < config.ice.initial_rto {
        return range(format!(
            "the longest ICE retransmission time-out ({} ms) is below the first ({} ms)",
            config.ice.max_rto.as_millis(),
            config.ice.initial_rto.as_millis()
        ));
    }
    Ok(())
}
