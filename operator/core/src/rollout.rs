//! Where the rollout stands, judged from DescribeServices alone. Pure.
//!
//! `rolloutState == COMPLETED` of the PRIMARY deployment alone means nothing: after a rollback it is the old revision that is complete.
//! A rollout counts as complete only if what serves is what the spec asks for.

use crate::desired::Desired;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{EcsDeployment, Observed, RolloutState, Service, ServiceStatus};
use crate::service::{Member, MemberHashes, identity};
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
    // A failure of what the spec asked for before is over as soon as it asks for something else.
    let failure =
        failure(service, primary, observed, &sent, desired, memory, previous).filter(|failure| {
            failure
                .failed
                .as_ref()
                .is_some_and(|hash| concerns(hash, memory, desired))
        });
    if failure.is_some() {
        return failure;
    }
    if let Some(held) = &memory.failed_rollout
        && is_held(memory, desired)
    {
        return Some(still_held(primary, previous, held));
    }
    Some(progress(service, primary))
}

/// True if the rollout that is wanted failed before and is not to be tried again by itself. An operator that renders the same intent
/// differently than the one that tried it holds it too.
pub fn is_held(memory: &Memory, desired: &Desired) -> bool {
    memory
        .failed_rollout
        .as_ref()
        .is_some_and(|failed| concerns(failed, memory, desired))
}

/// True if the identity of a rollout is that of what is wanted, as it is rendered now or as it was when it was sent.
fn concerns(identity_of_rollout: &Hash, memory: &Memory, desired: &Desired) -> bool {
    let sent_for_this = memory.applied.as_ref().is_some_and(|applied| {
        applied.intent == desired.intent && identity(&applied.members) == *identity_of_rollout
    });
    sent_for_this || *identity_of_rollout == desired.rollout_identity()
}

/// The signs of a failure of what was sent, or of what is wanted, that DescribeServices shows.
fn failure(
    service: &Service,
    primary: &EcsDeployment,
    observed: &Observed,
    sent: &MemberHashes,
    desired: &Desired,
    memory: &Memory,
    previous: Option<&RolloutStatus>,
) -> Option<Judgement> {
    let words = |deployment: &EcsDeployment| {
        deployment
            .rollout_reason
            .clone()
            .unwrap_or_else(|| "ECS gave no reason".to_owned())
    };
    let ours = previous.and_then(|rollout| rollout.id.as_deref());
    let wanted = desired.members();
    if primary.rollout_state == Some(RolloutState::Failed)
        && ours.is_none_or(|ours| ours == primary.id)
        && runs(observed, primary, sent)
    {
        // Somebody else's deployment that fails is a difference to mend, not a verdict on ours.
        return Some(Judgement {
            phase: RolloutPhase::Failed,
            id: Some(primary.id.clone()),
            message: words(primary),
            failed: Some(identity(sent)),
        });
    }
    let failed = service.deployments.iter().find(|deployment| {
        let is_ours = ours == Some(&deployment.id);
        // Ours by content, where the answer that named its id was lost: it runs what is wanted, and what serves does not.
        let by_content = runs(observed, deployment, &wanted) && !runs(observed, primary, &wanted);
        !deployment.primary
            && deployment.rollout_state == Some(RolloutState::Failed)
            && (is_ours || by_content)
    });
    let Some(failed) = failed else {
        return gone_back(primary, observed, sent, memory, previous);
    };
    let remembered = previous
        .filter(|rollout| rollout.id.as_ref() == Some(&failed.id))
        .and_then(|rollout| rollout.failed_hash.clone())
        .map(Hash);
    let identity_of_failed = match remembered {
        Some(hash) => hash,
        None if ours == Some(&failed.id) => identity(sent),
        None => identity(&wanted),
    };
    Some(Judgement {
        phase: if primary.rollout_state == Some(RolloutState::Completed) {
            RolloutPhase::RolledBack
        } else {
            RolloutPhase::RollingBack
        },
        id: Some(failed.id.clone()),
        message: words(failed),
        failed: Some(identity_of_failed),
    })
}

/// ECS shows a failed deployment only until its tasks have stopped. If what was being rolled out is gone before it was complete, and
/// something newer that we did not send runs other content, somebody went back: the circuit breaker, or a person.
fn gone_back(
    primary: &EcsDeployment,
    observed: &Observed,
    sent: &MemberHashes,
    memory: &Memory,
    previous: Option<&RolloutStatus>,
) -> Option<Judgement> {
    let rollout = previous?;
    let ours = rollout.id.as_ref()?;
    let unfinished = matches!(
        rollout.phase,
        Some(RolloutPhase::Progressing | RolloutPhase::RollingBack)
    );
    let newer = primary.id != *ours && memory.replaced.as_ref() != Some(&primary.id);
    if !unfinished || !newer || runs(observed, primary, sent) {
        return None;
    }
    let completed = primary.rollout_state == Some(RolloutState::Completed);
    let message = primary
        .rollout_reason
        .clone()
        .filter(|reason| reason.contains("rolling back"))
        .or_else(|| rollout.reason.clone())
        .unwrap_or_else(|| "ECS went back to the version before it was complete".to_owned());
    Some(Judgement {
        phase: if completed {
            RolloutPhase::RolledBack
        } else {
            RolloutPhase::RollingBack
        },
        id: Some(ours.clone()),
        message,
        failed: Some(identity(sent)),
    })
}

/// True if the picture is older than our last update: it shows as PRIMARY what that replaced, and nothing of what it started.
pub fn is_outdated(service: &Service, memory: &Memory, previous: Option<&RolloutStatus>) -> bool {
    let ours = previous.and_then(|rollout| rollout.id.as_ref());
    let replaced = memory.replaced.as_ref();
    ours.is_some()
        && service
            .primary()
            .is_some_and(|primary| Some(&primary.id) == replaced)
        && !service
            .deployments
            .iter()
            .any(|deployment| Some(&deployment.id) == ours)
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

#[cfg(test)]
mod tests;
