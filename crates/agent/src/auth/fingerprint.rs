//! Fingerprints of DTLS certificates: in SDP (RFC 8122), and in the `mky` claim of a token (RFC 8225, 5.2.2).

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use serde::{Deserialize, Serialize};

use super::Refusal;

/// More fingerprints than any description has: one per hash function and media section is usual.
const MAX_FINGERPRINTS: usize = 64;

/// Hash functions that are strong enough; SHA-1 and MD5 are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum HashAlgorithm {
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl HashAlgorithm {
    /// The name in SDP (RFC 8122, 5).
    pub fn name(self) -> &'static str {
        match self {
            Self::Sha256 => "sha-256",
            Self::Sha384 => "sha-384",
            Self::Sha512 => "sha-512",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Sha256, Self::Sha384, Self::Sha512]
            .into_iter()
            .find(|hash| hash.name().eq_ignore_ascii_case(name))
    }

    fn bytes(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// The fingerprint of one certificate.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Fingerprint {
    /// The hash function.
    pub algorithm: HashAlgorithm,
    /// Upper-case hexadecimal digits without colons.
    pub digits: String,
}

/// An element of the claim `mky`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct MediaKey {
    alg: String,
    dig: String,
}

impl Fingerprint {
    fn parse(algorithm: &str, value: &str) -> Result<Self, Refusal> {
        let algorithm = HashAlgorithm::from_name(algorithm).ok_or(Refusal::FingerprintWeak)?;
        let digits: String = value.chars().filter(|c| *c != ':').map(|c| c.to_ascii_uppercase()).collect();
        if digits.len() != algorithm.bytes() * 2 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return Err(Refusal::FingerprintWeak);
        }
        Ok(Self { algorithm, digits })
    }

    /// Every fingerprint in `sdp`, at session and at media level.
    pub(super) fn all_in(sdp: &str) -> Result<BTreeSet<Self>, Refusal> {
        const ATTRIBUTE: &str = "a=fingerprint:";
        let mut found = BTreeSet::new();
        // A lone CR ends a line as well: to read more lines than the SDP parser does is the safe side.
        for line in sdp.split(['\r', '\n']).map(str::trim) {
            let Some((name, value)) = line.split_at_checked(ATTRIBUTE.len()) else { continue };
            if !name.eq_ignore_ascii_case(ATTRIBUTE) {
                continue;
            }
            let mut words = value.split_ascii_whitespace();
            let (Some(algorithm), Some(digits), None) = (words.next(), words.next(), words.next()) else {
                return Err(Refusal::FingerprintWeak);
            };
            found.insert(Self::parse(algorithm, digits)?);
            if found.len() > MAX_FINGERPRINTS {
                return Err(Refusal::FingerprintMismatch);
            }
        }
        if found.is_empty() { Err(Refusal::FingerprintMissing) } else { Ok(found) }
    }

    /// Those of the claim.
    pub(super) fn all_of(keys: &[MediaKey]) -> Result<BTreeSet<Self>, Refusal> {
        keys.iter().map(|key| Self::parse(&key.alg, &key.dig)).collect()
    }

    pub(super) fn media_key(&self) -> MediaKey {
        MediaKey { alg: self.algorithm.name().to_owned(), dig: self.digits.clone() }
    }
}

impl fmt::Display for Fingerprint {
    /// As in SDP: `sha-256 AB:CD:...`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.algorithm.name())?;
        for (index, pair) in self.digits.as_bytes().chunks(2).enumerate() {
            f.write_char(if index == 0 { ' ' } else { ':' })?;
            for digit in pair {
                f.write_char(char::from(*digit))?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(algorithm: &str, byte: &str, bytes: usize) -> String {
        format!("a=fingerprint:{algorithm} {}\r\n", vec![byte; bytes].join(":"))
    }

    #[test]
    fn every_fingerprint_counts_once_in_whatever_case_it_is_written() {
        let sdp = format!(
            "v=0\r\n{}m=application 9\r\n{}{}",
            line("SHA-256", "ab", 32),
            line("sha-256", "AB", 32),
            line("sha-512", "00", 64)
        );
        let found: Vec<_> =
            Fingerprint::all_in(&sdp).unwrap().into_iter().map(|f| f.algorithm.name()).collect();
        assert_eq!(found, ["sha-256", "sha-512"]);
    }

    #[test]
    fn a_fingerprint_is_written_as_in_sdp() {
        let found = Fingerprint::all_in(&line("SHA-256", "ab", 32)).unwrap();
        let written: Vec<_> = found.iter().map(ToString::to_string).collect();
        assert_eq!(written, [format!("sha-256 {}", ["AB"; 32].join(":"))]);
    }

    #[test]
    fn a_weak_hash_function_beside_a_strong_one_is_refused() {
        for (weak, bytes) in [("sha-1", 20), ("md5", 16), ("md2", 16), ("sha-224", 28)] {
            let sdp = line("sha-256", "AB", 32) + &line(weak, "AB", bytes);
            assert_eq!(Fingerprint::all_in(&sdp), Err(Refusal::FingerprintWeak), "{weak}");
        }
    }

    #[test]
    fn a_description_without_or_with_a_broken_fingerprint_is_refused() {
        assert_eq!(Fingerprint::all_in("v=0\r\n"), Err(Refusal::FingerprintMissing));
        for broken in ["a=fingerprint:sha-256", "a=fingerprint:sha-256 AB", "a=fingerprint:sha-256 A B"] {
            assert_eq!(Fingerprint::all_in(broken), Err(Refusal::FingerprintWeak), "{broken}");
        }
    }

    #[test]
    fn a_fingerprint_hidden_behind_a_lone_carriage_return_is_seen() {
        let sdp = format!("{}s=x\r{}", line("sha-256", "AB", 32), line("sha-256", "CD", 32));
        assert_eq!(Fingerprint::all_in(&sdp).unwrap().len(), 2);
    }
}
