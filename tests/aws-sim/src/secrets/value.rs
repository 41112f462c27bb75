//! The value of a version. In: a request. Out: the value, which shows itself to nobody but an answer. No IO. Invariant:
//! neither `Debug` nor a logged request shows more of it than its length.

use std::fmt;

use serde_json::{Value, json};

use super::refusals::parameter;
use crate::errors::AwsError;

/// Text, or bytes in base64 as they came.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum SecretValue {
    Text(String),
    Bytes(String),
}

impl fmt::Debug for SecretValue {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&redacted(match self {
            Self::Text(text) | Self::Bytes(text) => text,
        }))
    }
}

impl SecretValue {
    /// The value in a request, if it has one; it has one or the other member (Secrets Manager API reference, CreateSecret).
    pub(super) fn of(body: &Value) -> Result<Option<Self>, AwsError> {
        match (body["SecretString"].as_str(), body["SecretBinary"].as_str()) {
            (Some(_), Some(_)) => Err(parameter(
                "You can't specify both a binary secret value and a string secret value in the same \
                 secret.",
            )),
            (Some(text), None) => Ok(Some(Self::Text(text.to_owned()))),
            (None, Some(bytes)) => Ok(Some(Self::Bytes(bytes.to_owned()))),
            (None, None) => Ok(None),
        }
    }

    /// The member of an answer it belongs in, and its content.
    pub(super) fn member(&self) -> (&'static str, Value) {
        match self {
            Self::Text(text) => ("SecretString", json!(text)),
            Self::Bytes(bytes) => ("SecretBinary", json!(bytes)),
        }
    }

    /// Its text; bytes have none.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(_) => None,
        }
    }
}

/// How many bytes a text in base64 stands for.
pub(super) fn decoded_length(encoded: &str) -> Result<usize, AwsError> {
    let digits = encoded.trim_end_matches('=');
    let padding = encoded.len() - digits.len();
    let well_formed = encoded.len().is_multiple_of(4)
        && padding <= 2
        && digits
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/');
    if !well_formed {
        return Err(AwsError::new(
            "SerializationException",
            "SecretBinary: expected base64",
        ));
    }
    Ok(digits.len() * 3 / 4)
}

fn redacted(text: &str) -> String {
    format!("({} bytes)", text.len())
}

/// A request as it may be logged: with the lengths of secret values instead of them, wherever they are.
pub(crate) fn hidden(body: &Value) -> Value {
    match body {
        Value::Object(members) => {
            let members = members.iter().map(|(name, value)| {
                let is_secret =
                    ["secretstring", "secretbinary"].contains(&name.to_ascii_lowercase().as_str());
                let shown = match value {
                    Value::String(text) if is_secret => json!(redacted(text)),
                    other if is_secret => json!(redacted(&other.to_string())),
                    other => hidden(other),
                };
                (name.clone(), shown)
            });
            Value::Object(members.collect())
        }
        Value::Array(items) => items.iter().map(hidden).collect(),
        other => other.clone(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_tells_how_many_bytes_it_stands_for() {
        let cases = [
            ("", Some(0)),
            ("YQ==", Some(1)),
            ("YWI=", Some(2)),
            ("YWJj", Some(3)),
        ];
        for (encoded, expected) in cases {
            assert_eq!(decoded_length(encoded).ok(), expected, "{encoded}");
        }
        for malformed in ["YQ", "Y===", "Y(==", "YQ==YQ=="] {
            assert!(decoded_length(malformed).is_err(), "{malformed}");
        }
    }

    #[test]
    fn a_request_is_logged_without_its_values() {
        let body = json!({
            "Name": "db", "SecretString": "hunter2", "secretBinary": "YWJj",
            "Nested": [{"SecretString": {"a": "hunter2"}}],
        });
        let shown = hidden(&body);
        assert_eq!(shown["Name"], "db");
        assert_eq!(shown["SecretString"], "(7 bytes)");
        assert!(!shown.to_string().contains("hunter2") && !shown.to_string().contains("YWJj"));
        let debug = format!("{:?}", SecretValue::Text("hunter2".to_owned()));
        assert_eq!(debug, "(7 bytes)");
    }
}
