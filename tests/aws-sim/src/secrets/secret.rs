//! One secret and its versions, and how operations show them. Plain data; no IO. Invariant: version ids are unique, and
//! versions stand in the order they were made.

use std::collections::BTreeSet;

use serde_json::{Map, Value, json};

use super::refusals;
use super::tags::{self, Tags};
use super::value::SecretValue;
use crate::clock::Moment;
use crate::errors::AwsError;

const DAY_IN_MILLISECONDS: u64 = 24 * 60 * 60 * 1000;

/// One version; without labels it is deprecated.
#[derive(Debug, Clone)]
pub(super) struct Version {
    pub(super) id: String,
    pub(super) value: SecretValue,
    pub(super) labels: BTreeSet<String>,
    pub(super) created: Moment,
    accessed: Option<Moment>,
}

impl Version {
    pub(super) fn new(id: &str, value: SecretValue, created: Moment) -> Self {
        Self {
            id: id.to_owned(),
            value,
            labels: BTreeSet::new(),
            created,
            accessed: None,
        }
    }

    /// As ListSecretVersionIds shows it.
    pub(super) fn listed(&self, key: Option<&str>) -> Value {
        let mut shown = json!({
            "VersionId": self.id, "CreatedDate": self.created.seconds(),
            "KmsKeyIds": [key.unwrap_or("DefaultEncryptionKey")],
        });
        if !self.labels.is_empty() {
            shown["VersionStages"] = json!(self.labels);
        }
        if let Some(at) = self.accessed {
            shown["LastAccessedDate"] = json!(at.seconds());
        }
        shown
    }
}

/// That a secret is on its way out.
#[derive(Debug, Clone, Copy)]
pub(super) struct Deletion {
    pub(super) asked: Moment,
    pub(super) due: Moment,
    /// Without recovery.
    pub(super) is_forced: bool,
}

#[derive(Debug, Clone)]
pub(super) struct Secret {
    pub(super) arn: String,
    pub(super) name: String,
    /// Its place in the order in which secrets were made.
    pub(super) number: u64,
    pub(super) description: Option<String>,
    pub(super) key: Option<String>,
    /// `None` until it is first tagged.
    pub(super) tags: Option<Tags>,
    pub(super) versions: Vec<Version>,
    pub(super) created: Moment,
    pub(super) changed: Moment,
    pub(super) accessed: Option<Moment>,
    pub(super) deletion: Option<Deletion>,
}

impl Secret {
    pub(super) fn is_gone(&self, now: Moment) -> bool {
        self.deletion.is_some_and(|deletion| deletion.due <= now)
    }

    pub(super) fn version(&self, id: &str) -> Option<&Version> {
        self.versions.iter().find(|version| version.id == id)
    }

    /// The version that has a label.
    pub(super) fn holder(&self, label: &str) -> Option<&Version> {
        let mut versions = self.versions.iter();
        versions.find(|version| version.labels.contains(label))
    }

    /// The version that `VersionId` and `VersionStage` name together; without either the current one.
    pub(super) fn selected(
        &self,
        id: Option<&str>,
        label: Option<&str>,
    ) -> Result<&Version, AwsError> {
        let Some(id) = id else {
            let label = label.unwrap_or(super::stages::CURRENT);
            return self.holder(label).ok_or_else(|| refusals::no_stage(label));
        };
        let found = self.version(id).ok_or_else(|| refusals::no_version(id))?;
        if label.is_some_and(|label| !found.labels.contains(label)) {
            return Err(refusals::stage_of_another_version());
        }
        Ok(found)
    }

    /// Notes that a version was read; to the day, as AWS does.
    pub(super) fn note_access(&mut self, id: &str, now: Moment) {
        let day = Moment(now.0 - now.0 % DAY_IN_MILLISECONDS);
        self.accessed = Some(day);
        for version in self.versions.iter_mut().filter(|version| version.id == id) {
            version.accessed = Some(day);
        }
    }

    /// ARN and name, which most answers are.
    pub(super) fn named(&self) -> Value {
        json!({"ARN": self.arn, "Name": self.name})
    }

    /// As DescribeSecret shows it.
    pub(super) fn described(&self) -> Value {
        self.shown("VersionIdsToStages")
    }

    /// As ListSecrets shows it.
    pub(super) fn listed(&self) -> Value {
        self.shown("SecretVersionsToStages")
    }

    fn shown(&self, versions_member: &str) -> Value {
        let mut shown = self.named();
        shown["CreatedDate"] = json!(self.created.seconds());
        shown["LastChangedDate"] = json!(self.changed.seconds());
        if let Some(description) = &self.description {
            shown["Description"] = json!(description);
        }
        if let Some(key) = &self.key {
            shown["KmsKeyId"] = json!(key);
        }
        if let Some(at) = self.accessed {
            shown["LastAccessedDate"] = json!(at.seconds());
        }
        if let Some(deletion) = &self.deletion {
            shown["DeletedDate"] = json!(deletion.asked.seconds());
        }
        if let Some(tags) = &self.tags {
            shown["Tags"] = tags::shown(tags);
        }
        let labelled = self
            .versions
            .iter()
            .filter(|version| !version.labels.is_empty());
        let labelled: Map<String, Value> = labelled
            .map(|version| (version.id.clone(), json!(version.labels)))
            .collect();
        if !labelled.is_empty() {
            shown[versions_member] = Value::Object(labelled);
        }
        shown
    }
}
