//! Ciphers of keys that protect a few records only.
//!
//! The engine keeps the keys of its handshake for good, for the case that something is repeated, and an idle connection says little with those
//! that follow. A cipher that is ready takes twenty times the memory of its key, and is made in less than a microsecond. So
//! it is made for each of the first records, and kept when there are more.

use dimpl::CryptoError;
use dimpl::crypto::{Aad, Buf, Cipher, Nonce, SupportedDtls13CipherSuite, TmpBuf};

/// Records of a key after which its cipher is kept. A handshake has fewer.
const FEW: u8 = 8;

#[derive(Debug)]
pub(super) struct Few {
    suite: &'static dyn SupportedDtls13CipherSuite,
    state: State,
}

enum State {
    /// The key, and the records that it was used for.
    Key(Box<[u8]>, u8),
    Ready(Box<dyn Cipher>),
}

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Never a key in a log.
        f.write_str(if matches!(self, State::Key(..)) { "Key" } else { "Ready" })
    }
}

impl Few {
    pub(super) fn new(suite: &'static dyn SupportedDtls13CipherSuite, key: &[u8]) -> Self {
        Few { suite, state: State::Key(key.into(), 0) }
    }

    fn with<R>(
        &mut self,
        f: impl FnOnce(&mut dyn Cipher) -> Result<R, CryptoError>,
    ) -> Result<R, CryptoError> {
        match &mut self.state {
            State::Ready(cipher) => f(&mut **cipher),
            State::Key(key, used) => {
                let mut cipher = self.suite.create_cipher(key)?;
                let result = f(&mut *cipher);
                *used += 1;
                if *used == FEW {
                    self.state = State::Ready(cipher);
                }
                result
            }
        }
    }
}

impl Cipher for Few {
    fn encrypt(&mut self, plaintext: &mut Buf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.with(|cipher| cipher.encrypt(plaintext, aad, nonce))
    }

    fn decrypt(&mut self, ciphertext: &mut TmpBuf, aad: Aad, nonce: Nonce) -> Result<(), CryptoError> {
        self.with(|cipher| cipher.decrypt(ciphertext, aad, nonce))
    }
}
