//! Certificate fingerprints: `a=fingerprint` (RFC 8122, section 5).

use std::fmt;

/// Longest fingerprint we keep, in bytes: twice the longest hash in use (SHA-512).
const MAX_BYTES: usize = 128;

/// Hash of a certificate, as announced in a description.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Fingerprint {
    /// Hash function in lower case, such as `sha-256`. It may be one that we cannot compute.
    pub algorithm: String,
    /// The hash itself.
    pub value: Vec<u8>,
}

impl Fingerprint {
    /// Parses the value of an `a=fingerprint` attribute: `sha-256 AA:BB:...`.
    ///
    /// Any hash name is accepted, since a peer may announce several and we need to know only one of them.
    pub fn parse(value: &str) -> Result<Self, String> {
        let mut tokens = value.split_ascii_whitespace();
        let (Some(algorithm), Some(hex), None) = (tokens.next(), tokens.next(), tokens.next()) else {
            return Err(format!("a fingerprint is a hash name and a hash, not {value:?}"));
        };
        let value = hex
            .split(':')
            .map(|pair| match pair.len() {
                2 if pair.bytes().all(|b| b.is_ascii_hexdigit()) => u8::from_str_radix(pair, 16).ok(),
                _ => None,
            })
            .collect::<Option<Vec<u8>>>()
            .filter(|bytes| bytes.len() <= MAX_BYTES)
            .ok_or_else(|| {
                format!("a fingerprint is written as pairs of hex digits with colons, not {hex:?}")
            })?;
        let fingerprint = Self { algorithm: algorithm.to_ascii_lowercase(), value };
        match fingerprint.expected_len() {
            Some(len) if len != fingerprint.value.len() => Err(format!(
                "a {} fingerprint has {len} bytes, not {}",
                fingerprint.algorithm,
                fingerprint.value.len()
            )),
            _ => Ok(fingerprint),
        }
    }

    /// Length of the hash in bytes, for the hash functions that RFC 8122 names.
    fn expected_len(&self) -> Option<usize> {
        Some(match self.algorithm.as_str() {
            "md2" | "md5" => 16,
            "sha-1" => 20,
            "sha-224" => 28,
            "sha-256" => 32,
            "sha-384" => 48,
            "sha-512" => 64,
            _ => return None,
        })
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ", self.algorithm)?;
        for (i, byte) in self.value.iter().enumerate() {
            let colon = if i == 0 { "" } else { ":" };
            write!(f, "{colon}{byte:02X}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Fingerprint;

    #[test]
    fn a_hash_name_is_compared_in_lower_case_and_written_with_upper_case_digits() {
        let f =
            Fingerprint::parse("SHA-1 0a:0B:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:ff").unwrap();
        assert_eq!(f.algorithm, "sha-1");
        assert_eq!(f.to_string(), "sha-1 0A:0B:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:00:FF");
    }

    #[test]
    fn a_hash_that_we_do_not_know_is_kept() {
        assert_eq!(Fingerprint::parse("sha3-512 01:02").unwrap().value, [1, 2]);
    }

    #[test]
    fn damaged_fingerprints_are_refused() {
        for bad in [
            "",
            "sha-256",
            "sha-256 01:02",
            "sha3 1:02",
            "sha3 0102",
            "sha3 01:02 03",
            "sha3 +1:02",
            "sha3 01:é",
        ] {
            assert!(Fingerprint::parse(bad).is_err(), "{bad}");
        }
    }
}
