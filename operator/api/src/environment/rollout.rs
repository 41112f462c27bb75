//! How fast an edit of an Environment reaches its services. Types only; no IO.

use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// Paces the rollouts that an edit of the Environment causes across its services. An edit of a service itself, its first
/// creation, scaling, tags and deletion never wait.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentRollout {
    /// How many services may be in such a rollout at once, 1 to 100. Default 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 100))]
    pub max_concurrent: Option<i32>,

    /// After how many failed rollouts of one edit the services that it has not reached yet keep what they run, 0 to 100; 0 never stops.
    /// They go on when the failed services are mended or the Environment is changed again. Default 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 0, max = 100))]
    pub stop_after_failures: Option<i32>,
}
