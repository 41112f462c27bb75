//! Scaling activities. In: a count to set and its cause. Out: the changed service and a record of it. No IO.

use serde_json::{Value, json};

use super::address;
use super::page;
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};
use crate::errors::AwsError;

/// Something Application Auto Scaling did to a service.
#[derive(Debug, Clone)]
pub(super) struct Activity {
    pub(super) id: String,
    pub(super) key: ServiceKey,
    /// The desired count it set.
    pub(super) to: u32,
    pub(super) cause: String,
    pub(super) started: Moment,
    pub(super) ended: Option<Moment>,
    pub(super) status: &'static str,
}

impl Activity {
    pub(super) fn to_json(&self) -> Value {
        let to = self.to;
        let so_far = match self.status {
            "Successful" => "Change successfully fulfilled by ecs.",
            "Overridden" => "Change was overridden by a later scaling activity.",
            "Unfulfilled" => "Change was not fulfilled by ecs.",
            _ => "Waiting for change to be fulfilled by ecs.",
        };
        let mut shown = json!({
            "ActivityId": self.id,
            "ServiceNamespace": address::NAMESPACE,
            "ResourceId": address::resource_id(&self.key),
            "ScalableDimension": address::DIMENSION,
            "Description": format!("Setting desired count to {to}."),
            "Cause": self.cause,
            "StartTime": self.started.seconds(),
            "StatusCode": self.status,
            "StatusMessage": format!("Successfully set desired count to {to}. {so_far}"),
        });
        if let Some(ended) = self.ended {
            shown["EndTime"] = json!(ended.seconds());
        }
        shown
    }
}

/// Something Application Auto Scaling did to a service, for tests to look at.
#[derive(Debug, Clone, PartialEq)]
pub struct ScalingActivity {
    /// The desired count it set.
    pub desired_count: u32,
    /// Why.
    pub cause: String,
    /// `InProgress`, `Successful`, `Overridden`, `Unfulfilled`.
    pub status: String,
}

impl World {
    /// What was done to the services of a name, the oldest first.
    pub(crate) fn scaling_activities(&self, service: &str) -> Vec<ScalingActivity> {
        let activities = self.scaling.activities.iter();
        let own = activities.filter(|activity| activity.key.1 == service);
        own.map(|activity| ScalingActivity {
            desired_count: activity.to,
            cause: activity.cause.clone(),
            status: activity.status.to_owned(),
        })
        .collect()
    }

    /// Sets a service's desired count on behalf of Application Auto Scaling.
    pub(super) fn scale(&mut self, key: &ServiceKey, to: u32, cause: String, now: Moment) {
        let before = self.scaling.open.remove(key);
        let before = before.and_then(|index| self.scaling.activities.get_mut(index));
        if let Some(before) = before {
            before.status = "Overridden";
            before.ended = Some(now);
        }
        let activity = Activity {
            id: self.ids.uuid(),
            key: key.clone(),
            to,
            cause,
            started: now,
            ended: None,
            status: "InProgress",
        };
        let index = self.scaling.activities.len();
        self.scaling.open.insert(key.clone(), index);
        self.scaling.activities.push(activity);
        self.set_desired(key, to, now);
    }

    /// The newest first.
    pub(super) fn describe_scaling_activities(&self, body: &Value) -> Result<Value, AwsError> {
        let wanted = address::filter(body)?;
        let activities = self.scaling.activities.iter().rev();
        let activities =
            activities.filter(|one| wanted.as_ref().is_none_or(|wanted| one.key == *wanted));
        page::of(
            body,
            activities.collect(),
            "ScalingActivities",
            50,
            Activity::to_json,
        )
    }
}
