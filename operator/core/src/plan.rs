//! From [`Desired`] and [`Observed`] to the fewest calls that make them agree. Pure and immutable: executing a plan leaves nothing to
//! decide. Where nothing may be done yet, the plan says what it waits for.
//!
//! Invariants: at most one `UpdateService`; never a create on an `Unknown` or unconfirmed absence; never a step on what carries another
//! owner's tag; a converged service plans nothing ([`Plan::is_settled`]).

mod adopt;
mod collect;
mod create;
mod delete;
mod dns;
mod drift;
mod revision;
mod tags;

pub use delete::{Remains, plan_deletion};
pub use drift::Drift;

use crate::desired::Desired;
use crate::fact::Fact;
use crate::memory::Memory;
use crate::observed::{Observed, Service, ServiceStatus};
use crate::owner::Owner;
use crate::service::MemberHashes;
use crate::step::Step;
use crate::wave::Hold;
use privateservice_api::privateservice::RolloutWave;
use serde::Serialize;

/// A fact to read before the plan can go on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Need {
    /// The ECS service.
    Service,
    /// The DNS listing of the namespace.
    Dns,
    /// The newest revision of the family.
    Newest,
    /// One revision, by ARN.
    Revision(String),
    /// The newest service deployment.
    Deployment,
    /// The tasks that stopped.
    Stopped,
    /// What scales the service.
    Scaling,
    /// The owner in the tags of a scalable target or an alarm, by ARN.
    Owner(String),
    /// The secrets that the spec names, which are read apart from all this.
    Secrets,
}

/// Why a plan holds fewer steps than there are differences.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
pub enum WaitingOn {
    /// Not read yet, or the read failed.
    Read(Need),
    /// AWS says it is gone, but it existed: a second read, half a minute later, must say so too.
    AbsenceConfirmation(Need),
    /// A deleted service of that name still stops its tasks.
    Draining,
    /// The service that is to be taken over is in the middle of a deployment that somebody else began.
    Settling,
    /// ECS is going back to the version before; what is wanted now is rolled out after that, so that it has something to go back to.
    Rollback,
    /// Only the Environment was edited, and such an edit reaches its services in waves.
    Wave(Hold),
}

/// A name in AWS that is not ours.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Conflict {
    /// `ECS service`, `Cloud Map service`, `scalable target` or `CloudWatch alarm`.
    pub kind: &'static str,
    /// Its ARN.
    pub arn: String,
    /// The owner its tags name; `None` if they name nobody.
    pub owner: Option<Owner>,
    /// Why it is not taken over although that was asked for, in words that follow "it".
    pub obstacle: Option<&'static str>,
}

/// What to do now.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Plan {
    /// Calls, in order.
    pub steps: Vec<Step>,
    /// What keeps further steps back.
    pub waiting_on: Vec<WaitingOn>,
    /// Members that differ, and why each is or is not acted on.
    pub drift: Vec<Drift>,
    /// Must be in status before the steps run: the create epoch they were planned with.
    pub epoch: i64,
    /// Set if the name belongs to somebody else; then there are no steps.
    pub conflict: Option<Conflict>,
    /// Members whose rendering changed while the intent did not (the operator is newer), with the hash of what stays in force until the
    /// next change of intent.
    pub held: MemberHashes,
    /// True if the rollout this spec asks for failed before and is not tried again.
    pub rollout_held: bool,
    /// True if a redeploy is due; the update of this plan carries it, if there is one.
    pub redeploy: bool,
    /// True if a step takes over an ECS service that nobody owns.
    pub adopts: bool,
    /// A call that only tidies up, made when everything else is done.
    pub collect: Option<Step>,
    /// The edit of the Environment that alone causes the rollout of this plan.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<RolloutWave>,
}

impl Plan {
    /// True if nothing is to be done or waited for.
    pub fn is_settled(&self) -> bool {
        self.steps.is_empty() && self.waiting_on.is_empty() && self.conflict.is_none()
    }

    /// The facts to read before the next pass.
    pub fn needs(&self) -> Vec<Need> {
        self.waiting_on
            .iter()
            .filter_map(|waiting| match waiting {
                WaitingOn::Read(need) => Some(need.clone()),
                WaitingOn::AbsenceConfirmation(_)
                | WaitingOn::Draining
                | WaitingOn::Settling
                | WaitingOn::Rollback
                | WaitingOn::Wave(_) => None,
            })
            .collect()
    }

    /// A plan that does nothing but wait.
    pub fn wait(epoch: i64, waiting_on: WaitingOn) -> Self {
        Self {
            epoch,
            waiting_on: vec![waiting_on],
            ..Self::default()
        }
    }

    fn conflict(epoch: i64, conflict: Conflict) -> Self {
        Self {
            epoch,
            conflict: Some(conflict),
            ..Self::default()
        }
    }
}

/// Plans the way from observed to desired.
pub fn plan(desired: &Desired, observed: &Observed, memory: &Memory) -> Plan {
    match &observed.service {
        Fact::Unknown => Plan::wait(memory.epoch, WaitingOn::Read(Need::Service)),
        Fact::Absent { .. } => {
            if memory.existed && !observed.service.is_absence_confirmed() {
                return Plan::wait(memory.epoch, WaitingOn::AbsenceConfirmation(Need::Service));
            }
            create::plan_create(desired, observed, memory, next_epoch(memory))
        }
        Fact::Present { value: service, .. } => match service.status {
            ServiceStatus::Active => update(desired, observed, memory, service),
            ServiceStatus::Draining => Plan::wait(memory.epoch, WaitingOn::Draining),
            // Explicitly gone, so that one read is enough.
            ServiceStatus::Inactive => {
                create::plan_create(desired, observed, memory, next_epoch(memory))
            }
        },
    }
}

/// A token must not replay the creation of a service that has been there and is gone.
fn next_epoch(memory: &Memory) -> i64 {
    memory.epoch + i64::from(memory.existed)
}

fn update(desired: &Desired, observed: &Observed, memory: &Memory, service: &Service) -> Plan {
    if service.tags.is_none() {
        // Whose it is was not said.
        return Plan::wait(memory.epoch, WaitingOn::Read(Need::Service));
    }
    let owner = service.owner();
    if desired.adopt && service.is_unowned() {
        return adopt::plan_adoption(desired, memory, service);
    }
    if owner.as_ref() != Some(&desired.owner) {
        let conflict = Conflict {
            kind: "ECS service",
            arn: service.arn.clone(),
            owner,
            obstacle: None,
        };
        return Plan::conflict(memory.epoch, conflict);
    }
    let mut plan = Plan {
        epoch: memory.epoch,
        ..Plan::default()
    };
    adopt::plan_dns_adoption(desired, observed, memory, &mut plan);
    drift::plan_update(desired, observed, memory, service, &mut plan);
    if plan.conflict.is_some() {
        return plan;
    }
    tags::plan_tags(desired, memory, service, &mut plan);
    dns::plan_unwanted(desired, observed, memory, service, &mut plan);
    collect::plan_collect(desired, observed, memory, service, &mut plan);
    plan
}

#[cfg(test)]
mod tests;
