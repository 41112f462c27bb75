//! What scales a service, between Application Auto Scaling's and CloudWatch's types and ours. Pure.
//!
//! Invariant: whatever is not of our own making comes out as something that equals nothing of ours (`Other`), never as something left out.

mod alarm;
mod policy;

pub(crate) use alarm::{observed_alarm, put_alarm};
pub(crate) use policy::{observed_policy, put_policy};

use aws_sdk_applicationautoscaling::types::{
    ScalableTarget, ScalableTargetAction, ScheduledAction as Action, SuspendedState,
};
use privateservice_core::owner::Owner;
use privateservice_core::scaling::{Bounds, ObservedTarget, ScheduledAction, Suspended, Target};
use std::collections::BTreeMap;

/// A scalable target as AWS shows it.
pub(crate) fn observed_target(found: &ScalableTarget) -> ObservedTarget {
    let state = found.suspended_state();
    let is = |of: fn(&SuspendedState) -> Option<bool>| state.and_then(of).unwrap_or(false);
    ObservedTarget {
        arn: found.scalable_target_arn().map(str::to_owned),
        target: Target {
            bounds: Bounds {
                min: found.min_capacity(),
                max: found.max_capacity(),
            },
            suspended: Suspended {
                scale_in: is(|state| state.dynamic_scaling_in_suspended),
                scale_out: is(|state| state.dynamic_scaling_out_suspended),
                scheduled: is(|state| state.scheduled_scaling_suspended),
            },
        },
    }
}

/// What is suspended, for AWS.
pub(crate) fn suspended(suspended: Suspended) -> SuspendedState {
    SuspendedState::builder()
        .dynamic_scaling_in_suspended(suspended.scale_in)
        .dynamic_scaling_out_suspended(suspended.scale_out)
        .scheduled_scaling_suspended(suspended.scheduled)
        .build()
}

/// A scheduled action as AWS shows it.
pub(crate) fn observed_schedule(found: &Action) -> ScheduledAction {
    let sets = found.scalable_target_action();
    ScheduledAction {
        expression: found.schedule().to_owned(),
        // AWS: PutScheduledAction, Timezone: UTC where there is none.
        timezone: found
            .timezone()
            .filter(|zone| *zone != "UTC" && ScheduledAction::has_zone(found.schedule()))
            .map(str::to_owned),
        min: sets.and_then(ScalableTargetAction::min_capacity),
        max: sets.and_then(ScalableTargetAction::max_capacity),
        limited: found.start_time().is_some() || found.end_time().is_some(),
    }
}

/// What a scheduled action sets, for AWS.
pub(crate) fn sets(action: &ScheduledAction) -> ScalableTargetAction {
    ScalableTargetAction::builder()
        .set_min_capacity(action.min)
        .set_max_capacity(action.max)
        .build()
}

/// Tags for CloudWatch.
pub(crate) fn alarm_tags(tags: &BTreeMap<String, String>) -> Vec<aws_sdk_cloudwatch::types::Tag> {
    tags.iter()
        .map(|(key, value)| {
            aws_sdk_cloudwatch::types::Tag::builder()
                .key(key)
                .value(value)
                .build()
        })
        .collect()
}

/// Tags from CloudWatch.
pub(crate) fn from_alarm(tags: &[aws_sdk_cloudwatch::types::Tag]) -> BTreeMap<String, String> {
    tags.iter()
        .filter_map(|tag| Some((tag.key()?.to_owned(), tag.value().unwrap_or("").to_owned())))
        .collect()
}

/// The owner in a set of tags; an ownership tag of another form is somebody's all the same.
pub(crate) fn owner_in(tags: &BTreeMap<String, String>) -> Option<Owner> {
    Owner::from_tags(tags).or_else(|| {
        let value = tags.get(privateservice_api::meta::TAG_OWNER)?;
        Some(Owner {
            cluster_id: value.clone(),
            namespace: String::new(),
            name: String::new(),
        })
    })
}

#[cfg(test)]
mod tests;
