//! Creating a service that is known not to be there.

use super::Plan;
use super::dns::registry;
use super::revision::{Choice, choose_revision};
use crate::desired::Desired;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::Observed;
use crate::scaling;
use crate::step::{CreateService, Step};

/// Plans DNS service, task definition and service, in this order: each needs the ARN of the one before.
pub(super) fn plan_create(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    epoch: i64,
) -> Plan {
    let mut plan = Plan {
        epoch,
        ..Plan::default()
    };
    super::adopt::plan_dns_adoption(desired, observed, memory, &mut plan);
    let registry = registry(desired, observed, memory, &mut plan);
    if plan.conflict.is_some() || (desired.dns.is_some() && registry.is_none()) {
        plan.steps.clear();
        return plan;
    }
    let task_definition = match choose_revision(desired, observed, &mut plan) {
        Choice::Use(reference) => reference,
        Choice::Wait => {
            // The DNS service alone is of no use, and a plan that is half waited for is made again anyway.
            plan.steps.clear();
            return plan;
        }
    };
    plan.steps.push(Step::CreateService(Box::new(CreateService {
        cluster_arn: desired.scope.cluster_arn.clone(),
        name: desired.scope.service.clone(),
        client_token: client_token(&memory.uid, epoch),
        task_definition,
        desired_count: scaling::initial_count(desired, &memory.scaling),
        network: desired.network.clone(),
        connect: desired.connect.clone(),
        capacity: desired.capacity.clone(),
        registry,
        deployment: desired.deployment.clone(),
        exec: desired.exec,
        tags: desired.tags.clone(),
    })));
    plan
}

/// The idempotency token of a CreateService: at most 36 ASCII characters (ECS API reference, CreateService).
fn client_token(uid: &str, epoch: i64) -> String {
    Hash::of_text(&format!("{uid}/{epoch}")).0
}
