//! Staging labels and the versions they keep. In: a version and labels for it. Out: the secret with its labels moved, or the
//! error. No IO. Invariants: a label is on one version at most; whatever had AWSCURRENT last has AWSPREVIOUS; a version with
//! labels is never removed.

use std::collections::BTreeSet;
use std::time::Duration;

use serde_json::Value;

use super::Secrets;
use super::refusals;
use super::secret::{Secret, Version};
use crate::clock::Moment;
use crate::errors::AwsError;

pub(super) const CURRENT: &str = "AWSCURRENT";
const PREVIOUS: &str = "AWSPREVIOUS";
const PENDING: &str = "AWSPENDING";

/// Labels of one secret over all its versions (Secrets Manager user guide, quotas).
const MOST_LABELS: usize = 20;

/// Versions of one secret above which deprecated ones are removed, unless they are younger than a day (Secrets Manager API
/// reference, PutSecretValue).
const VERSIONS_KEPT: usize = 100;
const YOUNG: Duration = Duration::from_hours(24);

impl Secret {
    /// Adds a version with labels, and lets go of deprecated ones if there are too many.
    pub(super) fn add(
        &mut self,
        version: Version,
        labels: &BTreeSet<String>,
        now: Moment,
    ) -> Result<(), AwsError> {
        let id = version.id.clone();
        self.check_room_for(labels, &id)?;
        self.versions.push(version);
        self.attach(&id, labels);
        let mut excess = self.versions.len().saturating_sub(VERSIONS_KEPT);
        self.versions.retain(|version| {
            let goes = excess > 0 && version.labels.is_empty() && version.created + YOUNG <= now;
            excess -= usize::from(goes);
            !goes
        });
        Ok(())
    }

    /// Whether AWSCURRENT would leave another version for this one.
    fn turns_over(&self, labels: &BTreeSet<String>, id: &str) -> bool {
        labels.contains(CURRENT) && self.holder(CURRENT).is_some_and(|held| held.id != id)
    }

    fn check_room_for(&self, labels: &BTreeSet<String>, id: &str) -> Result<(), AwsError> {
        let held = self.versions.iter().flat_map(|version| &version.labels);
        let mut all: BTreeSet<&str> = held.chain(labels).map(String::as_str).collect();
        if self.turns_over(labels, id) {
            all.insert(PREVIOUS);
        }
        if all.len() > MOST_LABELS {
            return Err(refusals::too_many_labels());
        }
        Ok(())
    }

    /// Moves labels to a version of the secret.
    fn attach(&mut self, id: &str, labels: &BTreeSet<String>) {
        let previous = self
            .turns_over(labels, id)
            .then(|| self.holder(CURRENT).map(|version| version.id.clone()))
            .flatten();
        for version in &mut self.versions {
            if version.id == id {
                version.labels.extend(labels.iter().cloned());
            } else {
                version.labels.retain(|label| !labels.contains(label));
            }
            let Some(previous) = &previous else { continue };
            version.labels.remove(PREVIOUS);
            if version.id == *previous {
                version.labels.insert(PREVIOUS.to_owned());
                // A rotation that had ended on it is over.
                version.labels.remove(PENDING);
            }
        }
    }
}

impl Secrets {
    /// `RemoveFromVersionId` names the holder of the label whenever there is one that is to lose it (Secrets Manager API
    /// reference, UpdateSecretVersionStage).
    pub(super) fn update_stage(&mut self, body: &Value, now: Moment) -> Result<Value, AwsError> {
        let label = body["VersionStage"].as_str().unwrap_or_default();
        let from = body["RemoveFromVersionId"].as_str();
        let to = body["MoveToVersionId"].as_str();
        let secret = self.usable(body, now)?;
        for id in [from, to].into_iter().flatten() {
            secret.version(id).ok_or_else(|| refusals::no_version(id))?;
        }
        let held = secret.holder(label).map(|version| version.id.clone());
        if from.is_some() && from != held.as_deref() {
            return Err(refusals::parameter(format!(
                "Staging label {label} is not attached to the version in RemoveFromVersionId."
            )));
        }
        let Some(to) = to else {
            if from.is_none() {
                return Err(refusals::parameter(
                    "You must provide RemoveFromVersionId, MoveToVersionId, or both.",
                ));
            }
            if label == CURRENT {
                return Err(refusals::parameter(
                    "You can only move staging label AWSCURRENT to a different secret version. It \
                     can\u{2019}t be completely removed.",
                ));
            }
            for version in &mut secret.versions {
                version.labels.remove(label);
            }
            secret.changed = now;
            return Ok(secret.named());
        };
        if let Some(held) = held.filter(|held| held != to && from.is_none()) {
            return Err(refusals::parameter(format!(
                "The parameter RemoveFromVersionId can't be empty. Staging label {label} is currently \
                 attached to version {held}, so you must explicitly reference that version in \
                 RemoveFromVersionId."
            )));
        }
        let labels = BTreeSet::from([label.to_owned()]);
        secret.check_room_for(&labels, to)?;
        secret.attach(to, &labels);
        secret.changed = now;
        Ok(secret.named())
    }
}
