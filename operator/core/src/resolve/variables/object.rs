//! Values from ConfigMaps and Secrets of the same Kubernetes namespace: one key, or all of them.
//!
//! Invariant: no value of a Secret is in a message.

use super::Neighbours;
use crate::problem::Problem;
use crate::resolve::Notice;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::EnvFromSource;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What is in a ConfigMap or Secret. Values are not shown by `Debug`.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ObjectData {
    /// Texts by key.
    pub text: BTreeMap<String, String>,
    /// The keys of what is no text, which no variable can hold.
    pub binary: BTreeSet<String>,
}

impl fmt::Debug for ObjectData {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set()
            .entries(self.text.keys())
            .entries(&self.binary)
            .finish()
    }
}

/// What became of looking for a Secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SecretLookup<'a> {
    /// It is there.
    Found(&'a ObjectData),
    /// There is none, or none with the labels that the operator is limited to.
    Missing {
        /// The label selector, if there is one.
        selector: Option<&'a str>,
    },
    /// The operator reads no Secrets.
    Off,
}

/// A kind of objects with values.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::resolve) enum Kind {
    /// ConfigMap.
    ConfigMap,
    /// Secret.
    Secret,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ConfigMap => "ConfigMap",
            Self::Secret => "Secret",
        })
    }
}

/// What an entry of `envFrom` yields.
pub(super) struct Taken {
    /// Of which kind the values are.
    pub(super) kind: Kind,
    /// Values by the names of the variables.
    pub(super) variables: BTreeMap<String, String>,
    /// Keys that are no names, as Kubernetes tells of them for a Pod.
    pub(super) notice: Option<Notice>,
}

/// The value of one key.
///
/// # Errors
/// `ReferenceNotFound` if there is no such object or key, or the value is no text; `InvalidSpec` for a Secret if the operator reads none.
pub(in crate::resolve) fn key(
    field: &str,
    kind: Kind,
    name: &str,
    key: &str,
    neighbours: &dyn Neighbours,
) -> Result<String, Problem> {
    let data = find(field, kind, name, neighbours)?;
    data.text.get(key).cloned().ok_or_else(|| {
        let why = if data.binary.contains(key) {
            format!("of {kind} {name} is binary data, which no variable can hold: write it as text")
        } else {
            format!("is not in {kind} {name}, which has {}", listed(&data.text))
        };
        Problem::new(
            Reason::ReferenceNotFound,
            format!("{field}: the key {key} {why}"),
        )
    })
}

/// All keys, as an entry of `envFrom` takes them. Keys that are no names of variables are left out, as Kubernetes leaves them out of a Pod.
///
/// # Errors
/// As [`key`]; `InvalidSpec` for an entry without exactly one source.
pub(super) fn all_of(entry: &EnvFromSource, neighbours: &dyn Neighbours) -> Result<Taken, Problem> {
    let EnvFromSource {
        prefix,
        config_map_ref,
        secret_ref,
    } = entry;
    let (kind, name) = match (config_map_ref, secret_ref) {
        (Some(config_map), None) => (Kind::ConfigMap, config_map.name.as_str()),
        (None, Some(secret)) => (Kind::Secret, secret.name.as_str()),
        _ => {
            return Err(Problem::new(
                Reason::InvalidSpec,
                "an entry of envFrom takes exactly one source: write envFrom: [{configMapRef: {name: shop}}] or envFrom: [{secretRef: {name: db}}]",
            ));
        }
    };
    let data = find("envFrom", kind, name, neighbours)?;
    let prefix = prefix.as_deref().unwrap_or_default();
    let all = data
        .text
        .iter()
        .map(|(key, value)| (format!("{prefix}{key}"), value.clone()));
    let (variables, invalid): (BTreeMap<_, _>, BTreeMap<_, _>) =
        all.partition(|(name, _)| is_name(name));
    let left_out: BTreeMap<String, String> = data
        .binary
        .iter()
        .map(|key| (key.clone(), String::new()))
        .chain(invalid)
        .collect();
    let notice = (!left_out.is_empty()).then(|| Notice {
        reason: "InvalidVariableNames",
        message: format!(
            "envFrom: left out of {kind} {name}: {}: the name of a variable begins with no digit, and its value is text",
            listed(&left_out)
        ),
    });
    Ok(Taken {
        kind,
        variables,
        notice,
    })
}

fn find<'a>(
    field: &str,
    kind: Kind,
    name: &str,
    neighbours: &'a dyn Neighbours,
) -> Result<&'a ObjectData, Problem> {
    let missing = |with: &str| {
        Problem::new(
            Reason::ReferenceNotFound,
            format!("{field}: there is no {kind} {name}{with} in this Kubernetes namespace (yet)"),
        )
    };
    match kind {
        Kind::ConfigMap => neighbours.config_map(name).ok_or_else(|| missing("")),
        Kind::Secret => match neighbours.secret(name) {
            SecretLookup::Found(data) => Ok(data),
            SecretLookup::Missing { selector: None } => Err(missing("")),
            SecretLookup::Missing {
                selector: Some(selector),
            } => Err(missing(&format!(
                " with the labels {selector}, which the operator is limited to,"
            ))),
            SecretLookup::Off => Err(Problem::new(
                Reason::InvalidSpec,
                format!(
                    "{field}: this operator reads no Kubernetes Secrets (kubernetesSecrets.enabled is false): keep the value in Secrets Manager \
                     and write awsSecretRef: {{id: orders/db}}"
                ),
            )),
        },
    }
}

/// Keys hold only characters that a name may hold; a digit may not be the first.
fn is_name(name: &str) -> bool {
    name.chars()
        .next()
        .is_some_and(|first| !first.is_ascii_digit())
}

/// Keys for a message, as many as somebody would read.
fn listed(data: &BTreeMap<String, String>) -> String {
    const SHOWN: usize = 10;
    let keys: Vec<&str> = data.keys().map(String::as_str).take(SHOWN).collect();
    match data.len().saturating_sub(SHOWN) {
        _ if keys.is_empty() => "none".to_owned(),
        0 => keys.join(", "),
        more => format!("{} and {more} more", keys.join(", ")),
    }
}

#[cfg(test)]
mod tests;
