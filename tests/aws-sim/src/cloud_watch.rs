//! The simulated alarms of CloudWatch and the metrics they watch. In: an operation, its JSON and the moment. Out: the answer
//! or the error. No IO. Invariant: an alarm's configuration can be evaluated as it stands.

mod alarm;
mod alarm_rules;
mod alarms_api;
mod evaluation;
mod knobs;
mod load;
mod math;
#[cfg(test)]
mod math_examples;
mod math_kinds;
mod math_parser;
mod metrics;
mod queries;
mod shapes;
mod states;
mod tags;

use std::collections::{BTreeMap, HashMap};

use serde_json::{Value, json};

use crate::clock::Moment;
use crate::ecs::world::World;
use crate::errors::AwsError;
pub(crate) use alarm::Alarm;
pub(crate) use evaluation::Invocation;
pub use load::Load;
use load::Loads;
use metrics::Metrics;

/// Milliseconds.
const MINUTE: u64 = 60_000;

/// All that CloudWatch keeps here.
#[derive(Debug, Default)]
pub(crate) struct CloudWatch {
    /// By name.
    pub(crate) alarms: BTreeMap<String, Alarm>,
    pub(crate) metrics: Metrics,
    pub(crate) loads: Loads,
    /// The last minute, since the Unix epoch, at whose beginning alarms were evaluated.
    evaluated: u64,
}

/// References to alarms, by the ARN of an action they have.
pub(crate) type ByAction<'a> = HashMap<&'a str, Vec<Value>>;

impl CloudWatch {
    fn is_idle(&self) -> bool {
        self.alarms.is_empty() && self.loads.is_empty()
    }

    /// When a minute next ends that matters.
    pub(crate) fn next_minute(&self) -> Option<Moment> {
        (!self.is_idle()).then(|| Moment((self.evaluated + 1) * MINUTE))
    }

    pub(crate) fn end_minute(&mut self, now: Moment) {
        self.evaluated = now.0 / MINUTE;
    }

    /// Skips the minutes until now, in which nothing mattered.
    pub(crate) fn rest(&mut self, now: Moment) {
        if self.is_idle() {
            self.end_minute(now);
        }
    }

    /// The alarms that have one of some actions.
    pub(crate) fn invoking<'a>(&self, actions: impl Iterator<Item = &'a str>) -> ByAction<'a> {
        let mut found: ByAction<'a> = actions.map(|action| (action, Vec::new())).collect();
        for alarm in self.alarms.values() {
            let mut named = Vec::new();
            for action in alarm.all_actions().filter(|one| found.contains_key(one)) {
                if !named.contains(&action) {
                    named.push(action);
                }
            }
            for action in named {
                if let Some(alarms) = found.get_mut(action) {
                    alarms.push(alarm.reference());
                }
            }
        }
        found
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
