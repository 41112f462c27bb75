//! The judgement of one service's newest rollout, from everything that is known of it. Pure.

use super::by_service::ended_by_words;
use super::{Judgement, concerns, is_held, is_unfinished, is_unread};
use crate::desired::Desired;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{
    EcsDeployment, Observed, RolloutState, Service, ServiceDeployment, ServiceDeploymentStatus,
};
use crate::service::identity;
use privateservice_api::privateservice::{EndedBy, RolloutPhase, RolloutStatus, RolloutTasks};

/// What a judgement is made from.
pub(super) struct Scene<'a> {
    pub(super) desired: &'a Desired,
    pub(super) observed: &'a Observed,
    pub(super) memory: &'a Memory,
    pub(super) service: &'a Service,
    pub(super) primary: &'a EcsDeployment,
    /// The newest service deployment, if it is known and the service still shows the same.
    pub(super) newest: Option<&'a ServiceDeployment>,
    pub(super) rollout: Option<&'a RolloutStatus>,
}

impl Scene<'_> {
    pub(super) fn judge(&self) -> Judgement {
        let unfinished = self.rollout.is_some_and(is_unfinished);
        // Whether it was sent cannot be told yet.
        let pending = self
            .memory
            .attempt
            .as_ref()
            .is_some_and(|attempt| attempt.replaces.as_ref() != Some(&self.primary.id));
        let unread = is_unread(self.observed, self.service)
            && (unfinished
                || pending
                || self.rollout.is_none()
                    && self.primary.rollout_state != Some(RolloutState::Completed));
        if unread && (pending || self.is_suspicious()) || self.is_contradictory() {
            return self.undecided();
        }
        let failure = self
            .by_service_deployment()
            .or_else(|| self.ended_before())
            .or_else(|| self.by_service());
        if let Some(mut failure) = failure {
            failure.concerns_spec = failure
                .failed
                .as_ref()
                .is_some_and(|hash| concerns(hash, self.memory, self.desired));
            // A failure of what the spec asked for before is over as soon as ECS has gone back.
            if failure.concerns_spec || failure.phase == RolloutPhase::RollingBack {
                return failure;
            }
        }
        match &self.memory.failed_rollout {
            Some(held) if is_held(self.memory, self.desired) => self.still_held(held),
            Some(_) | None => self.progress(unread),
        }
    }

    /// The rollout that is followed is not what DescribeServices shows at work.
    fn is_suspicious(&self) -> bool {
        let ours = self.rollout.and_then(|rollout| rollout.id.as_ref());
        ours != Some(&self.primary.id) || self.primary.rollout_state == Some(RolloutState::Failed)
    }

    /// The service deployment of the rollout tells of no rollback, while DescribeServices shows another deployment at work that is not known to
    /// be ours: one of the two is behind the other.
    fn is_contradictory(&self) -> bool {
        let Some(rollout) = self.rollout.filter(|rollout| is_unfinished(rollout)) else {
            return false;
        };
        rollout.id.as_ref() != Some(&self.primary.id)
            && rollout.replaces.as_ref() != Some(&self.primary.id)
            && self
                .ours()
                .is_some_and(|deployment| !deployment.status.is_rollback())
    }

    /// The newest service deployment, if it is that of the rollout that is followed.
    pub(super) fn ours(&self) -> Option<&ServiceDeployment> {
        let newest = self.newest?;
        let rollout = self.rollout?;
        let bound = rollout.service_deployment.as_ref();
        if rollout.replaces_service_deployment.as_ref() == Some(&newest.arn) {
            return None;
        }
        // One that is not bound yet: whatever is newest came with it, or after it.
        let is_ours = match bound {
            Some(arn) => *arn == newest.arn,
            None => is_unfinished(rollout),
        };
        is_ours.then_some(newest)
    }

    /// The rollout's own service deployment tells how it failed.
    fn by_service_deployment(&self) -> Option<Judgement> {
        use ServiceDeploymentStatus as Status;
        let deployment = self.ours()?;
        let rollout = self.rollout?;
        let failed_here = self.primary.rollout_state == Some(RolloutState::Failed)
            && rollout.id.as_ref() == Some(&self.primary.id);
        let (phase, rollback_failed) = match deployment.status {
            Status::RollbackRequested | Status::RollbackInProgress => {
                (RolloutPhase::RollingBack, false)
            }
            Status::RollbackSuccessful => (RolloutPhase::RolledBack, false),
            Status::RollbackFailed => (RolloutPhase::Failed, true),
            Status::Stopped | Status::StopRequested
                if deployment.breaker_triggered || failed_here =>
            {
                (RolloutPhase::Failed, false)
            }
            // The deployment has failed and ECS has not said yet whether it goes back.
            Status::Pending | Status::InProgress if failed_here && !deployment.has_source => {
                (RolloutPhase::Failed, false)
            }
            Status::Stopped
            | Status::StopRequested
            | Status::Pending
            | Status::InProgress
            | Status::Successful => return None,
        };
        let words = deployment
            .rollback_reason
            .clone()
            .or_else(|| deployment.reason.clone())
            // The service may be the newer picture of the two.
            .or_else(|| self.primary.rollout_reason.clone().filter(|_| failed_here))
            .or_else(|| rollout.reason.clone())
            .unwrap_or_else(|| "ECS gave no reason".to_owned());
        Some(Judgement {
            phase,
            id: rollout.id.clone(),
            ended_by: Some(ended_by(deployment, &words, rollout.ended_by)),
            message: words,
            failed: Some(self.identity_of_rollout()),
            rollback_failed,
            tasks: Some(tasks_of(deployment)),
            ..Judgement::default()
        })
    }

    /// Identity of the rollout that is followed: as status remembers it, else of what was sent last; a status that is lost is as good as
    /// the present spec.
    pub(super) fn identity_of_rollout(&self) -> Hash {
        let remembered = self
            .rollout
            .and_then(|rollout| rollout.identity.clone().or(rollout.failed_hash.clone()));
        let sent = || {
            self.memory.applied.as_ref().map_or_else(
                || self.desired.rollout_identity(),
                |applied| identity(&applied.members, self.memory.handled_redeploy.as_deref()),
            )
        };
        remembered.map_or_else(sent, Hash)
    }

    /// A rollout that has ended stays as it ended, whatever older signs DescribeServices still shows.
    fn ended_before(&self) -> Option<Judgement> {
        let rollout = self.rollout?;
        let held = self.memory.failed_rollout.as_ref()?;
        let ended = match rollout.phase? {
            RolloutPhase::RolledBack => true,
            // ECS may still begin to go back.
            RolloutPhase::Failed => {
                rollout.rollback_failed || rollout.id.as_ref() == Some(&self.primary.id)
            }
            RolloutPhase::Progressing | RolloutPhase::RollingBack | RolloutPhase::Complete => false,
        };
        ended.then(|| self.still_held(held))
    }

    /// A failure remembered from before, whose signs AWS no longer shows.
    fn still_held(&self, held: &Hash) -> Judgement {
        let before = self.rollout;
        let phase = match before.and_then(|rollout| rollout.phase) {
            Some(RolloutPhase::Failed) => RolloutPhase::Failed,
            _ if self.primary.rollout_state == Some(RolloutState::InProgress)
                && before.is_some_and(is_unfinished) =>
            {
                RolloutPhase::RollingBack
            }
            _ => RolloutPhase::RolledBack,
        };
        Judgement {
            phase,
            id: before.and_then(|rollout| rollout.id.clone()),
            message: before
                .and_then(|rollout| rollout.reason.clone())
                .unwrap_or_else(|| "the rollout failed".to_owned()),
            failed: Some(held.clone()),
            ended_by: before.and_then(|rollout| rollout.ended_by),
            rollback_failed: before.is_some_and(|rollout| rollout.rollback_failed),
            concerns_spec: true,
            ..Judgement::default()
        }
    }

    /// Nothing can be said before the service deployment has been read.
    fn undecided(&self) -> Judgement {
        Judgement {
            phase: self
                .rollout
                .and_then(|rollout| rollout.phase)
                .unwrap_or_default(),
            id: self.rollout.and_then(|rollout| rollout.id.clone()),
            message: self
                .rollout
                .and_then(|rollout| rollout.reason.clone())
                .unwrap_or_else(|| "reading how the rollout stands".to_owned()),
            failed: self.memory.failed_rollout.clone(),
            ended_by: self.rollout.and_then(|rollout| rollout.ended_by),
            concerns_spec: true,
            unsure: true,
            unread: true,
            ..Judgement::default()
        }
    }

    fn progress(&self, unread: bool) -> Judgement {
        let primary = self.primary;
        let completed = match primary.rollout_state {
            Some(RolloutState::Completed) => true,
            Some(RolloutState::InProgress | RolloutState::Failed) => false,
            // Where no rollout state is shown: one deployment that runs all its tasks.
            None => {
                self.service.deployments.len() == 1
                    && primary.running_count >= primary.desired_count
            }
        };
        let finished_before = self.rollout.is_some_and(|rollout| {
            rollout.phase == Some(RolloutPhase::Complete)
                && rollout.id.as_ref() == Some(&primary.id)
        });
        let open = self.newest.is_some_and(|newest| newest.status.is_open());
        let complete = completed && (finished_before || !(open || unread));
        let stoppable = self
            .ours()
            .filter(|deployment| deployment.status.is_in_progress() && deployment.has_source)
            .map(|deployment| deployment.arn.clone());
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
            concerns_spec: true,
            ended_by: self
                .rollout
                .filter(|_| !complete)
                .and_then(|rollout| rollout.ended_by),
            tasks: (!complete).then_some(RolloutTasks {
                desired: primary.desired_count,
                running: primary.running_count,
                pending: primary.pending_count,
                failed: primary.failed_tasks,
            }),
            stoppable: stoppable.filter(|_| !complete),
            unread,
            ..Judgement::default()
        }
    }
}

fn tasks_of(deployment: &ServiceDeployment) -> RolloutTasks {
    RolloutTasks {
        desired: deployment.desired_count,
        running: deployment.running_count,
        pending: deployment.pending_count,
        failed: deployment.failed_tasks,
    }
}

/// What ended a service deployment: what it shows itself, else what we asked for, else what AWS's words say.
fn ended_by(deployment: &ServiceDeployment, words: &str, asked: Option<EndedBy>) -> EndedBy {
    if !deployment.triggered_alarms.is_empty() {
        EndedBy::Alarm
    } else if deployment.breaker_triggered {
        EndedBy::CircuitBreaker
    } else {
        asked.unwrap_or_else(|| ended_by_words(words))
    }
}
