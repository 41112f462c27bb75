//! The simulated alarms of CloudWatch. In: an operation, its JSON and the moment. Out: the answer or the error. No IO.
//! Invariant: an alarm's configuration can be evaluated as it stands.

// What evaluates them comes with the metrics.
#![allow(dead_code)]

mod alarm;
mod alarm_rules;
mod alarms_api;
mod math;
mod math_kinds;
mod math_parser;
mod queries;
mod shapes;
mod tags;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::ecs::world::World;
use crate::errors::AwsError;
pub(crate) use alarm::Alarm;

/// All that CloudWatch keeps here.
#[derive(Debug, Default)]
pub(crate) struct CloudWatch {
    /// By name.
    pub(crate) alarms: BTreeMap<String, Alarm>,
}

/// References to the alarms that have an action, by its ARN.
pub(crate) type ByAction<'a> = HashMap<&'a str, Vec<Value>>;

impl CloudWatch {
    pub(crate) fn by_action(&self) -> ByAction<'_> {
        let mut by_action = ByAction::new();
        for alarm in self.alarms.values() {
            for action in alarm.all_actions() {
                by_action.entry(action).or_default().push(alarm.reference());
            }
        }
        by_action
    }
}

/// What most mistakes are answered with.
fn refuse(text: impl Into<String>) -> AwsError {
    AwsError::new("ValidationError", text)
}

/// Whether an operation is answered here; every other one is the stand-in's. Other resources than alarms can be tagged
/// too.
pub(crate) fn is_ours(operation: &str, body: &Value) -> bool {
    match operation {
        "PutMetricAlarm" | "DescribeAlarms" | "DeleteAlarms" => true,
        "TagResource" | "UntagResource" | "ListTagsForResource" => body["ResourceARN"]
            .as_str()
            .is_none_or(|arn| arn.contains(":alarm:")),
        _ => false,
    }
}

impl World {
    /// Answers one operation of CloudWatch at `now`.
    pub(crate) fn answer_cloud_watch(
        &mut self,
        operation: &str,
        body: &Value,
        now: Moment,
    ) -> Result<Value, AwsError> {
        self.tick(now);
        let body = &shapes::check(operation, body)?;
        match operation {
            "PutMetricAlarm" => self.put_metric_alarm(body, now),
            "DescribeAlarms" => self.cloud_watch.describe_alarms(body),
            "DeleteAlarms" => self.delete_alarms(body, now),
            "TagResource" => self.cloud_watch.tag_resource(body),
            "UntagResource" => self.cloud_watch.untag_resource(body),
            "ListTagsForResource" => self.cloud_watch.list_tags_for_resource(body),
            _ => Err(AwsError::not_implemented(format!("monitoring:{operation}"))),
        }
    }

    /// Everything of it, for tests and people to look at.
    pub(crate) fn cloud_watch_state(&self) -> Value {
        let alarms = self.cloud_watch.alarms.values();
        json!({"alarms": alarms.map(Alarm::to_json).collect::<Vec<_>>()})
    }
}
