//! Ids of versions: an HMAC of what is stored, under a key that only this installation has. Pure.

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use std::fmt;

type HmacSha256 = Hmac<Sha256>;

/// Bytes of a key.
const KEY_LENGTH: usize = 32;

/// The key of an installation. A value could be guessed from a plain hash of it; not from an HMAC whose key is secret.
#[derive(Clone, PartialEq, Eq)]
pub struct VersionKey([u8; KEY_LENGTH]);

impl fmt::Debug for VersionKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("VersionKey")
    }
}

impl VersionKey {
    /// A key of these bytes; `None` unless there are 32.
    pub fn new(bytes: &[u8]) -> Option<Self> {
        bytes.try_into().ok().map(Self)
    }

    /// Tells this key from another, and nothing else of it: 16 hexadecimal characters.
    pub fn id(&self) -> String {
        let mut id = self.hmac(&["key"]);
        id.truncate(16);
        id
    }

    /// The id of the version that holds this text in this secret: 64 hexadecimal characters, the most that Secrets Manager takes
    /// (API reference, ClientRequestToken). The secret's name is part of it, so that equal values of two services do not show.
    pub fn version_id(&self, secret: &str, text: &str) -> String {
        self.hmac(&["version", secret, text])
    }

    fn hmac(&self, parts: &[&str]) -> String {
        // A key of any length is taken: there is no error to have.
        let Ok(mut mac) = HmacSha256::new_from_slice(&self.0) else {
            return String::new();
        };
        for part in parts {
            // The lengths keep the parts apart.
            mac.update(&part.len().to_be_bytes());
            mac.update(part.as_bytes());
        }
        let digest = mac.finalize().into_bytes();
        digest
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|nibble| char::from_digit(nibble.into(), 16))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(byte: u8) -> VersionKey {
        VersionKey::new(&[byte; 32]).unwrap()
    }

    #[test]
    fn ids_tell_values_secrets_and_keys_apart_and_fit_secrets_manager() {
        let id = key(1).version_id("a", "{}");
        assert_eq!(id.len(), 64);
        assert!(id.chars().all(|c| c.is_ascii_hexdigit()));
        assert_eq!(id, key(1).version_id("a", "{}"));
        assert_ne!(id, key(1).version_id("b", "{}"));
        assert_ne!(id, key(1).version_id("a", "{ }"));
        assert_ne!(id, key(2).version_id("a", "{}"));
        assert_ne!(key(1).version_id("ab", "c"), key(1).version_id("a", "bc"));
    }

    #[test]
    fn a_key_has_32_bytes_and_shows_nothing_of_them() {
        assert!(VersionKey::new(&[0; 31]).is_none());
        assert_eq!(format!("{:?}", key(7)), "VersionKey");
        assert_eq!(key(7).id().len(), 16);
        assert_ne!(key(7).id(), key(8).id());
    }
}
