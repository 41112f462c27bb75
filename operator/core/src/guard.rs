//! The last look at a plan before it is executed: laws that no plan may break, whatever produced it. Pure.
//!
//! A violation is a bug of ours, not of the user's: the plan is dropped and the bug is told loudly.

use crate::fact::Fact;
use crate::observed::{Observed, ServiceStatus};
use crate::owner::Owner;
use crate::plan::Plan;
use crate::scaling;
use crate::step::{CreateService, Step};
use privateservice_api::meta;

/// A law that a plan breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Violation {
    /// More than one UpdateService: each would start a deployment of its own.
    #[error("a plan updates the service {0} times")]
    SeveralUpdates(usize),
    /// A creation although the name is not known to be free.
    #[error("a plan creates a service that is not known to be absent")]
    CreateOnGuess,
    /// A call on something that does not carry our ownership tag.
    #[error("a plan calls {0} on something that does not carry our ownership tag")]
    NotOurs(&'static str),
    /// Something would be made without an ownership tag.
    #[error("a plan makes something by {0} without our ownership tag")]
    Untagged(&'static str),
    /// A conflict or a wait with steps that need it resolved.
    #[error("a plan acts although the name belongs to somebody else")]
    ActsOnConflict,
}

/// Checks a plan against what it was made from.
///
/// # Errors
/// The first law it breaks.
pub fn check(plan: &Plan, observed: &Observed, owner: &Owner) -> Result<(), Violation> {
    if plan.conflict.is_some() && !plan.steps.is_empty() {
        return Err(Violation::ActsOnConflict);
    }
    let updates = plan
        .steps
        .iter()
        .filter(|step| matches!(step, Step::UpdateService(_)))
        .count();
    if updates > 1 {
        return Err(Violation::SeveralUpdates(updates));
    }
    plan.steps
        .iter()
        .try_for_each(|step| check_step(step, plan.adopts, observed, owner))
}

fn check_step(
    step: &Step,
    adopts: bool,
    observed: &Observed,
    owner: &Owner,
) -> Result<(), Violation> {
    let operation = step.operation();
    let ours = |holds: bool| {
        if holds {
            Ok(())
        } else {
            Err(Violation::NotOurs(operation))
        }
    };
    let service = observed.service.present();
    let service_is_ours = |arn: &str| {
        service.is_some_and(|service| service.arn == arn && service.owner().as_ref() == Some(owner))
    };
    let dns = observed
        .dns
        .present()
        .filter(|dns| dns.owner.as_ref() == Some(owner));
    let tagged = |tags: &std::collections::BTreeMap<String, String>| {
        if tags.get(meta::TAG_OWNER) == Some(&owner.tag_value()) {
            Ok(())
        } else {
            Err(Violation::Untagged(operation))
        }
    };
    match step {
        Step::CreateDnsService { tags, .. } => {
            if !matches!(observed.dns, Fact::Absent { .. }) {
                return Err(Violation::CreateOnGuess);
            }
            tagged(tags)
        }
        Step::RegisterTaskDefinition { tags, .. } => tagged(tags),
        Step::CreateService(create) => {
            let CreateService { tags, .. } = create.as_ref();
            let free = match &observed.service {
                Fact::Absent { .. } => true,
                Fact::Present { value, .. } => value.status == ServiceStatus::Inactive,
                Fact::Unknown => false,
            };
            if !free {
                return Err(Violation::CreateOnGuess);
            }
            tagged(tags)
        }
        Step::UpdateService(update) => ours(service_is_ours(&update.arn)),
        Step::TagService { arn, tags } if adopts => {
            ours(service.is_some_and(|service| service.arn == *arn && service.is_unowned()))?;
            tagged(tags)
        }
        Step::TagDnsService { arn, tags } => {
            let dns = observed.dns.present();
            ours(dns.is_some_and(|dns| {
                dns.arn == *arn && dns.owner.as_ref().is_none_or(|one| one == owner)
            }))?;
            tagged(tags)
        }
        Step::TagService { arn, .. }
        | Step::UntagService { arn, .. }
        | Step::StopServiceDeployment { service: arn, .. }
        | Step::DeleteService { arn, .. } => ours(service_is_ours(arn)),
        // Only what our own registrations, or the owner tag of a read, made known carries a hash.
        Step::DeregisterTaskDefinition { arn } => ours(
            observed
                .revisions
                .get(arn)
                .is_some_and(|revision| revision.hash.is_some())
                && service.is_none_or(|service| service.task_definition != *arn),
        ),
        Step::UntagDnsService { arn, .. } => ours(dns.is_some_and(|dns| dns.arn == *arn)),
        Step::DeleteDnsService { id } => ours(dns.is_some_and(|dns| dns.id == *id)),
        Step::Scaling(step) => scaling::check(step, observed, owner),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures::{empty, memory, owner, resolved};
    use crate::plan::plan;

    #[test]
    fn a_plan_made_for_one_state_of_aws_is_refused_in_another() {
        let desired = resolved("{source: {image: {name: 'redis:7'}}}").desired;
        let plan = plan(&desired, &empty(), &memory());
        assert_eq!(check(&plan, &empty(), &owner()), Ok(()));
        let mut unknown = empty();
        unknown.service = Fact::Unknown;
        assert_eq!(
            check(&plan, &unknown, &owner()),
            Err(Violation::CreateOnGuess)
        );
        let other = Owner {
            namespace: "team-b".into(),
            ..owner()
        };
        assert!(matches!(
            check(&plan, &empty(), &other),
            Err(Violation::Untagged(_))
        ));
    }

    #[test]
    fn what_is_not_ours_is_never_deleted() {
        let plan = Plan {
            steps: vec![Step::DeleteDnsService { id: "srv-9".into() }],
            ..Plan::default()
        };
        assert!(matches!(
            check(&plan, &empty(), &owner()),
            Err(Violation::NotOurs(_))
        ));
    }
}
