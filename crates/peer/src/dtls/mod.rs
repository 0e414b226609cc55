//! DTLS (RFC 6347, RFC 9147) over the ICE transport, with the peer's certificate checked against the signaled
//! fingerprints before anything else happens.

mod alert;
mod config;
mod failure;
mod few;
mod keys;
mod last_word;
mod receive;
mod seal;
mod small;
mod sniff;
mod srtp;
mod transport;

pub(crate) use receive::ReceiveBuffer;
pub(crate) use transport::DtlsTransport;
