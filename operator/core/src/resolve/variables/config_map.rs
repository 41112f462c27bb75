//! Variables from ConfigMaps of the same Kubernetes namespace: one key, or all of them.

use super::Neighbours;
use crate::problem::Problem;
use crate::resolve::Notice;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{ConfigMapKeyRef, EnvFromSource};
use std::collections::{BTreeMap, BTreeSet};

/// What is in a ConfigMap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ConfigMapData {
    /// Its `data`.
    pub text: BTreeMap<String, String>,
    /// The keys of its `binaryData`, which no variable can hold.
    pub binary: BTreeSet<String>,
}

/// What an entry of `envFrom` yields.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// Values by the names of the variables.
    pub(super) variables: BTreeMap<String, String>,
    /// Keys that are no names, as Kubernetes tells of them for a Pod.
    pub(super) notice: Option<Notice>,
}

/// The value of one key.
///
/// # Errors
/// `ReferenceNotFound` if there is no such ConfigMap or key, or the key is binary.
pub(super) fn key(
    field: &str,
    reference: &ConfigMapKeyRef,
    neighbours: &dyn Neighbours,
) -> Result<String, Problem> {
    let ConfigMapKeyRef { name, key } = reference;
    let data = find(field, name, neighbours)?;
    data.text.get(key).cloned().ok_or_else(|| {
        let why = if data.binary.contains(key) {
            format!("is binary data, which no variable can hold: write it below data of ConfigMap {name}")
        } else {
            format!("is not in ConfigMap {name}, which has {}", listed(&data.text))
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
/// `ReferenceNotFound` if there is no such ConfigMap; `InvalidSpec` for an entry without a source.
pub(super) fn all_of(entry: &EnvFromSource, neighbours: &dyn Neighbours) -> Result<Taken, Problem> {
    let EnvFromSource {
        prefix,
        config_map_ref,
    } = entry;
    let name = config_map_ref
        .as_ref()
        .map(|reference| reference.name.as_str())
        .ok_or_else(|| {
            Problem::new(
                Reason::InvalidSpec,
                "an entry of envFrom needs a source: write envFrom: [{configMapRef: {name: shop}}]",
            )
        })?;
    let data = find("envFrom", name, neighbours)?;
    let prefix = prefix.as_deref().unwrap_or_default();
    let all = data
        .text
        .into_iter()
        .map(|(key, value)| (format!("{prefix}{key}"), value));
    let (variables, invalid): (BTreeMap<_, _>, BTreeMap<_, _>) =
        all.partition(|(name, _)| is_name(name));
    let left_out: BTreeMap<String, String> = data
        .binary
        .into_iter()
        .map(|key| (key, String::new()))
        .chain(invalid)
        .collect();
    let notice = (!left_out.is_empty()).then(|| Notice {
        reason: "InvalidVariableNames",
        message: format!(
            "envFrom: left out of ConfigMap {name}: {}: the name of a variable begins with no digit, and its value is text",
            listed(&left_out)
        ),
    });
    Ok(Taken { variables, notice })
}

fn find(field: &str, name: &str, neighbours: &dyn Neighbours) -> Result<ConfigMapData, Problem> {
    neighbours.config_map(name).ok_or_else(|| {
        Problem::new(
            Reason::ReferenceNotFound,
            format!("{field}: there is no ConfigMap {name} in this Kubernetes namespace (yet)"),
        )
    })
}

/// Keys of a ConfigMap hold only characters that a name may hold; a digit may not be the first.
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
