//! How a new version replaces the old one, and the rule that keeps it able to. Types only.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How a new version replaces the old one.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new(PAIR_RULE).message(PAIR_MESSAGE))]
pub struct Rollout {
    /// Percent of the tasks that must stay healthy during a rollout, 0 to 100, rounded up to whole
    /// tasks. Default 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub min_healthy_percent: Option<i32>,

    /// Percent of the tasks that may exist during a rollout, 100 to 200, rounded down to whole
    /// tasks. Default 200.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 100, max = 200))]
    pub max_percent: Option<i32>,

    /// Seconds after which a rollout that is not complete is stopped, and the version before serves again; 1 to 86400.
    /// Default 1800.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 86400))]
    pub progress_deadline_seconds: Option<i32>,

    /// Names of CloudWatch alarms, in the account and region of the service: while a rollout runs, one that goes into ALARM has ECS go
    /// back to the version before. An alarm that is in ALARM when the rollout starts does not count (AWS). At most 10.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 10), inner(length(min = 1, max = 255)))]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub alarms: Vec<String>,

    /// What happens when the tasks of a rollout do not start or do not become healthy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub circuit_breaker: Option<CircuitBreaker>,
}

/// What happens when the tasks of a rollout do not start or do not become healthy.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CircuitBreaker {
    /// Whether ECS gives up on such a rollout. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub enabled: Option<bool>,

    /// Whether ECS then goes back to the version that worked. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback: Option<bool>,
}

/// A service runs at least one task, and one task is the hardest to roll: ECS rounds the minimum
/// up and the maximum down, so it either may stop the one task first (minimum 0) or needs room for
/// a second one (maximum 200).
const PAIR_RULE: &str = "(has(self.minHealthyPercent) ? self.minHealthyPercent : 100) == 0 || \
    (has(self.maxPercent) ? self.maxPercent : 200) >= 200";
const PAIR_MESSAGE: &str = "this pair (100 and 200 where absent) could never roll a service of one \
    task: write minHealthyPercent: 100 and maxPercent: 200, or minHealthyPercent: 0 and \
    maxPercent: 100 to stop the old task first";
