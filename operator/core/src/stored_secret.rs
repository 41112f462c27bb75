//! The one secret in Secrets Manager that holds what a service takes out of Kubernetes Secrets. Pure.
//!
//! Its value is a JSON map. A version's id is an HMAC of the value, so that whoever knows the key, and nobody else, can tell from the id
//! alone whether AWS has what Kubernetes has: no value is ever read back. Task definitions name a version, so that a rollback brings back
//! the values of then. Invariant: no value is in a `Debug` text or in anything that is serialised; see decision record 8.

mod plan;
mod version;

pub use plan::{Description, Kept, SecretPlan, SecretStep, plan, stored_label};
pub use version::VersionKey;

use crate::desired::Desired;
use crate::hash::Hash;
use crate::owner::Owner;
use crate::problem::Problem;
use crate::task_definition::TaskDefinition;
use crate::watched_secret::value_from;
use privateservice_api::conditions::Reason;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// Bytes that a secret holds (Secrets Manager user guide, Quotas).
pub const SECRET_LIMIT: usize = 65_536;

/// Stands for a value in a text.
const HIDDEN: &str = "***";

/// Where in a task definition a value goes.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Target {
    /// A variable of the user's container.
    Variable(String),
    /// An option of its log driver.
    LogOption(String),
    /// A variable of the log router.
    RouterVariable(String),
}

impl Target {
    /// The key of the JSON map. Names of variables hold no slash; no key holds a colon, which would end it in ECS's `valueFrom`.
    fn key(&self) -> String {
        match self {
            Self::Variable(name) => name.clone(),
            Self::LogOption(name) | Self::RouterVariable(name) => {
                format!("logging/{}", name.replace(':', "."))
            }
        }
    }

    /// Puts what names a value there.
    pub(crate) fn put(&self, definition: &mut TaskDefinition, value_from: String) {
        let (into, name) = match self {
            Self::Variable(name) => (&mut definition.container.secrets, name),
            Self::LogOption(name) => (&mut definition.container.log_secret_options, name),
            Self::RouterVariable(name) => match &mut definition.log_router {
                Some(router) => (&mut router.secrets, name),
                None => return,
            },
        };
        into.insert(name.clone(), value_from);
    }
}

/// Values by where they go.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct SecretValues(BTreeMap<Target, String>);

impl fmt::Debug for SecretValues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

impl SecretValues {
    /// Puts a value where it goes, instead of what was there.
    pub fn set(&mut self, target: Target, value: String) {
        self.0.insert(target, value);
    }

    /// Adds others, which win.
    pub fn extend(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    /// Takes a value away.
    pub fn remove(&mut self, target: &Target) {
        self.0.remove(target);
    }

    /// True if there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Where values go.
    pub fn targets(&self) -> impl Iterator<Item = &Target> {
        self.0.keys()
    }

    /// A text without the values in it.
    pub fn redacted(&self, text: &str) -> String {
        let mut text = text.replace(&self.canonical_json(), HIDDEN);
        for value in self.0.values() {
            let quoted = serde_json::Value::from(value.as_str()).to_string();
            let escaped = quoted.trim_matches('"');
            for form in [value.as_str(), escaped] {
                if !form.trim().is_empty() {
                    text = text.replace(form, HIDDEN);
                }
            }
        }
        text
    }

    /// The JSON map, sorted by key, without white space.
    pub fn canonical_json(&self) -> String {
        let map: serde_json::Map<String, serde_json::Value> = self
            .0
            .iter()
            .map(|(target, value)| (target.key(), value.clone().into()))
            .collect();
        serde_json::Value::Object(map).to_string()
    }
}

/// What is to be stored for a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Name in Secrets Manager, see [`crate::names::secret`].
    pub name: String,
    /// Its ARN without the six characters that AWS chooses.
    pub partial_arn: String,
    /// The values.
    pub values: SecretValues,
    /// Tags, ownership included.
    pub tags: BTreeMap<String, String>,
}

impl Stored {
    /// Checks what is to be stored.
    ///
    /// # Errors
    /// `InvalidSpec` if it is more than a secret holds.
    pub fn check(&self) -> Result<(), Problem> {
        let size = self.values.canonical_json().len();
        if size <= SECRET_LIMIT {
            return Ok(());
        }
        Err(Problem::new(
            Reason::InvalidSpec,
            format!(
                "the values taken from Kubernetes Secrets have {size} bytes together, and a secret of AWS holds {SECRET_LIMIT}: take fewer keys, \
                 or store the large ones in Secrets Manager and name them with awsSecretRef"
            ),
        ))
    }

    /// Where values go, for the intent: which variables there are is what the user asked for.
    pub fn places(&self) -> BTreeSet<String> {
        self.values
            .targets()
            .map(|target| format!("{target:?}"))
            .collect()
    }
}

/// The secret as AWS describes it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedSecret {
    /// Whole ARN.
    pub arn: String,
    /// Owner by its tags; `None` if it carries no ownership tag.
    pub owner: Option<Owner>,
    /// True if it is scheduled for deletion.
    pub deleted: bool,
    /// Staging labels by version id.
    pub versions: BTreeMap<String, BTreeSet<String>>,
}

impl ObservedSecret {
    /// The version that is current.
    pub fn current(&self) -> Option<&str> {
        self.versions
            .iter()
            .find(|(_, labels)| labels.contains(CURRENT))
            .map(|(id, _)| id.as_str())
    }
}

/// The staging label of the current version (Secrets Manager user guide, Versions).
pub const CURRENT: &str = "AWSCURRENT";

impl Desired {
    /// The same, with its stored values taken out of this version of this secret. Which one is part of the intent, because another version
    /// replaces tasks although the spec is the same; and not of the service's own part of it, because it is nobody's edit.
    #[must_use]
    pub fn with_secret(mut self, stored: &Stored, arn: &str, version: &str) -> Self {
        for target in stored.values.targets() {
            let from = value_from(arn, Some(&target.key()), Some(version));
            target.put(&mut self.task_definition, from);
        }
        self.intent = Hash::of(&(&self.intent, arn, version));
        self
    }
}

#[cfg(test)]
mod tests;
