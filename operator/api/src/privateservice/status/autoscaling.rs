//! What status says and remembers of a service's scaling. Types only.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

use crate::privateservice::ScalingPolicy;

/// The scaling in force, with defaults resolved.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EffectiveScaling {
    /// The fewest tasks.
    pub min_tasks: i32,
    /// The most tasks.
    pub max_tasks: i32,
    /// Percent of CPU; 0 is off.
    pub cpu_threshold: i32,
    /// Percent of memory; 0 is off.
    pub memory_threshold: i32,
    /// Requests per task and minute; 0 is off.
    pub request_threshold: i32,
    /// Seconds.
    pub cooldown_seconds: i32,
    /// How the number of tasks follows the thresholds.
    pub policy: ScalingPolicy,
    /// Name of the schedule that set the bounds above, if one did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub schedule: Option<String>,
}

/// What scales the service in AWS, as far as it is known to be ours.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Autoscaling {
    /// ARN of the scalable target.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,

    /// Names of the scaling policies.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub policies: Vec<String>,

    /// Names of the alarms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub alarms: Vec<String>,

    /// Names of the schedules.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub schedules: Vec<String>,

    /// The bounds that were set last, as `minTasks-maxTasks`: while they are wanted, other bounds that a schedule sets stay.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bounds: Option<String>,

    /// Tasks that were wanted last while the service was not paused.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<i32>,

    /// Hash of the tags that the target and the alarms were given last; `mixed` while they are being given others.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tags: Option<String>,

    /// Keys of the tags, the operator's own aside, that may be on the target and the alarms.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 500), inner(length(max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tag_keys: Vec<String>,

    /// Present from the moment `paused` becomes true until tasks are wanted again.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<PausedTasks>,
}

/// A pause: what it began with, and whether it is in force.
#[derive(KubeSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PausedTasks {
    /// Tasks that were wanted before.
    pub tasks_before: i32,
    /// True once the number of tasks was set to 0.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub in_force: bool,
}
