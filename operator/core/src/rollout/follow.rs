//! Which rollout is the newest of ours: what status remembers, brought up to date by what AWS shows. Pure.
//!
//! Before a rollout is sent, status says so (an attempt). If the answer is lost, or the process dies, the next look tells whether it was
//! sent: the PRIMARY deployment is another one than it was to replace.

use super::by_service::says_rolling_back;
use super::{active, is_unfinished, newest};
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{Observed, RolloutState};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use privateservice_api::meta;
use privateservice_api::privateservice::{RolloutPhase, RolloutStatus};

/// Brings what is remembered of the newest rollout up to date.
pub fn follow(observed: &Observed, memory: &mut Memory) {
    let Some(service) = active(observed) else {
        return;
    };
    let Some(primary) = service.primary() else {
        return;
    };
    if let Some(attempt) = memory
        .attempt
        .take_if(|attempt| attempt.replaces.as_ref() != Some(&primary.id))
    {
        if attempt.redeploy_at.is_some() {
            memory.handled_redeploy = attempt.redeploy_at;
        }
        memory.failed_rollout = None;
        memory.rollout = Some(RolloutStatus {
            phase: Some(RolloutPhase::Progressing),
            identity: Some(attempt.identity),
            replaces: attempt.replaces,
            started_at: attempt.at,
            ..RolloutStatus::default()
        });
    }
    if memory.rollout.is_none()
        && let Some(failed) = service
            .tags
            .as_ref()
            .and_then(|tags| tags.get(meta::TAG_FAILED))
    {
        // Status is lost; the service itself remembers that a rollout failed.
        let stalled = primary.rollout_state == Some(RolloutState::Failed);
        memory.failed_rollout = Some(Hash(failed.clone()));
        memory.rollout = Some(RolloutStatus {
            phase: Some(if stalled {
                RolloutPhase::Failed
            } else {
                RolloutPhase::RolledBack
            }),
            identity: Some(failed.clone()),
            failed_hash: Some(failed.clone()),
            reason: Some("it failed before, as a tag of the ECS service says".to_owned()),
            finished_at: primary.updated_at.map(Time),
            ..RolloutStatus::default()
        });
    }
    let going_back = says_rolling_back(primary)
        || newest(observed, service)
            .is_some_and(|newest| newest.status.is_open() && !newest.status.is_in_progress());
    let Some(rollout) = &mut memory.rollout else {
        return;
    };
    let replaced = rollout.replaces.as_ref() == Some(&primary.id);
    if is_unfinished(rollout) && rollout.id.is_none() && !replaced && !going_back {
        rollout.id = Some(primary.id.clone());
    }
    // One that has ended is not bound any more: the newest may be that of a rollout that failed, with what it went back to serving again.
    if is_unfinished(rollout) && rollout.service_deployment.is_none() && !replaced {
        rollout
            .service_deployment
            .clone_from(&service.service_deployment);
    }
}
