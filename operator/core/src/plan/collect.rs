//! Revisions that nobody will want again are deregistered, one at a time and only when nothing else is to be done: registrations and
//! deregistrations share one bucket (1 a second; ECS developer guide, Request throttling).

use super::Plan;
use crate::desired::Desired;
use crate::memory::Memory;
use crate::names;
use crate::observed::{Observed, Service};
use crate::step::Step;

/// Revisions kept beside the one that serves: the last good one and ten more.
const KEPT: usize = 11;

/// Adds the deregistration of the oldest revision that is not kept, if the plan is settled and the rollout complete.
pub(super) fn plan_collect(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    service: &Service,
    plan: &mut Plan,
) {
    if !plan.is_settled() || !memory.course.complete || plan.rollout_held {
        return;
    }
    let in_use = |arn: &str| {
        service.task_definition == arn
            || service
                .deployments
                .iter()
                .any(|deployment| deployment.task_definition == arn)
            || desired
                .pinned
                .as_ref()
                .is_some_and(|pinned| pinned.arn == arn)
    };
    // Only what our registrations, or an owner tag, made known as ours carries a hash.
    let mut idle: Vec<&String> = observed
        .revisions
        .values()
        .filter(|revision| revision.active && revision.hash.is_some() && !in_use(&revision.arn))
        .map(|revision| &revision.arn)
        .collect();
    idle.sort_by_key(|arn| std::cmp::Reverse(names::revision_number(arn)));
    plan.collect =
        idle.get(KEPT..)
            .and_then(|old| old.last())
            .map(|arn| Step::DeregisterTaskDefinition {
                arn: (*arn).clone(),
            });
}
