//! The state enumerations of the W3C API that the transports own, with their W3C names.

/// Declares a field-less enum together with its W3C spelling.
macro_rules! w3c_enum {
    ($(#[$meta:meta])* $name:ident { $($(#[$vmeta:meta])* $variant:ident => $text:literal,)+ }) => {
        $(#[$meta])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        pub enum $name { $($(#[$vmeta])* $variant,)+ }

        impl $name {
            /// The name that the W3C specification gives this value.
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)+ }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.as_str())
            }
        }
    };
}
pub(crate) use w3c_enum;

w3c_enum! {
    /// `RTCPeerConnectionState`: the ICE and DTLS states in one (W3C 4.4.3).
    ConnectionState {
        /// Nothing has been started.
        New => "new",
        /// ICE or DTLS are being set up.
        Connecting => "connecting",
        /// ICE and DTLS are up.
        Connected => "connected",
        /// ICE has lost the peer; it may come back by itself.
        Disconnected => "disconnected",
        /// ICE or DTLS have failed; only an ICE restart (or a new connection) can help.
        Failed => "failed",
        /// `close()` was called.
        Closed => "closed",
    }
}

w3c_enum! {
    /// `RTCIceTransportState`, which `RTCIceConnectionState` shares: there is one ICE transport per connection.
    IceState {
        /// No remote candidates yet.
        New => "new",
        /// Checks are under way and no pair is usable.
        Checking => "checking",
        /// A pair is usable; better ones may still be found.
        Connected => "connected",
        /// A pair is usable, both sides have ended their candidates and all checks are done.
        Completed => "completed",
        /// Consent checks of the pair in use have gone unanswered for a while (RFC 7675).
        Disconnected => "disconnected",
        /// No pair works, or consent has expired.
        Failed => "failed",
        /// `close()` was called.
        Closed => "closed",
    }
}

w3c_enum! {
    /// `RTCIceGatheringState`.
    GatheringState {
        /// Gathering has not begun.
        New => "new",
        /// Candidates are being gathered.
        Gathering => "gathering",
        /// All candidates are known.
        Complete => "complete",
    }
}

w3c_enum! {
    /// `RTCIceRole`.
    IceRole {
        /// Not determined yet.
        Unknown => "unknown",
        /// This side nominates.
        Controlling => "controlling",
        /// The other side nominates.
        Controlled => "controlled",
    }
}

w3c_enum! {
    /// `RTCDtlsTransportState`.
    DtlsState {
        /// The handshake has not begun.
        New => "new",
        /// The handshake is under way.
        Connecting => "connecting",
        /// The handshake is done and the remote fingerprint was verified.
        Connected => "connected",
        /// Closed by either side.
        Closed => "closed",
        /// A fatal alert, a handshake time-out or a wrong fingerprint.
        Failed => "failed",
    }
}

w3c_enum! {
    /// `RTCSctpTransportState`.
    SctpState {
        /// The association is being set up.
        Connecting => "connecting",
        /// The association is up.
        Connected => "connected",
        /// Closed or aborted.
        Closed => "closed",
    }
}

w3c_enum! {
    /// `RTCDataChannelState`.
    ChannelState {
        /// Not usable yet.
        Connecting => "connecting",
        /// Usable.
        Open => "open",
        /// Being closed: what was queued before is still sent.
        Closing => "closing",
        /// Closed.
        Closed => "closed",
    }
}
