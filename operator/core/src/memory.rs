//! What is remembered of an object between passes, as far as planning and judging need it: most of it from status. Pure.

use crate::desired::Desired;
use crate::hash::Hash;
use crate::observed::Revision;
use crate::scaling;
use crate::service::{Member, MemberHashes};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::privateservice::{Attempt, EndedBy, PrivateServiceStatus, RolloutStatus};
use std::collections::BTreeMap;
use std::str::FromStr;

/// What the object's status remembers, as far as planning needs it.
#[derive(Clone, Debug, Default, PartialEq)]
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
    /// Identity of the newest rollout, if it failed: it is not to be tried again by itself.
    pub failed_rollout: Option<Hash>,
    /// The newest rollout, as status remembers it; see [`crate::rollout::follow`].
    pub rollout: Option<RolloutStatus>,
    /// A rollout that was about to be sent when status was written last.
    pub attempt: Option<Attempt>,
    /// The redeploy that was acted on last.
    pub handled_redeploy: Option<String>,
    /// What the judgement of the rollout means for planning.
    pub course: Course,
    /// Keys of the user's tags that were applied last.
    pub tag_keys: Vec<String>,
    /// The PRIMARY deployment that our last update replaced, for as long as a picture that shows it again may be an old one.
    pub replaced: Option<String>,
    /// Differences (wanted, shown) that were mended before, came back, and are left alone for now.
    pub futile: BTreeMap<Member, (Hash, Hash)>,
    /// What is remembered of its scaling.
    pub scaling: scaling::Memory,
}

impl Memory {
    /// True if a redeploy was asked for and not acted on. Where status is lost nothing is: whoever restores objects asks for no restart.
    pub fn redeploy_due(&self, desired: &Desired) -> bool {
        self.applied.is_some()
            && desired.redeploy.is_some()
            && desired.redeploy != self.handled_redeploy
    }
}

/// What the judgement of the newest rollout means for planning.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Course {
    /// What became of the rollout cannot be told before its service deployment has been read.
    pub unsure: bool,
    /// ECS is going back to the version before: nothing new is rolled out meanwhile, because it would have nothing to go back to.
    pub going_back: bool,
    /// The rollout is complete.
    pub complete: bool,
    /// A service deployment to stop, and why.
    pub stop: Option<(String, EndedBy)>,
}

/// What was sent to AWS last.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Applied {
    /// Intent it was rendered from.
    pub intent: Hash,
    /// The service's own part of it; `None` if an operator applied it that did not know of such.
    pub own: Option<Hash>,
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
            own: status.own_intent.clone().map(Hash),
            members,
        }),
        failed_rollout: status
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.failed_hash.clone())
            .map(Hash),
        rollout: status.rollout.clone(),
        attempt: status.attempt.clone(),
        handled_redeploy: status.last_handled_redeploy_at.clone(),
        course: Course::default(),
        tag_keys: status.tag_keys.clone(),
        // The one our last update replaced, while an answer may still be from before it.
        replaced: replaced(status, now),
        futile: std::collections::BTreeMap::new(),
        scaling: scaling::memory(status),
    }
}

/// The deployment that our last update replaced, while an answer of AWS may still be from before it. A forced update that may have been
/// sent counts: sending it twice would replace all tasks twice.
fn replaced(status: &PrivateServiceStatus, now: Timestamp) -> Option<String> {
    let recent = |at: Option<&Time>| at.is_some_and(|at| now.duration_since(at.0) < PICTURES_LAG);
    let attempt = status
        .attempt
        .as_ref()
        .filter(|attempt| attempt.forced && recent(attempt.at.as_ref()))
        .and_then(|attempt| attempt.replaces.clone());
    attempt.or_else(|| {
        let rollout = status.rollout.as_ref()?;
        let replaces = rollout.replaces.clone()?;
        recent(rollout.started_at.as_ref()).then_some(replaces)
    })
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
