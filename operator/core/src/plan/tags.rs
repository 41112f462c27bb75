//! Tags of the ECS service: ours and the user's are set again when they differ; those of others are left alone.

use super::Plan;
use crate::desired::Desired;
use crate::memory::Memory;
use crate::observed::Service;
use crate::step::Step;
use std::collections::BTreeMap;

/// Adds the tag calls to the plan, if any tag differs.
pub(super) fn plan_tags(desired: &Desired, memory: &Memory, service: &Service, plan: &mut Plan) {
    let Some(have) = &service.tags else { return };
    let missing: BTreeMap<String, String> = desired
        .tags
        .iter()
        .filter(|(key, value)| have.get(*key) != Some(*value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    if !missing.is_empty() {
        plan.steps.push(Step::TagService {
            arn: service.arn.clone(),
            tags: missing,
        });
    }
    // Only what we set before and no longer want is removed.
    let obsolete: Vec<String> = memory
        .tag_keys
        .iter()
        .filter(|key| !desired.tags.contains_key(*key) && have.contains_key(*key))
        .cloned()
        .collect();
    if !obsolete.is_empty() {
        plan.steps.push(Step::UntagService {
            arn: service.arn.clone(),
            keys: obsolete,
        });
    }
}
