//! Hashes of values by their canonical JSON. Pure; the same value gives the same hash in every version of the operator
//! as long as its serialised form is the same, so optional fields that are absent must not be serialised.

use serde::Serialize;
use sha2::{Digest, Sha256};

/// A content hash: 32 hexadecimal characters (128 bits of SHA-256).
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize, Default,
)]
#[serde(transparent)]
pub struct Hash(pub String);

impl Hash {
    /// The hash of a value's canonical JSON: maps sorted by key, no white space.
    pub fn of(value: &impl Serialize) -> Self {
        // `Value` keeps its maps sorted by key, which makes the text canonical. Our values hold no map with keys that
        // are not strings and no float that is not finite, so that serialisation cannot fail; were it to, the text
        // of the error would still differ from every real value.
        let text = serde_json::to_value(value).map_or_else(
            |error| format!("unserialisable: {error}"),
            |json| json.to_string(),
        );
        Self::of_text(&text)
    }

    /// The hash of a text.
    pub fn of_text(text: &str) -> Self {
        let digest = Sha256::digest(text.as_bytes());
        let nibbles = digest
            .iter()
            .take(16)
            .flat_map(|byte| [byte >> 4, byte & 15]);
        Self(
            nibbles
                .filter_map(|nibble| char::from_digit(nibble.into(), 16))
                .collect(),
        )
    }

    /// The hash as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Hash {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl From<&str> for Hash {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}
