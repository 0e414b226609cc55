//! The end of a connection in which something has panicked.

use super::{Connection, transmit};
use crate::error::{Error, ErrorKind};
use crate::event::Event;
use crate::rtc_error::{ErrorDetail, RtcError};
use crate::states::{DtlsState, IceState, SctpState};

impl Connection {
    /// Ends the connection because something in it has panicked: a mistake of ours or of a library. `reason` says what, for
    /// people.
    ///
    /// ICE, DTLS and SCTP may be halfway between two states, so none of them is asked anything any more, and the peer is not
    /// told. Events follow: the transports and the connection are `failed`, every channel is closed with an error. From then on
    /// calls fail with an [`ErrorKind::Internal`]; [`Self::close`] works as ever. Idempotent.
    pub fn abandon(&mut self, reason: &str) {
        if self.is_over() {
            return;
        }
        let message = format!("an internal error has ended the connection: {reason}");
        self.broken = Some(message.clone());
        self.ice.close();
        self.sctp = None;
        self.media = None;
        self.ending = None;
        self.unresolved.clear();
        self.tx = transmit::Outbox::default();
        self.events.retain(|event| !matches!(event, Event::Gather { .. } | Event::ResolveCandidate(_)));
        self.shown.ice = IceState::Failed;
        self.events.push_back(Event::IceTransportState(IceState::Failed));
        self.events.push_back(Event::IceConnectionState(IceState::Failed));
        let error = RtcError::new(ErrorDetail::DtlsFailure, message.clone());
        self.dtls.give_up(error.clone());
        self.shown.dtls = DtlsState::Failed;
        self.events.push_back(Event::DtlsState {
            state: DtlsState::Failed,
            remote_certificates: self.dtls.remote_certificate().into_iter().cloned().collect(),
            error: Some(error),
        });
        if self.transport.is_some() {
            self.sctp_state = SctpState::Closed;
            self.report_sctp();
        }
        self.update_connection();
        self.channels.close_all(Some(&RtcError::new(ErrorDetail::DataChannelFailure, message)));
    }

    /// Whether nothing happens any more.
    pub(super) fn is_over(&self) -> bool {
        self.closed || self.broken.is_some()
    }

    /// What a call on a connection that was [abandoned](Self::abandon) gets to hear.
    pub(super) fn intact(&self) -> Result<(), Error> {
        match &self.broken {
            Some(message) => Err(Error::new(ErrorKind::Internal, message.clone())),
            None => Ok(()),
        }
    }
}
