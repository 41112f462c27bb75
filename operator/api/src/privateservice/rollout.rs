//! How a new version replaces the old one, and the rule that keeps it able to. Types only.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How a new version replaces the old one.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
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

// How many tasks are rolled: the fewest there may be, because the fewer, the harder; none need no rolling.
macro_rules! tasks {
    () => {
        "[([has(self.scaling) && has(self.scaling.minTasks) ? self.scaling.minTasks : 1] + \
        (has(self.scaling) && has(self.scaling.schedules) ? self.scaling.schedules.filter(s, \
        has(s.minTasks) && s.minTasks > 0).map(s, s.minTasks) : [])).min()]"
    };
}

/// ECS rounds the minimum up and the maximum down (ECS API reference, DeploymentConfiguration), so that of so many tasks it must either be
/// able to stop one first, or have room for one more.
pub(super) const PAIR_RULE: &str = concat!(
    "!has(self.rollout) || ",
    tasks!(),
    ".all(n, \
    n * (100 - (has(self.rollout.minHealthyPercent) ? self.rollout.minHealthyPercent : 100)) >= 100 || \
    n * ((has(self.rollout.maxPercent) ? self.rollout.maxPercent : 200) - 100) >= 100)"
);
/// Numbers are spelled out: the API server's estimate of what text made of a number costs is beyond its budget.
pub(super) const PAIR_MESSAGE: &str = concat!(
    tasks!(),
    ".map(n, 'this pair (100 and 200 where absent) could never roll a service of ' + \
    (n == 1 ? 'one task' : n == 2 ? 'two tasks' : 'so few tasks') + \
    ': write minHealthyPercent: 100 and maxPercent: ' + \
    (n == 1 ? '200' : n == 2 ? '150' : n == 3 ? '134' : n == 4 ? '125' : '120') + \
    ', or minHealthyPercent: ' + \
    (n == 1 ? '0' : n == 2 ? '50' : n == 3 ? '66' : n == 4 ? '75' : '80') + \
    ' and maxPercent: 100 to stop an old task first')[0]"
);
