//! Keys for SRTP, which the handshake exports (RFC 5764).

use ossa_media::{SrtpKeys, SrtpProfile};

use crate::jsep::DtlsRole;

/// Cuts what was exported into the keys of both directions.
pub(super) fn keys(profile: dimpl::SrtpProfile, exported: &[u8], role: Option<DtlsRole>) -> Option<SrtpKeys> {
    let profile = match profile {
        dimpl::SrtpProfile::AES128_CM_SHA1_80 => SrtpProfile::Aes128CmSha1_80,
        dimpl::SrtpProfile::AEAD_AES_128_GCM => SrtpProfile::AeadAes128Gcm,
        dimpl::SrtpProfile::AEAD_AES_256_GCM => SrtpProfile::AeadAes256Gcm,
        // One that a later version of the library has: it says so in vain.
        _ => return None,
    };
    SrtpKeys::from_exporter(profile, exported, role? == DtlsRole::Client)
}
