//! One peer connection: what is negotiated.

use std::sync::{Arc, Mutex, OnceLock};

use ossa_interop_driver::{CandidateInit, Events, Failure, Init, Slot};
use str0m::Candidate;
use str0m::change::{SdpAnswer, SdpApi, SdpOffer, SdpPendingOffer};
use str0m::channel::{ChannelConfig, ChannelId};

use crate::channel::{self, Channel};
use crate::drive::drive;
use crate::engine::{Core, Engine};

/// A channel that is to be negotiated.
struct Wanted {
    slot: Arc<Slot<Channel>>,
    id: Arc<OnceLock<ChannelId>>,
    config: ChannelConfig,
}

#[derive(Default)]
struct Negotiation {
    /// Channels go into the first offer, or are made after it was answered.
    wanted: Vec<Wanted>,
    pending: Option<SdpPendingOffer>,
    agreed: bool,
}

pub(crate) struct Peer {
    engine: Arc<Engine>,
    events: Events<Channel>,
    negotiation: Mutex<Negotiation>,
}

impl Peer {
    pub(crate) fn open(events: Events<Channel>) -> Result<Self, Failure> {
        let engine = Arc::new(Engine::open()?);
        tokio::spawn(drive(engine.clone(), events.clone()));
        Ok(Self { engine, events, negotiation: Mutex::default() })
    }

    fn negotiate<T>(&self, step: impl FnOnce(&mut Negotiation) -> Result<T, Failure>) -> Result<T, Failure> {
        step(&mut self.negotiation.lock().expect("no code panics while it holds the negotiation"))
    }

    /// Makes the channels that are wanted, if there is an association for them.
    fn make(&self, negotiation: &mut Negotiation) -> Result<(), Failure> {
        if !negotiation.agreed || negotiation.wanted.is_empty() {
            return Ok(());
        }
        self.engine.change(|core| {
            let mut changes = core.rtc.sdp_api();
            let made = add(&mut changes, &mut negotiation.wanted);
            changes.apply().map_or(Ok(()), |_| Err("str0m wants to negotiate for one more channel"))?;
            core.channels.extend(made);
            Ok(())
        })
    }
}

/// Adds the channels that are wanted to an offer.
fn add(changes: &mut SdpApi<'_>, wanted: &mut Vec<Wanted>) -> Vec<(ChannelId, Arc<Slot<Channel>>)> {
    let add = |Wanted { slot, id, config }| {
        let made = changes.add_channel_with_config(config);
        (*id.get_or_init(|| made), slot)
    };
    wanted.drain(..).map(add).collect()
}

impl ossa_interop_driver::Peer for Peer {
    type Channel = Channel;

    async fn create_offer(&self, ice_restart: bool) -> Result<String, Failure> {
        self.negotiate(|negotiation| {
            let offer = self.engine.change(|core: &mut Core| {
                let mut changes = core.rtc.sdp_api();
                if ice_restart {
                    changes.ice_restart(true);
                }
                let made = add(&mut changes, &mut negotiation.wanted);
                let (offer, pending) =
                    changes.apply().ok_or("there is nothing that str0m makes an offer for")?;
                core.channels.extend(made);
                negotiation.pending = Some(pending);
                Ok(offer)
            })?;
            self.events.gathered(); // the candidates are in the description
            Ok(offer.to_sdp_string())
        })
    }

    async fn accept_offer(&self, sdp: String) -> Result<String, Failure> {
        self.negotiate(|negotiation| {
            let offer = SdpOffer::from_sdp_string(&sdp)?;
            let answer = self.engine.change(|core| Ok(core.rtc.sdp_api().accept_offer(offer)?))?;
            negotiation.agreed = true;
            self.make(negotiation)?;
            self.events.gathered();
            Ok(answer.to_sdp_string())
        })
    }

    async fn accept_answer(&self, sdp: String) -> Result<(), Failure> {
        self.negotiate(|negotiation| {
            let answer = SdpAnswer::from_sdp_string(&sdp)?;
            let pending = negotiation.pending.take().ok_or("no offer waits for an answer")?;
            self.engine.change(|core| Ok(core.rtc.sdp_api().accept_answer(pending, answer)?))?;
            negotiation.agreed = true;
            self.make(negotiation)
        })
    }

    async fn add_candidate(&self, init: CandidateInit) -> Result<(), Failure> {
        let candidate = Candidate::from_sdp_string(&init.candidate)?;
        self.engine.change(|core| {
            core.rtc.add_remote_candidate(candidate);
            Ok(())
        })
    }

    async fn create_channel(&self, label: &str, init: Init) -> Result<(), Failure> {
        let config = channel::config(label, init);
        let id = Arc::new(OnceLock::new());
        let slot = self.events.attach(label, Channel::own(&self.engine, &id), false);
        self.negotiate(|negotiation| {
            negotiation.wanted.push(Wanted { slot, id, config });
            self.make(negotiation)
        })
    }

    async fn close(&self) -> Result<(), Failure> {
        self.engine.change(|core| Ok(core.rtc.close()?))?;
        self.engine.change(|core| {
            core.rtc.disconnect(); // the farewell is sent; a connection that never came about has nobody to say it to
            Ok(())
        })
    }
}
