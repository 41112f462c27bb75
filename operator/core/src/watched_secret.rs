//! Secrets of Secrets Manager that others keep and services name: what is known of them, and where their values go. Pure.
//!
//! Their values are never read. What is looked at is which version is current (`DescribeSecret`), so that a task definition can name it.

use crate::desired::Desired;
use crate::failure::Failure;
use crate::hash::Hash;
use crate::names;
use crate::stored_secret::Target;
use k8s_openapi::jiff::Timestamp;
use std::collections::BTreeMap;
use std::fmt;

/// What is known of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AwsSecret {
    /// It has not been read yet.
    Unread {
        /// Its whole ARN, if status remembers it.
        arn: Option<String>,
        /// Why the last read failed, if one did.
        failure: Option<Failure>,
    },
    /// It is there.
    Current {
        /// Whole ARN.
        arn: String,
        /// Id of the version that is current.
        version: String,
        /// When the read began that showed it.
        read_at: Timestamp,
        /// Why a later read failed, if one did.
        failure: Option<Failure>,
    },
    /// It cannot be used.
    Missing(Absence),
    /// The operator may not look at it, or cannot.
    Unreadable {
        /// Why, in words that say what to do about it.
        why: String,
    },
}

/// Why a secret cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Absence {
    /// There is none.
    NoSuchSecret,
    /// It is scheduled for deletion.
    ScheduledForDeletion,
    /// No version of it is current.
    NoValue,
}

/// In words that follow the secret's name.
impl fmt::Display for Absence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSuchSecret => {
                "does not exist in Secrets Manager (yet): create it, or name another one"
            }
            Self::ScheduledForDeletion => {
                "is scheduled for deletion: restore it (aws secretsmanager restore-secret), or name another one"
            }
            Self::NoValue => {
                "has no value yet: give it one (aws secretsmanager put-secret-value)"
            }
        })
    }
}

impl AwsSecret {
    /// Its whole ARN, if that is known.
    pub fn arn(&self) -> Option<&str> {
        match self {
            Self::Unread { arn, .. } => arn.as_deref(),
            Self::Current { arn, .. } => Some(arn),
            Self::Missing(_) | Self::Unreadable { .. } => None,
        }
    }

    /// True if it was not read since then although it could be, and nothing says that it cannot be read now.
    pub fn is_older_than(&self, since: Timestamp) -> bool {
        matches!(self, Self::Current { read_at, failure: None, .. } if *read_at < since)
    }
}

/// What a service takes out of secrets that others keep.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Watched {
    /// What is known of them, by the name or ARN that a spec has for them.
    pub secrets: BTreeMap<String, AwsSecret>,
    /// What goes where, as far as the spec names no version.
    pub uses: BTreeMap<Target, WatchedUse>,
}

/// One use of a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WatchedUse {
    /// The name or ARN that the spec has for it.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// A key of the JSON object in it.
    pub key: Option<String>,
}

impl Watched {
    /// Adds others.
    pub fn extend(&mut self, others: Self) {
        self.secrets.extend(others.secrets);
        self.uses.extend(others.uses);
    }

    /// ARNs of those that are named by their names, as far as they are known: another one under the same name is another secret.
    pub fn arns_by_name(&self) -> BTreeMap<String, String> {
        self.secrets
            .iter()
            .filter(|(id, _)| !names::is_arn(id))
            .filter_map(|(id, secret)| Some((id.clone(), secret.arn()?.to_owned())))
            .collect()
    }

    /// The ids of those whose versions are followed.
    pub fn followed(&self) -> impl Iterator<Item = (&str, &AwsSecret)> {
        self.secrets
            .iter()
            .filter(|(id, _)| self.uses.values().any(|one| one.id == **id))
            .map(|(id, secret)| (id.as_str(), secret))
    }
}

/// ECS's `valueFrom`: the ARN, followed by key, stage and version where there is a key or a version; the stage stays empty (ECS developer
/// guide, Pass Secrets Manager secrets through Amazon ECS environment variables).
pub fn value_from(arn: &str, key: Option<&str>, version: Option<&str>) -> String {
    if key.is_none() && version.is_none() {
        return arn.to_owned();
    }
    let (key, version) = (key.unwrap_or_default(), version.unwrap_or_default());
    format!("{arn}:{key}::{version}")
}

impl Desired {
    /// The same, with watched secrets named by these versions, by id; one that is not among them stays without. Which one is part of the intent,
    /// and not of the service's own part of it: a new version of a secret is nobody's edit.
    #[must_use]
    pub fn with_watched(mut self, watched: &Watched, versions: &BTreeMap<String, String>) -> Self {
        let mut named: BTreeMap<&str, &str> = BTreeMap::new();
        for (target, one) in &watched.uses {
            let Some(version) = versions.get(&one.id) else {
                continue;
            };
            named.insert(&one.arn, version);
            let from = value_from(&one.arn, one.key.as_deref(), Some(version));
            target.put(&mut self.task_definition, from);
        }
        if !named.is_empty() {
            self.intent = Hash::of(&(&self.intent, &named));
        }
        self
    }
}
