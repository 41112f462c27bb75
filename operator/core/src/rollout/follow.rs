//! Which rollout is the newest of ours: what status remembers, brought up to date by what AWS shows. Pure.
//!
//! Before a rollout is sent, status says so (an attempt), with what was there before: the PRIMARY deployment and the newest service
//! deployment. If the answer is lost, or the process dies, the next look tells whether it was sent: there is a newer service deployment.

use super::by_service::says_rolling_back;
use super::{active, is_unfinished, is_unread, newest, newest_arn};
use crate::desired::Desired;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{EcsDeployment, Observed, RolloutState, Service};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use privateservice_api::meta;
use privateservice_api::privateservice::{Attempt, RolloutPhase, RolloutStatus};

/// Brings what is remembered of the newest rollout up to date.
pub fn follow(desired: &Desired, observed: &Observed, memory: &mut Memory) {
    let Some(service) = active(observed, desired) else {
        return;
    };
    let Some(primary) = service.primary() else {
        return;
    };
    let scene = Scene {
        desired,
        observed,
        service,
        primary,
    };
    if let Some(attempt) = memory.attempt.take_if(|attempt| scene.was_sent(attempt)) {
        if attempt.redeploy_at.is_some() {
            memory.handled_redeploy = attempt.redeploy_at;
        }
        memory.failed_rollout = None;
        memory.rollout = Some(RolloutStatus {
            phase: Some(RolloutPhase::Progressing),
            identity: Some(attempt.identity),
            replaces: attempt.replaces,
            replaces_service_deployment: attempt.replaces_service_deployment,
            wave: attempt.wave,
            started_at: attempt.at,
            ..RolloutStatus::default()
        });
    }
    if memory.rollout.is_none() {
        scene.recover(memory);
    }
    if let Some(rollout) = &mut memory.rollout
        && is_unfinished(rollout)
    {
        scene.bind(rollout);
    }
}

struct Scene<'a> {
    desired: &'a Desired,
    observed: &'a Observed,
    service: &'a Service,
    primary: &'a EcsDeployment,
}

impl Scene<'_> {
    /// True if AWS shows that an attempt got there. What cannot be told yet is not taken for sent.
    fn was_sent(&self, attempt: &Attempt) -> bool {
        if attempt.replaces.as_ref() == Some(&self.primary.id) {
            return false;
        }
        let newest = newest_arn(self.observed, self.service);
        match (&attempt.replaces_service_deployment, newest) {
            (Some(before), Some(now)) => *before != now,
            // There was none that was known: whatever there is now came later, or cannot be told from it.
            (None, Some(_)) => true,
            (_, None) if is_unread(self.observed, self.service) => false,
            // Only what runs can tell.
            (_, None) => self
                .service
                .deployments
                .iter()
                .any(|one| self.runs_wanted(one)),
        }
    }

    /// Status is lost, or never knew of a rollout: what AWS itself remembers of a failure.
    fn recover(&self, memory: &mut Memory) {
        let tag = self
            .service
            .tags
            .as_ref()
            .and_then(|tags| tags.get(meta::TAG_FAILED));
        if let Some(failed) = tag {
            let stalled = self.primary.rollout_state == Some(RolloutState::Failed);
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
                finished_at: self.primary.updated_at.map(Time),
                ..RolloutStatus::default()
            });
            return;
        }
        // ECS is going back, or has gone, to something else than what is wanted: what is wanted is what failed.
        if let Some(newest) = newest(self.observed, self.service)
            && newest.status.is_rollback()
            && memory.applied.is_none()
            && !self.runs_wanted(self.primary)
        {
            memory.rollout = Some(RolloutStatus {
                phase: Some(RolloutPhase::RollingBack),
                identity: Some(self.desired.rollout_identity().0),
                service_deployment: Some(newest.arn.clone()),
                started_at: newest.created_at.map(Time),
                ..RolloutStatus::default()
            });
        }
    }

    /// Finds the deployment and the service deployment of a rollout that is under way.
    fn bind(&self, rollout: &mut RolloutStatus) {
        let primary = self.primary;
        if rollout.replaces.as_ref() == Some(&primary.id) {
            return;
        }
        let newest_arn = newest_arn(self.observed, self.service)
            .filter(|arn| rollout.replaces_service_deployment.as_ref() != Some(arn));
        if rollout.service_deployment.is_none() {
            rollout.service_deployment.clone_from(&newest_arn);
        }
        let newest = newest(self.observed, self.service)
            .filter(|newest| rollout.service_deployment.as_ref() == Some(&newest.arn));
        let forward = match newest {
            Some(newest) => !newest.status.is_rollback(),
            // Where service deployments cannot be read, what runs must do.
            None => rollout.id.is_none() && !is_unread(self.observed, self.service),
        };
        let failed = self.service.deployments.iter().any(|deployment| {
            rollout.id.as_ref() == Some(&deployment.id)
                && deployment.rollout_state == Some(RolloutState::Failed)
        });
        // What is wanted now may be something else than what was sent; then what runs tells nothing.
        let another = rollout
            .identity
            .as_ref()
            .is_some_and(|identity| *identity != self.desired.rollout_identity().0);
        let plausible = !failed
            && !says_rolling_back(primary)
            && (self.runs_wanted(primary) || (another && newest.is_some()));
        if forward && plausible {
            // Lost with the answer to our update, or that answer was older than the update itself.
            rollout.id = Some(primary.id.clone());
        }
    }

    fn runs_wanted(&self, deployment: &EcsDeployment) -> bool {
        self.observed
            .revisions
            .get(&deployment.task_definition)
            .and_then(|revision| revision.hash.as_ref())
            .is_some_and(|hash| *hash == self.desired.content())
    }
}
