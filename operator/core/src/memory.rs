//! What is remembered of an object between passes, as far as planning and judging need it: most of it from status. Pure.

use crate::hash::Hash;
use crate::observed::Revision;
use crate::service::{Member, MemberHashes};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::privateservice::PrivateServiceStatus;
use std::collections::BTreeMap;
use std::str::FromStr;

/// What the object's status remembers, as far as planning needs it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// uid of the object; part of the create token.
    pub uid: String,
    /// How often the service was seen gone; part of the create token.
    pub epoch: i64,
    /// True if status names a service: it existed once.
    pub existed: bool,
    /// True if status names a Cloud Map DNS service: it existed once.
    pub dns_existed: bool,
    /// What was applied last, if status remembers.
    pub applied: Option<Applied>,
    /// Identity of a rollout that failed and is not to be tried again.
    pub failed_rollout: Option<Hash>,
    /// Keys of the user's tags that were applied last.
    pub tag_keys: Vec<String>,
    /// The PRIMARY deployment that our last update replaced, for as long as a picture that shows it again may be an old one.
    pub replaced: Option<String>,
    /// Differences (wanted, shown) that were mended before, came back, and are left alone for now.
    pub futile: BTreeMap<Member, (Hash, Hash)>,
}

/// What was sent to AWS last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Intent it was rendered from.
    pub intent: Hash,
    /// Hash of each member as it was rendered.
    pub members: MemberHashes,
}

/// For how long DescribeServices may show a service as it was before an update; seconds, by what other tools report.
const PICTURES_LAG: SignedDuration = SignedDuration::from_mins(1);

/// What planning remembers of earlier passes, read from status.
pub fn memory(uid: &str, status: &PrivateServiceStatus, now: Timestamp) -> Memory {
    let members: MemberHashes = status
        .rendering
        .iter()
        .filter_map(|(name, hash)| Some((Member::from_str(name).ok()?, Hash(hash.clone()))))
        .collect();
    Memory {
        uid: uid.to_owned(),
        epoch: status.create_epoch.unwrap_or(0),
        existed: status.service_arn.is_some(),
        dns_existed: status
            .discovery
            .as_ref()
            .is_some_and(|discovery| discovery.service_id.is_some()),
        applied: status.intent.as_ref().map(|intent| Applied {
            intent: Hash(intent.clone()),
            members,
        }),
        failed_rollout: status
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.failed_hash.clone())
            .map(Hash),
        tag_keys: status.tag_keys.clone(),
        // The one our last update replaced, while an answer may still be from before it.
        replaced: status.rollout.as_ref().and_then(|rollout| {
            let started = rollout.started_at.as_ref()?.0;
            rollout
                .replaces
                .clone()
                .filter(|_| now.duration_since(started) < PICTURES_LAG)
        }),
        futile: std::collections::BTreeMap::new(),
    }
}

/// The revisions that status remembers, for the inventory.
pub fn remembered_revisions(status: &PrivateServiceStatus) -> Vec<Revision> {
    status
        .revisions
        .iter()
        .map(|revision| Revision {
            arn: revision.task_definition.clone(),
            hash: Some(Hash(revision.hash.clone())),
            intent: None,
            active: true,
        })
        .collect()
}
