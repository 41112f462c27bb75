//! The Cloud Map DNS service: made before the ECS service that registers with it, removed once nothing does.

use super::{Conflict, Need, Plan, WaitingOn};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::memory::Memory;
use crate::observed::{Observed, RolloutState, Service};
use crate::step::{Reference, Step};

/// The DNS service a service is to be registered with: known, to be created first, or to be waited for.
pub(super) fn registry(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    plan: &mut Plan,
) -> Option<Reference> {
    let dns = desired.dns.as_ref()?;
    match &observed.dns {
        Fact::Unknown => {
            plan.waiting_on.push(WaitingOn::Read(Need::Dns));
            None
        }
        Fact::Absent { .. } if memory.dns_existed && !observed.dns.is_absence_confirmed() => {
            plan.waiting_on
                .push(WaitingOn::AbsenceConfirmation(Need::Dns));
            None
        }
        Fact::Absent { .. } => {
            plan.steps.push(Step::CreateDnsService {
                dns: dns.clone(),
                tags: desired.tags.clone(),
            });
            Some(Reference::FromEarlierStep)
        }
        Fact::Present { value, .. }
            if value.owner.as_ref() == Some(&desired.owner)
                || (desired.adopt && value.owner.is_none()) =>
        {
            Some(Reference::Known(value.arn.clone()))
        }
        Fact::Present { value, .. } => {
            plan.conflict = Some(Conflict {
                kind: "Cloud Map service",
                arn: value.arn.clone(),
                owner: value.owner.clone(),
                obstacle: None,
            });
            None
        }
    }
}

/// Removes a DNS service of ours that the spec no longer wants, after the ECS service was taken out of it.
pub(super) fn plan_unwanted(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    service: &Service,
    plan: &mut Plan,
) {
    let registered = service
        .registries
        .as_ref()
        .is_some_and(|registries| !registries.is_empty());
    // While a rollout is undecided, ECS may go back to tasks that are registered with it.
    let [only] = service.deployments.as_slice() else {
        return;
    };
    let decided = matches!(only.rollout_state, Some(RolloutState::Completed) | None);
    if desired.dns.is_some() || !memory.dns_existed || registered || !decided {
        return;
    }
    match &observed.dns {
        Fact::Unknown => plan.waiting_on.push(WaitingOn::Read(Need::Dns)),
        Fact::Present { value, .. } if value.owner.as_ref() == Some(&desired.owner) => {
            plan.steps.push(Step::DeleteDnsService {
                id: value.id.clone(),
            });
        }
        Fact::Present { .. } | Fact::Absent { .. } => {}
    }
}
