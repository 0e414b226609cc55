//! Settings of the DTLS library.

use std::sync::{Arc, OnceLock};

use dimpl::Config;

use super::last_word;
use crate::config::{DtlsConfig, DtlsVersions};
use crate::error::{Error, ErrorKind};

/// Flights are repeated until the handshake time-out ends it: 250 ms doubled this often is over a minute.
const FLIGHT_RETRIES: usize = 8;

/// What fits into a STUN message of 1,200 bytes beside its other attributes: some 150 with ordinary user names.
const EMBEDDED_MTU: usize = 1050;

/// Builds the library's settings; those of the default are shared by all connections.
pub(super) fn build(config: &DtlsConfig) -> Result<Arc<Config>, Error> {
    static DEFAULT: OnceLock<Arc<Config>> = OnceLock::new();
    let is_default = *config == DtlsConfig::default();
    if let Some(shared) = DEFAULT.get().filter(|_| is_default) {
        return Ok(Arc::clone(shared));
    }
    let mut builder = Config::builder()
        .with_crypto_provider(last_word::provider())
        .mtu(if config.in_checks { config.mtu.min(EMBEDDED_MTU) } else { config.mtu })
        .flight_start_rto(config.initial_rto)
        .flight_retries(FLIGHT_RETRIES)
        .handshake_timeout(config.handshake_timeout)
        .aead_encryption_limit(config.key_update_records)
        // The cookie proves that the peer receives at its address. ICE has done so already; this saves a round trip.
        .use_server_cookie(false)
        .require_client_certificate(true);
    builder = match config.versions {
        DtlsVersions::Auto => builder,
        DtlsVersions::V1_2 => builder.dtls13_cipher_suites(&[]),
        DtlsVersions::V1_3 => builder.dtls12_cipher_suites(&[]),
    };
    let built = builder.build().map_err(|e| {
        let text = format!(
            "the DTLS settings (mtu {}, initial time-out {} ms, handshake time-out {} ms, key update after {} records) cannot be used: {e}",
            config.mtu,
            config.initial_rto.as_millis(),
            config.handshake_timeout.as_millis(),
            config.key_update_records
        );
        Error::new(ErrorKind::Range, text)
    })?;
    let built = Arc::new(built);
    if is_default {
        return Ok(Arc::clone(DEFAULT.get_or_init(|| built)));
    }
    Ok(built)
}
