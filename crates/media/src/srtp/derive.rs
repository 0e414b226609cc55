//! Session keys from master keys (RFC 3711 4.3, RFC 6188, RFC 7714 11), with a key derivation rate of zero.

use aws_lc_rs::cipher::{AES_128, AES_256, Algorithm, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::iv::FixedLength;

/// What a key is for (RFC 3711 4.3.1, 4.3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Label {
    RtpEncryption = 0,
    RtpAuthentication = 1,
    RtpSalt = 2,
    RtcpEncryption = 3,
    RtcpAuthentication = 4,
    RtcpSalt = 5,
}

/// A key that encrypts with AES in counter mode; `None` if it is neither 16 nor 32 bytes long.
pub(super) fn counter_mode(key: &[u8]) -> Option<EncryptingKey> {
    let algorithm: &'static Algorithm = match key.len() {
        16 => &AES_128,
        32 => &AES_256,
        _ => return None,
    };
    EncryptingKey::ctr(UnboundCipherKey::new(algorithm, key).ok()?).ok()
}

/// Encrypts, or decrypts, with the counter that begins at `iv`.
pub(super) fn apply(key: &EncryptingKey, iv: [u8; 16], data: &mut [u8]) {
    key.less_safe_encrypt(data, EncryptionContext::Iv128(FixedLength::from(iv)))
        .expect("counter mode takes any length and this context");
}

/// `N` bytes for `label`: the key stream of AES in counter mode from the salt and the label.
///
/// Salts of 12 bytes stand where those of 14 begin (RFC 7714 11). `None` if key or salt have lengths that no profile has.
pub(super) fn derive(key: &[u8], salt: &[u8], label: Label, len: usize) -> Option<Vec<u8>> {
    let cipher = counter_mode(key)?;
    let mut iv = [0; 16];
    iv[..14].get_mut(..salt.len())?.copy_from_slice(salt);
    iv[7] ^= label as u8;
    let mut out = vec![0; len];
    apply(&cipher, iv, &mut out);
    Some(out)
}
