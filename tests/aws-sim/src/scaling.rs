//! The simulated Application Auto Scaling, for ECS services. In: an operation, its JSON and the moment. Out:
//! the answer or the error. No IO. Invariant: a target belongs to a service that exists, and a policy or
//! scheduled action to a target.

mod act;
mod activities;
mod address;
mod cooldown;
mod cron;
mod over_time;
mod page;
mod policies;
mod schedule;
mod scheduled_actions;
mod shapes;
mod step;
mod step_rules;
mod tags;
mod targets;
mod tracking;
mod tracking_alarms;
mod tracking_rules;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;
use crate::options::ScalingOptions;
use activities::Activity;
pub use activities::ScalingActivity;
use targets::Target;

/// Operations answered here; any other is a loud 501.
const KNOWN_OPERATIONS: [&str; 13] = [
    "RegisterScalableTarget",
    "DeregisterScalableTarget",
    "DescribeScalableTargets",
    "PutScalingPolicy",
    "DeleteScalingPolicy",
    "DescribeScalingPolicies",
    "PutScheduledAction",
    "DeleteScheduledAction",
    "DescribeScheduledActions",
    "DescribeScalingActivities",
    "TagResource",
    "UntagResource",
    "ListTagsForResource",
];

/// All that Application Auto Scaling keeps.
#[derive(Debug, Default)]
pub(crate) struct Scaling {
    targets: BTreeMap<ServiceKey, Target>,
    /// By the ARN of a policy, whose it is.
    owners: HashMap<String, ServiceKey>,
    /// Newest last.
    activities: Vec<Activity>,
    /// Which activity of a service waits to be fulfilled.
    open: BTreeMap<ServiceKey, usize>,
    /// When the next scheduled action takes place.
    next_schedule: Option<Moment>,
}

/// What most mistakes are answered with.
fn refuse(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationException", text)
}

impl World {
    pub(crate) fn scaling_options(&self) -> ScalingOptions {
        self.options.scaling.unwrap_or_default()
    }

    /// Answers one operation of Application Auto Scaling at `now`.
    pub(crate) fn answer_scaling(
        &mut self,
        operation: &str,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        self.tick(now);
        let unknown = || AwsError::not_implemented(format!("application-autoscaling:{operation}"));
        if !KNOWN_OPERATIONS.contains(&operation) {
            return Err(unknown());
        }
        let body = &shapes::check(operation, body)?;
        match operation {
            "RegisterScalableTarget" => self.register_scalable_target(body, now),
            "DeregisterScalableTarget" => self.deregister_scalable_target(body, now),
            "DescribeScalableTargets" => self.describe_scalable_targets(body),
            "PutScalingPolicy" => self.put_scaling_policy(body, now),
            "DeleteScalingPolicy" => self.delete_scaling_policy(body, now),
            "DescribeScalingPolicies" => self.describe_scaling_policies(body),
            "PutScheduledAction" => self.put_scheduled_action(body, now),
            "DeleteScheduledAction" => self.delete_scheduled_action(body),
            "DescribeScheduledActions" => self.describe_scheduled_actions(body),
            "DescribeScalingActivities" => self.describe_scaling_activities(body),
            "TagResource" => self.scaling.tag_resource(body),
            "UntagResource" => self.scaling.untag_resource(body),
            "ListTagsForResource" => self.scaling.list_tags_for_resource(body),
            _ => Err(unknown()),
        }
    }

    /// Everything of it, for tests and people to look at.
    pub(crate) fn scaling_state(&self) -> Value {
        let targets: Vec<Value> = self
            .scaling
            .targets
            .iter()
            .map(|(key, target)| {
                let mut shown = target.to_json(key, &self.options);
                shown["Policies"] = json!(self.policies_json(key, target));
                let actions = target.scheduled.values();
                shown["ScheduledActions"] =
                    json!(actions.map(|one| one.to_json(key)).collect::<Vec<_>>());
                shown
            })
            .collect();
        let activities = self.scaling.activities.iter().rev();
        json!({
            "targets": targets,
            "activities": activities.map(Activity::to_json).collect::<Vec<_>>(),
        })
    }
}
