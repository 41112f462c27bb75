//! What the operator reports about a service. Types only.
//!
//! Besides what users read, it holds the operator's own bookkeeping (`createEpoch`, `intent`,
//! `rendering`, `revisions`, `discovery`, `region`), so that a restart and a deletion need nothing
//! but this object.

mod autoscaling;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, Time};
use kube::KubeSchema;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::environment::AssumeRole;

pub use autoscaling::{Autoscaling, EffectiveScaling, PausedTasks};

/// What the operator reports about a service.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PrivateServiceStatus {
    /// The generation of the spec this status is about; -1 on an object nobody has looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready always; Reconciling and Stalled only while True; others as they apply.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// Where the service is reached, one entry per port.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub endpoints: Vec<Endpoint>,

    /// The Environment the service runs in; frozen at the first one used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub environment: Option<String>,

    /// The AWS region the service runs in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,

    /// The role that is assumed for it; absent where the operator's own credentials are used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,

    /// ARN of the ECS cluster.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster: Option<String>,

    /// ARN of the ECS service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_arn: Option<String>,

    /// ARN of the task definition the ECS service was last told to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition_arn: Option<String>,

    /// What serves now.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployed: Option<Deployed>,

    /// The newest rollout.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<RolloutStatus>,

    /// Counts of tasks.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<TaskCounts>,

    /// The values in force, with defaults resolved and limits applied.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effective: Option<Effective>,

    /// Bookkeeping: what scales the service in AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub autoscaling: Option<Autoscaling>,

    /// Where the output of the tasks is read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs: Option<Logs>,

    /// What the variables that are secrets are read from, as last rolled out. Never values, never
    /// hashes of values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 400))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub secrets: Vec<SecretInUse>,

    /// The secret in Secrets Manager that holds what comes from Kubernetes Secrets.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stored_secret: Option<StoredSecret>,

    /// The secrets of Secrets Manager that the service names without a `versionId`, or by name: their
    /// versions. Never values.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 400))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["id".into()]))]
    pub aws_secrets: Vec<WatchedSecret>,

    /// The Cloud Map service that answers DNS queries for the name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub discovery: Option<Discovery>,

    /// How often a service of this object was seen gone; part of the token that keeps AWS from
    /// creating it twice.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub create_epoch: Option<i64>,

    /// Hash of the spec and its resolved inputs, as last sent to AWS.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub intent: Option<String>,

    /// Hash of the service's own part of `intent`: its spec and what that refers to, without what its Environment adds. Tells a
    /// rollout that an edit of the Environment causes from one that is the service's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub own_intent: Option<String>,

    /// Hashes of what was last sent to AWS, by part.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend("maxProperties" = 16))]
    pub rendering: BTreeMap<String, String>,

    /// Task definitions of this service that may be used again, newest first: the one that
    /// serves, the last good one and ten more. Older ones stay here until they are deregistered.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 32))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub revisions: Vec<Revision>,

    /// Bookkeeping: keys of the tags the spec and the Environment asked for last, so that a tag that is no longer
    /// asked for can be removed while tags of others stay.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50), inner(length(max = 128)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub tag_keys: Vec<String>,

    /// The newest value of `flexstack.dev/reconcile-at` or `reconcile.fluxcd.io/requestedAt` that
    /// was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_reconcile_at: Option<String>,

    /// The newest value of `flexstack.dev/redeploy-at` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_redeploy_at: Option<String>,

    /// The newest value of `flexstack.dev/abort-at` that was acted on.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_handled_abort_at: Option<String>,

    /// The revision that `flexstack.dev/rollback-to` asks for, as `family:revision`, while it is set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollback_to: Option<String>,

    /// The newest five tasks that failed, newest first. They stay when ECS has forgotten them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub failures: Vec<TaskFailure>,

    /// Bookkeeping: the rollout that was about to be sent to AWS, until it is known what became of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attempt: Option<Attempt>,
}

/// What a variable that is a secret is read from.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SecretInUse {
    /// Name of the variable.
    pub name: String,
    /// ARN of the secret or parameter.
    pub arn: String,
    /// Id of the version; absent where each task takes the one that is current when it starts.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
}

/// The secret in Secrets Manager that holds what comes from Kubernetes Secrets.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StoredSecret {
    /// Its name.
    pub name: String,
    /// Its ARN; absent until AWS has said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The newest version that was stored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The version that tasks of the newest rollout have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_out_version_id: Option<String>,
    /// True if `versionId` waits for the next rollout.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
    /// Bookkeeping: versions that rollouts before had, newest first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 8), inner(length(max = 64)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub earlier_version_ids: Vec<String>,
    /// Bookkeeping: what the operator's key makes of `versionId`'s content; the same as `versionId`
    /// unless that key was lost.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub computed_id: Option<String>,
    /// Bookkeeping: tells the operator's key from another.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
}

/// A secret of Secrets Manager that somebody else keeps.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct WatchedSecret {
    /// Its name or ARN, as the spec names it.
    pub id: String,
    /// Its ARN; absent until AWS has said it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
    /// The version that is current, as last read; absent where the operator cannot see it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version_id: Option<String>,
    /// The version that tasks of the newest rollout have.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rolled_out_version_id: Option<String>,
    /// True if tasks are started with whatever version is current then: their rollout named none,
    /// because the operator could not see it. The next rollout names one.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unnamed: bool,
    /// True if `versionId` waits for the next rollout.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub pending: bool,
}

/// A task that failed.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFailure {
    /// Id of the task.
    pub task: String,
    /// ECS's code of why it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stop_code: Option<String>,
    /// ECS's words on why it stopped, shortened.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// Exit code of the container, if it ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i32>,
    /// Name of the container that the reason is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub container: Option<String>,
    /// When it stopped.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
    /// The task's log in the AWS console; empty if the task never ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logs_url: Option<String>,
    /// The ECS deployment it was started for, `ecs-svc/...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deployment: Option<String>,
    /// The task definition it ran, as `family:revision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<String>,
}

/// A rollout that was about to be sent to AWS.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attempt {
    /// Hash of what is rolled out.
    pub identity: String,
    /// The ECS deployment it replaces; absent for a new service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// The ECS service deployment that was the newest then, an ARN.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces_service_deployment: Option<String>,
    /// The value of `flexstack.dev/redeploy-at` it answers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub redeploy_at: Option<String>,
    /// True if sending it twice would replace the tasks twice.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub forced: bool,
    /// The edit of the Environment that alone causes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<RolloutWave>,
    /// When it was about to be sent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// The edit of an Environment that alone causes a rollout.
#[derive(KubeSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutWave {
    /// `metadata.generation` of the Environment.
    pub environment_generation: i64,
    /// True if the rollout before it had failed by the service's own doing: should this one fail too, that says nothing about the edit.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub failed_before: bool,
}

/// Where one port is reached.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Endpoint {
    /// Name of the port.
    pub name: String,
    /// Host name inside the private network.
    pub host: String,
    /// Port number.
    pub port: i32,
}

/// What serves now.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Deployed {
    /// The image, with its digest where AWS reports one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
    /// The task definition as `family:revision`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_definition: Option<String>,
    /// When its rollout was complete.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at: Option<Time>,
}

/// A rollout: the newest one.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutStatus {
    /// Where it stands.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phase: Option<RolloutPhase>,
    /// The ECS deployment it is about, `ecs-svc/...`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The ECS service deployment it is about, an ARN; a rollback is part of the one it undoes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_deployment: Option<String>,
    /// Hash of what is rolled out.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub identity: Option<String>,
    /// Tasks of the new version.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tasks: Option<RolloutTasks>,
    /// What ended it, or is about to, if it did not succeed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Bookkeeping: the ECS deployment that it replaces; an answer of AWS that still shows that one is an old picture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces: Option<String>,
    /// Bookkeeping: the ECS service deployment that was the newest before this rollout; it tells nothing about this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub replaces_service_deployment: Option<String>,
    /// True if going back to the version before failed too.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub rollback_failed: bool,
    /// The edit of the Environment that alone caused it; absent if the service itself was edited.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub wave: Option<RolloutWave>,
    /// Why it stands there, in AWS's words where there are some.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// When it began.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<Time>,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<Time>,
    /// Hash of what failed to roll out; it is not tried again by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub failed_hash: Option<String>,
}

/// Tasks of the new version during a rollout.
#[derive(KubeSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RolloutTasks {
    /// Tasks that should run.
    pub desired: i32,
    /// Tasks that run.
    pub running: i32,
    /// Tasks that are starting.
    pub pending: i32,
    /// Tasks that failed so far.
    pub failed: i32,
}

/// What ended a rollout that did not succeed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum EndedBy {
    /// ECS gave up because tasks kept failing.
    #[default]
    CircuitBreaker,
    /// A CloudWatch alarm of `rollout.alarms` fired.
    Alarm,
    /// `rollout.progressDeadlineSeconds` passed.
    Deadline,
    /// `flexstack.dev/abort-at` asked for it.
    Abort,
    /// Somebody stopped the deployment in AWS.
    Stopped,
}

/// Where a rollout stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
pub enum RolloutPhase {
    /// Tasks of the new version are starting.
    #[default]
    Progressing,
    /// The new version serves, completely.
    Complete,
    /// ECS is going back to the previous version.
    RollingBack,
    /// The previous version serves again.
    RolledBack,
    /// It failed, and there was nothing to go back to.
    Failed,
}

impl RolloutPhase {
    /// The word as it stands in objects.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Progressing => "Progressing",
            Self::Complete => "Complete",
            Self::RollingBack => "RollingBack",
            Self::RolledBack => "RolledBack",
            Self::Failed => "Failed",
        }
    }
}

/// Counts of tasks, as ECS reports them.
#[derive(KubeSchema, Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskCounts {
    /// Tasks that should run.
    pub desired: i32,
    /// Tasks that run.
    pub running: i32,
    /// Tasks that are starting.
    pub pending: i32,
}

/// Where the output of the tasks is read.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Logs {
    /// CloudWatch, Datadog, Axiom or FluentBit.
    pub destination: String,

    /// The CloudWatch log group; of the log router alone, where output goes elsewhere.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,

    /// The log group in the AWS console, cut down to the streams of this service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub url: Option<String>,
}

/// The values in force, with defaults resolved and limits applied.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Effective {
    /// CPU units; 1024 are one virtual CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i32>,
    /// Memory in MiB.
    #[serde(rename = "memoryMiB", skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<i32>,
    /// Ephemeral storage in GiB.
    #[serde(
        rename = "ephemeralStorageGiB",
        skip_serializing_if = "Option::is_none"
    )]
    pub ephemeral_storage_gib: Option<i32>,
    /// CPU architecture in AWS's words: X86_64 or ARM64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<String>,
    /// Capacity provider: FARGATE or FARGATE_SPOT.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub capacity: Option<String>,
    /// Seconds until a health check without an answer has failed, as ECS runs it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check_timeout_seconds: Option<i32>,
    /// The port the variable PORT names.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub port: Option<i32>,
    /// The scaling in force.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<EffectiveScaling>,
}

/// The Cloud Map service that answers DNS queries for the name.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Discovery {
    /// Id of the Cloud Map namespace.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_id: Option<String>,
    /// Id of the Cloud Map service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_id: Option<String>,
    /// ARN of the Cloud Map service.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service_arn: Option<String>,
}

/// A task definition that may be used again.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// ARN of the task definition.
    pub task_definition: String,
    /// Hash of what was registered.
    pub hash: String,
    /// The image it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub image: Option<String>,
}
