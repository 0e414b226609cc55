//! The observable state.

use super::Connection;
use crate::snapshot::{DtlsSnapshot, IceSnapshot, SctpSnapshot, Snapshot};
use crate::states::{DtlsState, GatheringState, IceState};

impl Connection {
    /// The observable state.
    pub fn snapshot(&self) -> Snapshot {
        let ice_state = if self.closed { IceState::Closed } else { self.shown.ice };
        let gathering = if self.is_over() { self.shown.gathering.1 } else { self.ice.gathering_state() };
        let transports = self.transport.as_ref();
        Snapshot {
            signaling_state: self.session.signaling_state(),
            connection_state: self.connection_state(),
            ice_connection_state: ice_state,
            ice_gathering_state: gathering,
            ice_generation: self.ice.newest_number(),
            descriptions: self.descriptions,
            current_local_description: self.session.current_local_description(),
            pending_local_description: self.session.pending_local_description(),
            current_remote_description: self.session.current_remote_description(),
            pending_remote_description: self.session.pending_remote_description(),
            can_trickle_ice_candidates: self.session.can_trickle_ice_candidates(),
            negotiation_needed: self.negotiation_needed(),
            transceivers: self.session.transceivers(),
            sctp: transports.and_then(|transport| transport.data.as_ref()).map(|_| SctpSnapshot {
                state: self.sctp_state,
                max_message_size: self.max_message_size(),
                max_channels: self.max_channels(),
            }),
            dtls: transports.map(|_| self.dtls_snapshot()),
            ice: transports.map(|_| self.ice_snapshot(ice_state, gathering)),
        }
    }

    fn dtls_snapshot(&self) -> DtlsSnapshot {
        DtlsSnapshot {
            state: if self.closed { DtlsState::Closed } else { self.shown.dtls },
            role: self.dtls.role(),
            remote_certificates: self.dtls.remote_certificate().into_iter().cloned().collect(),
        }
    }

    fn ice_snapshot(&self, state: IceState, gathering_state: GatheringState) -> IceSnapshot {
        IceSnapshot { state, gathering_state, role: self.ice.role(), selected_pair: self.shown.pair.clone() }
    }
}
