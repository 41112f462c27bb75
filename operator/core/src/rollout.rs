//! Where the rollout stands, judged from DescribeServices alone. Pure.
//!
//! `rolloutState == COMPLETED` of the PRIMARY deployment alone means nothing: after a rollback it is the old revision that is complete.
//! A rollout counts as complete only if what serves is what the spec asks for.

use crate::desired::Desired;
use crate::hash::Hash;
use crate::observed::{EcsDeployment, Observed, RolloutState, Service, ServiceStatus};
use crate::plan::Memory;
use crate::service::{Member, MemberHashes};
use privateservice_api::privateservice::{RolloutPhase, RolloutStatus};

/// The judgement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Judgement {
    /// Phase.
    pub phase: RolloutPhase,
    /// Deployment it is about, `ecs-svc/...`.
    pub id: Option<String>,
    /// AWS's words, or ours.
    pub message: String,
    /// Identity of the rollout that failed, if one did: not to be tried again by itself.
    pub failed: Option<Hash>,
}

/// Identity of a rollout: everything that replaces tasks when it changes.
pub fn identity(members: &MemberHashes) -> Hash {
    let rolling: MemberHashes = members
        .iter()
        .filter(|(member, _)| member.rolls())
        .map(|(member, hash)| (*member, hash.clone()))
        .collect();
    Hash::of(&rolling)
}

/// Judges the rollout of an ACTIVE service; `None` if there is none.
pub fn judge(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    previous: Option<&RolloutStatus>,
) -> Option<Judgement> {
    let service = observed.service.present()?;
    if service.status != ServiceStatus::Active {
        return None;
    }
    let primary = service.primary()?;
    // What was sent last; a status that is lost is as good as the present spec.
    let sent = memory
        .applied
        .as_ref()
        .map_or_else(|| desired.members(), |a| a.members.clone());
    let ours = previous.and_then(|rollout| rollout.id.as_deref());
    if let Some(failure) = failure(service, primary, observed, &sent, ours) {
        return Some(Judgement {
            failed: Some(identity(&sent)),
            ..failure
        });
    }
    if let Some(held) = &memory.failed_rollout
        && *held == identity(&desired.members())
    {
        return Some(still_held(primary, previous, held));
    }
    Some(progress(service, primary))
}

/// The signs of a failed rollout that DescribeServices shows.
fn failure(
    service: &Service,
    primary: &EcsDeployment,
    observed: &Observed,
    sent: &MemberHashes,
    ours: Option<&str>,
) -> Option<Judgement> {
    let words = |deployment: &EcsDeployment| {
        deployment
            .rollout_reason
            .clone()
            .unwrap_or_else(|| "ECS gave no reason".to_owned())
    };
    if primary.rollout_state == Some(RolloutState::Failed) {
        return Some(Judgement {
            phase: RolloutPhase::Failed,
            id: Some(primary.id.clone()),
            message: words(primary),
            failed: None,
        });
    }
    let failed = service.deployments.iter().find(|deployment| {
        !deployment.primary
            && deployment.rollout_state == Some(RolloutState::Failed)
            && (ours == Some(&deployment.id) || runs(observed, deployment, sent))
    })?;
    // A newer deployment of what we sent supersedes the one that failed.
    if runs(observed, primary, sent) && ours == Some(&primary.id) {
        return None;
    }
    Some(Judgement {
        phase: if primary.rollout_state == Some(RolloutState::Completed) {
            RolloutPhase::RolledBack
        } else {
            RolloutPhase::RollingBack
        },
        id: Some(failed.id.clone()),
        message: words(failed),
        failed: None,
    })
}

/// True if a deployment runs the task definition content that was sent last.
fn runs(observed: &Observed, deployment: &EcsDeployment, sent: &MemberHashes) -> bool {
    observed
        .revisions
        .get(&deployment.task_definition)
        .and_then(|revision| revision.hash.as_ref())
        .is_some_and(|hash| sent.get(&Member::TaskDefinition) == Some(hash))
}

/// A failure remembered from before, whose signs AWS no longer shows.
fn still_held(primary: &EcsDeployment, previous: Option<&RolloutStatus>, held: &Hash) -> Judgement {
    let before = previous.and_then(|rollout| rollout.phase);
    let phase = match before {
        Some(RolloutPhase::Failed) => RolloutPhase::Failed,
        _ if primary.rollout_state == Some(RolloutState::InProgress) => RolloutPhase::RollingBack,
        _ => RolloutPhase::RolledBack,
    };
    Judgement {
        phase,
        id: previous.and_then(|rollout| rollout.id.clone()),
        message: previous
            .and_then(|rollout| rollout.reason.clone())
            .unwrap_or_else(|| "the rollout failed".to_owned()),
        failed: Some(held.clone()),
    }
}

fn progress(service: &Service, primary: &EcsDeployment) -> Judgement {
    let complete = match primary.rollout_state {
        Some(RolloutState::Completed) => true,
        Some(RolloutState::InProgress | RolloutState::Failed) => false,
        // Where no rollout state is shown: one deployment that runs all its tasks.
        None => service.deployments.len() == 1 && primary.running_count >= primary.desired_count,
    };
    Judgement {
        phase: if complete {
            RolloutPhase::Complete
        } else {
            RolloutPhase::Progressing
        },
        id: Some(primary.id.clone()),
        message: format!(
            "{} of {} new tasks run",
            primary.running_count, primary.desired_count
        ),
        failed: None,
    }
}
