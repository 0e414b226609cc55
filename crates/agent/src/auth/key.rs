//! Public keys: what a token is verified with.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jsonwebtoken::DecodingKey;
use serde::Deserialize;
use serde::de::IgnoredAny;

use super::algorithm::Algorithm;
use super::der;

/// The longest text of a key that is read, in bytes. RSA with 8192 bits has 1,500 as PEM; JWKs carry certificates at times.
pub(super) const MAX_TEXT: usize = 8192;

/// Why a text is not a key that can be used. The text of the key is never part of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Longer than any key is.
    #[error("the key has more than 8192 bytes")]
    TooLong,
    /// It holds the private part, which must not leave its owner.
    #[error("this is a private key; give its public part only")]
    Private,
    /// Neither a JWK nor PEM.
    #[error("the key is neither a JWK (RFC 7517) nor PEM with the label PUBLIC KEY")]
    Malformed,
    /// A kind of key that is not supported.
    #[error("the key is of another kind than Ed25519, EC on P-256 or RSA with 2048 to 8192 bits")]
    Unsupported,
    /// A JWK that is not for signatures, or for another algorithm.
    #[error("the JWK says in \"use\" or \"alg\" that it is for something else")]
    Purpose,
}

/// A public key. Two are equal when they are the same key, however each was written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublicKey(Material);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Material {
    Ed25519([u8; 32]),
    /// x and y.
    P256([u8; 32], [u8; 32]),
    /// Big-endian, without leading zeros.
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
}

/// A JWK (RFC 7517) as it stands. A member given twice is refused: readers would disagree on which counts.
#[derive(Deserialize)]
struct Jwk<'a> {
    kty: &'a str,
    #[serde(default)]
    crv: Option<&'a str>,
    #[serde(default)]
    x: Option<&'a str>,
    #[serde(default)]
    y: Option<&'a str>,
    #[serde(default)]
    n: Option<&'a str>,
    #[serde(default)]
    e: Option<&'a str>,
    #[serde(default, rename = "use")]
    purpose: Option<&'a str>,
    #[serde(default)]
    alg: Option<&'a str>,
    #[serde(default)]
    d: Option<IgnoredAny>,
    #[serde(default)]
    k: Option<IgnoredAny>,
}

impl PublicKey {
    /// Reads a JWK (JSON text) or PEM (`PUBLIC KEY`, RFC 7468).
    pub fn parse(text: &str) -> Result<Self, KeyError> {
        if text.len() > MAX_TEXT {
            return Err(KeyError::TooLong);
        }
        let text = text.trim();
        if text.starts_with('{') { Self::from_jwk(text) } else { Self::from_pem(text) }
    }

    fn from_jwk(text: &str) -> Result<Self, KeyError> {
        let jwk: Jwk<'_> = serde_json::from_str(text).map_err(|_| KeyError::Malformed)?;
        if jwk.d.is_some() || jwk.k.is_some() {
            return Err(KeyError::Private);
        }
        let bytes = |member: Option<&str>| URL_SAFE_NO_PAD.decode(member?).ok();
        let coordinate = |member| bytes(member)?.try_into().ok();
        let material = match (jwk.kty, jwk.crv) {
            ("OKP", Some("Ed25519")) => coordinate(jwk.x).map(Material::Ed25519),
            ("EC", Some("P-256")) => {
                coordinate(jwk.x).zip(coordinate(jwk.y)).map(|(x, y)| Material::P256(x, y))
            }
            ("RSA", _) => match bytes(jwk.n).zip(bytes(jwk.e)) {
                Some((n, e)) => return Self::checked(rsa(&n, &e)?, &jwk),
                None => None,
            },
            _ => return Err(KeyError::Unsupported),
        };
        Self::checked(material.ok_or(KeyError::Malformed)?, &jwk)
    }

    fn checked(material: Material, jwk: &Jwk<'_>) -> Result<Self, KeyError> {
        let key = Self(material);
        // RFC 9864 names Ed25519 in full.
        let names = |alg: &str| {
            alg == key.algorithm().name() || (alg, key.algorithm()) == ("Ed25519", Algorithm::EdDsa)
        };
        if jwk.purpose.is_some_and(|purpose| purpose != "sig") || jwk.alg.is_some_and(|alg| !names(alg)) {
            return Err(KeyError::Purpose);
        }
        Ok(key)
    }

    fn from_pem(text: &str) -> Result<Self, KeyError> {
        if text.contains("PRIVATE KEY-----") {
            return Err(KeyError::Private);
        }
        let der = der::from_pem(text, "PUBLIC KEY").ok_or(KeyError::Malformed)?;
        let (kind, key) = der::public_key(&der).ok_or(KeyError::Malformed)?;
        match kind.ok_or(KeyError::Unsupported)? {
            Algorithm::EdDsa => {
                key.try_into().map(|x| Self(Material::Ed25519(x))).map_err(|_| KeyError::Malformed)
            }
            Algorithm::Es256 => Self::from_point(key),
            Algorithm::Rs256 => {
                let (n, e) = der::rsa_numbers(key).ok_or(KeyError::Malformed)?;
                rsa(n, e).map(Self)
            }
        }
    }

    /// From an uncompressed point on P-256 (SEC 1, 2.3.3).
    fn from_point(point: &[u8]) -> Result<Self, KeyError> {
        match point {
            [4, rest @ ..] if rest.len() == 64 => {
                let (mut x, mut y) = ([0; 32], [0; 32]);
                x.copy_from_slice(&rest[..32]);
                y.copy_from_slice(&rest[32..]);
                Ok(Self(Material::P256(x, y)))
            }
            _ => Err(KeyError::Malformed),
        }
    }

    /// How tokens are signed with this key; it has one algorithm only.
    pub fn algorithm(&self) -> Algorithm {
        match self.0 {
            Material::Ed25519(_) => Algorithm::EdDsa,
            Material::P256(..) => Algorithm::Es256,
            Material::Rsa { .. } => Algorithm::Rs256,
        }
    }

    /// The JWK with the required members only, in the order of RFC 7638, 3.3.
    pub fn to_jwk(&self) -> String {
        let base64 = |bytes: &[u8]| URL_SAFE_NO_PAD.encode(bytes);
        match &self.0 {
            Material::Ed25519(x) => format!(r#"{{"crv":"Ed25519","kty":"OKP","x":"{}"}}"#, base64(x)),
            Material::P256(x, y) => {
                format!(r#"{{"crv":"P-256","kty":"EC","x":"{}","y":"{}"}}"#, base64(x), base64(y))
            }
            Material::Rsa { n, e } => format!(r#"{{"e":"{}","kty":"RSA","n":"{}"}}"#, base64(e), base64(n)),
        }
    }

    /// PEM with the label `PUBLIC KEY`.
    pub fn to_pem(&self) -> String {
        let key = match &self.0 {
            Material::Ed25519(x) => x.to_vec(),
            Material::P256(x, y) => [&[4], &x[..], &y[..]].concat(),
            Material::Rsa { n, e } => der::rsa_key(n, e),
        };
        der::to_pem(&der::public_key_info(self.algorithm(), &key), "PUBLIC KEY")
    }

    /// The SHA-256 thumbprint (RFC 7638), base64url: a name for the key that follows from it.
    pub fn thumbprint(&self) -> String {
        URL_SAFE_NO_PAD.encode(digest(&SHA256, self.to_jwk().as_bytes()))
    }

    /// Whether `signature` (base64url) over `message` was made with the private part of this key.
    pub(super) fn verifies(&self, message: &str, signature: &str) -> bool {
        let key = match &self.0 {
            Material::Ed25519(x) => DecodingKey::from_ed_der(x),
            Material::P256(x, y) => DecodingKey::from_ec_der(&[&[4], &x[..], &y[..]].concat()),
            Material::Rsa { n, e } => DecodingKey::from_rsa_raw_components(n, e),
        };
        jsonwebtoken::crypto::verify(signature, message.as_bytes(), &key, self.algorithm().jwt())
            .unwrap_or(false)
    }
}

/// Fewer bits are too weak, more cost the verifier too much.
fn rsa(n: &[u8], e: &[u8]) -> Result<Material, KeyError> {
    let trim = |bytes: &[u8]| bytes.iter().copied().skip_while(|byte| *byte == 0).collect::<Vec<_>>();
    let (n, e) = (trim(n), trim(e));
    let bits = n.first().map_or(0, |first| n.len() * 8 - first.leading_zeros() as usize);
    if !(2048..=8192).contains(&bits) || e.is_empty() || e.len() > 4 {
        return Err(KeyError::Unsupported);
    }
    Ok(Material::Rsa { n, e })
}
