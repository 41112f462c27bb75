//! The health check of a service. Types only.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// How ECS finds out whether a task works: a command that exits 0 while it does.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[x_kube(validation = Rule::new("has(self.command) != has(self.exec)").message(
    "write exactly one of command and exec: command: \"redis-cli ping\", or exec: [redis-cli, ping]"
))]
pub struct HealthCheck {
    /// A command line run by the container's shell. Exactly one of `command` and `exec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 4096))]
    pub command: Option<String>,

    /// A program and its arguments, run without a shell. Exactly one of `command` and `exec`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 64), inner(length(max = 4096)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub exec: Option<Vec<String>>,

    /// Seconds between two checks, 5 to 300. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 5, max = 300))]
    pub interval_seconds: Option<i32>,

    /// Seconds until a check without an answer has failed, 2 to 120. Default 5. ECS stops at 60:
    /// 61 to 120 run as 60, which `status.effective` shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 120))]
    pub timeout_seconds: Option<i32>,

    /// Failed checks in a row that make a task unhealthy, 1 to 10. Default 3.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 10))]
    pub retries: Option<i32>,

    /// Seconds after the start in which failed checks do not count, 0 to 300. Default 0.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 300))]
    pub start_period_seconds: Option<i32>,
}
