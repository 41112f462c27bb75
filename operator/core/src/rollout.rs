//! Where the newest rollout stands, judged from its service deployment and from DescribeServices. Pure.
//!
//! `rolloutState == COMPLETED` of the PRIMARY deployment alone means nothing: after a rollback it is the old revision that is complete. A
//! rollout counts as complete only if the deployment we started has succeeded and what serves is what the spec asks for. Where AWS has no
//! service deployments, or does not let us read them, what DescribeServices shows must do.

mod by_service;
mod follow;
mod scene;
mod stop;

pub use follow::follow;
pub use stop::{Abort, Asked, abort, course, is_overdue, until_overdue};

use crate::desired::Desired;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{
    Observed, Service, ServiceDeployment, ServiceDeploymentStatus, ServiceStatus,
};
use crate::service::identity;
use privateservice_api::privateservice::{EndedBy, RolloutPhase, RolloutStatus, RolloutTasks};
use scene::Scene;

/// The judgement.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent findings, most of them false most of the time"
)]
pub struct Judgement {
    /// Phase.
    pub phase: RolloutPhase,
    /// Deployment it is about, `ecs-svc/...`.
    pub id: Option<String>,
    /// AWS's words, or ours.
    pub message: String,
    /// Identity of the rollout that failed, if one did: not to be tried again by itself.
    pub failed: Option<Hash>,
    /// What ended it.
    pub ended_by: Option<EndedBy>,
    /// True if going back failed too.
    pub rollback_failed: bool,
    /// False while ECS goes back from something that the spec no longer asks for.
    pub concerns_spec: bool,
    /// Its tasks, while it is under way.
    pub tasks: Option<RolloutTasks>,
    /// Its service deployment, if that can be stopped and has something to go back to.
    pub stoppable: Option<String>,
    /// True if the service deployment must be read before anything new is rolled out.
    pub unsure: bool,
    /// True if reading the service deployment would tell more.
    pub unread: bool,
}

/// Judges the newest rollout of an ACTIVE service; `None` if there is none. The memory must have been brought up to date by [`follow`].
pub fn judge(desired: &Desired, observed: &Observed, memory: &Memory) -> Option<Judgement> {
    let service = active(observed, desired)?;
    let scene = Scene {
        desired,
        observed,
        memory,
        service,
        primary: service.primary()?,
        newest: newest(observed, service),
        rollout: memory.rollout.as_ref(),
    };
    Some(scene.judge())
}

/// True if the rollout that is wanted failed before and is not to be tried again by itself. An operator that renders the same intent
/// differently than the one that tried it holds it too.
pub fn is_held(memory: &Memory, desired: &Desired) -> bool {
    memory
        .failed_rollout
        .as_ref()
        .is_some_and(|failed| concerns(failed, memory, desired))
}

/// True if the picture is older than our last update: it shows as PRIMARY what that replaced, and nothing of what it started.
pub fn is_outdated(service: &Service, memory: &Memory) -> bool {
    let rollout = memory.rollout.as_ref();
    let ours = rollout.and_then(|rollout| rollout.id.as_ref());
    let replaced = memory.replaced.as_ref();
    replaced.is_some()
        && service
            .primary()
            .is_some_and(|primary| Some(&primary.id) == replaced)
        && !service
            .deployments
            .iter()
            .any(|deployment| Some(&deployment.id) == ours)
}

/// True while it is not known how a rollout ended.
fn is_unfinished(rollout: &RolloutStatus) -> bool {
    matches!(
        rollout.phase,
        None | Some(RolloutPhase::Progressing | RolloutPhase::RollingBack)
    )
}

/// True if the identity of a rollout is that of what is wanted, as it is rendered now or as it was when it was sent.
fn concerns(identity_of_rollout: &Hash, memory: &Memory, desired: &Desired) -> bool {
    let sent_for_this = memory.applied.as_ref().is_some_and(|applied| {
        applied.intent == desired.intent
            && identity(&applied.members, desired.redeploy.as_deref()) == *identity_of_rollout
    });
    sent_for_this || *identity_of_rollout == desired.rollout_identity()
}

/// The service, if it is alive and ours.
fn active<'a>(observed: &'a Observed, desired: &Desired) -> Option<&'a Service> {
    observed.service.present().filter(|service| {
        service.status == ServiceStatus::Active && service.owner().as_ref() == Some(&desired.owner)
    })
}

/// The newest service deployment, unless the service shows another one since it was read.
fn newest<'a>(observed: &'a Observed, service: &Service) -> Option<&'a ServiceDeployment> {
    observed.deployment.present().filter(|deployment| {
        service
            .service_deployment
            .as_ref()
            .is_none_or(|arn| *arn == deployment.arn)
    })
}

/// ARN of the newest service deployment, as far as it is known.
pub(crate) fn newest_arn(observed: &Observed, service: &Service) -> Option<String> {
    service
        .service_deployment
        .clone()
        .or_else(|| newest(observed, service).map(|deployment| deployment.arn.clone()))
}

/// True if the newest service deployment could be read and has not been.
fn is_unread(observed: &Observed, service: &Service) -> bool {
    !observed.deployment_unreadable
        && newest(observed, service).is_none()
        && (observed.deployment.is_unknown() || observed.deployment.present().is_some())
}

impl ServiceDeploymentStatus {
    /// True while it puts its new revision into service.
    pub const fn is_in_progress(self) -> bool {
        matches!(self, Self::Pending | Self::InProgress)
    }

    /// True if it goes, or went, back to the revision before.
    pub const fn is_rollback(self) -> bool {
        matches!(
            self,
            Self::RollbackRequested
                | Self::RollbackInProgress
                | Self::RollbackSuccessful
                | Self::RollbackFailed
        )
    }

    /// True while ECS works on it.
    pub const fn is_open(self) -> bool {
        matches!(
            self,
            Self::Pending
                | Self::InProgress
                | Self::StopRequested
                | Self::RollbackRequested
                | Self::RollbackInProgress
        )
    }
}

#[cfg(test)]
mod tests;
