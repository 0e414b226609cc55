//! How the agent of a generation is set up.

use is::{IceAgent, IceCreds};

use super::describe::local_preference;
use super::pairs::MAX_REFLEXIVE;
use super::remotes::MAX_PAIRS;
use crate::config::IceConfig;
use crate::jsep::IceParameters;

/// Unanswered checks after which the agent drops a pair. With the default timing that is well after consent expiry.
const MAX_RETRANSMITS: usize = 20;

pub(super) fn make_agent(local: &IceParameters, config: &IceConfig, tie_breaker: u64) -> IceAgent {
    let mut agent = IceAgent::new(IceCreds { ufrag: local.ufrag.clone(), pass: local.pwd.clone() });
    agent.set_control_tie_breaker(tie_breaker);
    agent.set_timing_advance(config.check_interval);
    agent.set_initial_stun_rto(config.initial_rto);
    agent.set_max_stun_rto(config.max_rto);
    agent.set_max_stun_retransmits(MAX_RETRANSMITS);
    agent.set_local_preference(local_preference);
    agent.set_ice_lite(config.lite);
    // Never reached: what the agent drops without a word would be what has the lowest priority.
    agent.set_max_candidate_pairs(MAX_PAIRS + MAX_REFLEXIVE);
    agent
}
