//! Tags of the ECS service: ours and the user's are set again when they differ; those of others are left alone.

use super::Plan;
use crate::desired::Desired;
use crate::memory::Memory;
use crate::observed::Service;
use crate::step::Step;
use privateservice_api::meta;
use std::collections::BTreeMap;

/// Adds the tag calls to the plan, if any tag differs.
pub(super) fn plan_tags(desired: &Desired, memory: &Memory, service: &Service, plan: &mut Plan) {
    let Some(have) = &service.tags else { return };
    // A rollout that failed is not tried again, even if status is lost.
    let failed = memory
        .failed_rollout
        .as_ref()
        // A write makes what is known of the rollout uncertain: not in the middle of it.
        .filter(|_| !memory.course.going_back)
        .map(|hash| (meta::TAG_FAILED.to_owned(), hash.0.clone()));
    let missing: BTreeMap<String, String> = desired
        .tags
        .clone()
        .into_iter()
        .chain(failed)
        .filter(|(key, value)| have.get(key) != Some(value))
        .collect();
    if !missing.is_empty() {
        plan.steps.push(Step::TagService {
            arn: service.arn.clone(),
            tags: missing,
        });
    }
    // Only what we set before and no longer want is removed.
    let recovered = memory.course.complete && memory.failed_rollout.is_none();
    let obsolete: Vec<String> = memory
        .tag_keys
        .iter()
        .map(String::as_str)
        .chain(recovered.then_some(meta::TAG_FAILED))
        .filter(|key| !desired.tags.contains_key(*key) && have.contains_key(*key))
        .map(str::to_owned)
        .collect();
    if !obsolete.is_empty() {
        plan.steps.push(Step::UntagService {
            arn: service.arn.clone(),
            keys: obsolete,
        });
    }
}
