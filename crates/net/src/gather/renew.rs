//! Other allocations in place of one that the path in use leads through: its server may have been started anew, or know us by an address that
//! our NAT has given up, or not accept our credentials any more.

use std::sync::Arc;
use std::time::Instant;

use parking_lot::Mutex;
use tokio::time::sleep;

use super::{Job, Purpose};
use crate::core::Core;
use crate::renewal::ANSWER;
use crate::shared::Shared;
use crate::url::Scheme;

/// Asks whether an allocation that is in doubt is still there, and replaces one that is not.
pub(crate) fn renew_lost(shared: &Arc<Shared>, core: &mut Core, now: Instant) {
    if core.is_closing() {
        return;
    }
    if core.connection.doubts_its_relay() && core.renewal.asks(now) {
        core.doubt_relay();
    }
    let silent = core.has_silent_relay(now);
    if core.renewal.is_due(silent, now) {
        match core.connection.relay_in_use() {
            Some(_) => start(shared, core, now),
            // Another path is in use, or none at all: the next gathering allocates.
            None => core.renewal.forget(),
        }
    }
}

/// Asks the TURN servers. The peer learns of what they give by the checks that leave from there.
fn start(shared: &Arc<Shared>, core: &mut Core, now: Instant) {
    let Some(generation) = core.connection.ice_generations().into_iter().flatten().max() else { return };
    let mut servers = core.config.ice_servers.clone();
    for server in &mut servers {
        server.urls.retain(|url| matches!(url.scheme, Scheme::Turn | Scheme::Turns));
    }
    core.renewal.begin(now);
    let purpose = Purpose::Renew { hasty: core.renewal.is_hasty(), told: core.renewal.has_failed() };
    // Without sockets of ours nobody is asked what they look like from outside.
    let job = Job { shared: shared.clone(), generation, hosts: Vec::new(), seen: Mutex::default(), purpose };
    shared.executor.spawn(shared.clone().watch(Arc::new(job).run(servers)));
}

/// There is one. If the peer does not answer from there, signaling has to help.
pub(super) fn replaced(shared: &Arc<Shared>) {
    if !shared.run(|core, _| core.renewal.succeed()) {
        return;
    }
    let judged = shared.clone();
    let judge = async move {
        sleep(ANSWER).await;
        judged.run(|core, _| core.connection.relay_replaced());
    };
    shared.executor.spawn(shared.clone().watch(judge));
}
