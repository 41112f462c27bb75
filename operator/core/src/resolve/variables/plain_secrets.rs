//! Secrets written in plain text, by what their variables are called.

use crate::resolve::Notice;
use privateservice_api::privateservice::EnvVar;

/// Words in the name of a variable that say that its value is a secret.
const SECRET_WORDS: [&str; 8] = [
    "PASSWORD",
    "PASSWD",
    "SECRET",
    "TOKEN",
    "API_KEY",
    "APIKEY",
    "ACCESS_KEY",
    "PRIVATE_KEY",
];
/// Endings of names that say where a secret is, or what about it, and not what it is.
const HARMLESS_ENDINGS: [&str; 9] = [
    "_FILE", "_PATH", "_ARN", "_ID", "_NAME", "_URL", "_TTL", "_SECONDS", "_LENGTH",
];

/// Tells when a variable whose name says that it is a secret is written in plain text. The value is never part of it.
pub(in crate::resolve) fn plain_secrets(entries: &[EnvVar]) -> Option<Notice> {
    let named: Vec<&str> = entries
        .iter()
        .filter(|entry| entry.value.as_ref().is_some_and(|value| !value.is_empty()))
        .map(|entry| entry.name.as_str())
        .filter(|name| looks_secret(name))
        .collect();
    let first = named.first()?;
    Some(Notice {
        reason: "PlainSecret",
        message: format!(
            "env {}: by the name a secret, and written in plain text, which everybody sees who may read this object or the task definition: \
             keep it in Secrets Manager and write {{name: {first}, valueFrom: {{awsSecretRef: {{id: orders/db}}}}}}",
            named.join(", ")
        ),
    })
}

fn looks_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase().replace(['-', '.'], "_");
    SECRET_WORDS.iter().any(|word| name.contains(word))
        && !HARMLESS_ENDINGS.iter().any(|end| name.ends_with(end))
}
