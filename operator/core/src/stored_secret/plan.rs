//! The next call that makes AWS have what is to be stored. Pure.

use super::{CURRENT, ObservedSecret};
use crate::owner::Owner;
use privateservice_api::privateservice::StoredSecret;
use std::collections::BTreeSet;

/// Earlier versions that are kept for going back: those of the last rollouts.
const KEPT_VERSIONS: usize = 5;

/// What status remembers of the secret.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Kept {
    /// Whole ARN; absent before the first creation.
    pub arn: Option<String>,
    /// The newest version that was stored.
    pub newest: Option<String>,
    /// The version that the newest rollout named.
    pub pinned: Option<String>,
    /// Those that rollouts before it named, newest first.
    pub earlier: Vec<String>,
}

impl Kept {
    /// What status says.
    pub fn of(status: &StoredSecret) -> Self {
        Self {
            arn: status.arn.clone(),
            newest: status.version_id.clone(),
            pinned: status.rolled_out_version_id.clone(),
            earlier: status.earlier_version_ids.clone(),
        }
    }

    /// The versions that tasks may still be started with.
    fn in_use(&self) -> BTreeSet<&str> {
        self.pinned
            .iter()
            .chain(&self.earlier)
            .map(String::as_str)
            .collect()
    }

    /// Takes note of a rollout that names this version.
    pub fn roll(&mut self, version: &str) {
        if self.pinned.as_deref() == Some(version) {
            return;
        }
        let before = self.pinned.replace(version.to_owned());
        self.earlier.retain(|one| one != version);
        self.earlier.splice(0..0, before);
        self.earlier.truncate(KEPT_VERSIONS);
    }
}

/// The call to make next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretStep {
    /// `CreateSecret` with the wanted version.
    Create,
    /// `RestoreSecret`: it was scheduled for deletion.
    Restore {
        /// ARN.
        arn: String,
    },
    /// `UpdateSecretVersionStage`: a label that keeps Secrets Manager from removing a version that may still be needed.
    Label {
        /// ARN.
        arn: String,
        /// Version.
        version: String,
    },
    /// `UpdateSecretVersionStage`: takes such a label away.
    Unlabel {
        /// ARN.
        arn: String,
        /// Version.
        version: String,
    },
    /// `PutSecretValue` with the wanted version, which becomes current.
    Put {
        /// ARN.
        arn: String,
    },
    /// `UpdateSecretVersionStage`: the wanted version is there and becomes current again.
    Promote {
        /// ARN.
        arn: String,
        /// The version that is current.
        from: Option<String>,
    },
}

impl SecretStep {
    /// The operation, as logs and metrics name it.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::Create => "secretsmanager:CreateSecret",
            Self::Restore { .. } => "secretsmanager:RestoreSecret",
            Self::Label { .. } | Self::Unlabel { .. } | Self::Promote { .. } => {
                "secretsmanager:UpdateSecretVersionStage"
            }
            Self::Put { .. } => "secretsmanager:PutSecretValue",
        }
    }
}

/// What is to be done about the secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SecretPlan {
    /// The wanted version is stored and current.
    Stored {
        /// Whole ARN.
        arn: String,
    },
    /// It must be described first.
    Read,
    /// A call.
    Do(SecretStep),
    /// The name belongs to somebody else; `None` if its tags name nobody.
    Taken {
        /// ARN.
        arn: String,
        /// Owner.
        owner: Option<Owner>,
    },
}

/// What a description said: `None` if there is no such secret.
pub type Description = Option<ObservedSecret>;

/// Plans the next call. Without a description, status is believed: that is what makes a restart cost nothing.
pub fn plan(wanted: &str, owner: &Owner, kept: &Kept, seen: Option<&Description>) -> SecretPlan {
    let secret = match seen {
        None => {
            return match &kept.arn {
                Some(arn) if kept.newest.as_deref() == Some(wanted) => {
                    SecretPlan::Stored { arn: arn.clone() }
                }
                Some(_) => SecretPlan::Read,
                // A creation refuses a name that is there: nothing can be overwritten by it.
                None => SecretPlan::Do(SecretStep::Create),
            };
        }
        Some(None) => return SecretPlan::Do(SecretStep::Create),
        Some(Some(secret)) => secret,
    };
    let arn = secret.arn.clone();
    if secret.owner.as_ref() != Some(owner) {
        return SecretPlan::Taken {
            arn,
            owner: secret.owner.clone(),
        };
    }
    if secret.deleted {
        return SecretPlan::Do(SecretStep::Restore { arn });
    }
    if secret.current() == Some(wanted) {
        return SecretPlan::Stored { arn };
    }
    if secret.versions.contains_key(wanted) {
        let from = secret.current().map(str::to_owned);
        return SecretPlan::Do(SecretStep::Promote { arn, from });
    }
    // The current version becomes the previous one, and so keeps a label of AWS's own for one more change.
    let in_use = kept.in_use();
    for (version, labels) in &secret.versions {
        let label = stored_label(version);
        let kept = in_use.contains(version.as_str());
        let current = labels.contains(CURRENT);
        if kept && !current && !labels.contains(&label) {
            let version = version.clone();
            return SecretPlan::Do(SecretStep::Label { arn, version });
        }
        if !kept && labels.contains(&label) {
            let version = version.clone();
            return SecretPlan::Do(SecretStep::Unlabel { arn, version });
        }
    }
    SecretPlan::Do(SecretStep::Put { arn })
}

/// The staging label that keeps a version. Labels are unique among the versions of a secret.
pub fn stored_label(version: &str) -> String {
    let start: String = version.chars().take(16).collect();
    format!("kept-{start}")
}
