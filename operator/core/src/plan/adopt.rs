//! Taking over what nobody owns, where the spec asks for it and the Environment grants it: first our tags, alone; from the next pass on it is
//! ours, and what differs is brought about like any other change, with the version that serves to go back to.
//!
//! Invariant: what carries an ownership tag, of whatever form, is never touched here.

use super::{Conflict, Plan, WaitingOn};
use crate::desired::Desired;
use crate::memory::Memory;
use crate::observed::{Observed, RolloutState, Service};
use crate::step::Step;

/// Plans the taking over of an ECS service without an owner.
pub(super) fn plan_adoption(desired: &Desired, memory: &Memory, service: &Service) -> Plan {
    if let Some(obstacle) = service.unlike_ours {
        let conflict = Conflict {
            kind: "ECS service",
            arn: service.arn.clone(),
            owner: None,
            obstacle: Some(obstacle),
        };
        return Plan::conflict(memory.epoch, conflict);
    }
    // The end of a deployment that is under way would be taken for the end of ours.
    let settled = match service.deployments.as_slice() {
        [only] => matches!(only.rollout_state, Some(RolloutState::Completed) | None),
        _ => false,
    };
    if !settled {
        return Plan::wait(memory.epoch, WaitingOn::Settling);
    }
    Plan {
        epoch: memory.epoch,
        adopts: true,
        steps: vec![Step::TagService {
            arn: service.arn.clone(),
            tags: desired.tags.clone(),
        }],
        ..Plan::default()
    }
}

/// Adds the taking over of a DNS service of the name, if the service is to have one and nobody owns it.
pub(super) fn plan_dns_adoption(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    plan: &mut Plan,
) {
    let Some(dns) = observed.dns.present() else {
        return;
    };
    // Its description may still name an owner who has let go of it: until it was ours once, the tags are set whatever it says.
    let ours = dns.owner.as_ref() == Some(&desired.owner);
    let unowned = dns.owner.is_none() || (ours && !memory.dns_existed);
    if desired.adopt && desired.dns.is_some() && unowned {
        plan.steps.push(Step::TagDnsService {
            arn: dns.arn.clone(),
            tags: desired.tags.clone(),
        });
    }
}

#[cfg(test)]
mod tests;
