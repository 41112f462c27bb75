//! `PrivateService`: one container image that runs as an ECS Fargate service, found by name inside
//! the VPC.
//!
//! Types only; no IO. The parts of the spec live in one file each; [`status`] is what the operator
//! writes. Invariant: an object that passed the API server obeys every rule attached here.

pub mod env;
pub mod health_check;
pub mod logging;
pub mod ports;
pub mod resources;
pub mod rollout;
pub mod scaling;
pub mod secrets;
pub mod source;
pub mod status;

use std::collections::BTreeMap;

use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use env::{
    ConfigMapKeyRef, EnvFromSource, EnvVar, EnvVarSource, ObjectName, SecretKeyRef, ServiceRef,
    ServiceRefFormat,
};
pub use health_check::HealthCheck;
pub use logging::{AxiomLogging, CloudWatchLogging, DatadogLogging, FluentBitLogging, Logging};
pub use ports::{Port, Protocol};
pub use resources::Resources;
pub use rollout::{CircuitBreaker, Rollout};
pub use scaling::{Scaling, ScalingPolicy, ScalingSchedule};
pub use secrets::{AwsSecretRef, SecretSource, SsmParameterRef};
pub use source::{ImageSource, Source};
pub use status::{
    Attempt, Autoscaling, Deployed, Discovery, Effective, EffectiveScaling, EndedBy, Endpoint,
    Logs, PausedTasks, PrivateServiceStatus, Revision, RolloutPhase, RolloutStatus, RolloutTasks,
    RolloutWave, SecretInUse, StoredSecret, TaskCounts, TaskFailure, WatchedSecret,
};

/// What a user asks for.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "flexstack.dev",
    version = "v1alpha1",
    kind = "PrivateService",
    plural = "privateservices",
    namespaced,
    shortname = "psvc",
    status = "PrivateServiceStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "A service that runs in the private network of an Environment, reachable by its name.",
    validation = Rule::new(NAME_RULE).message(NAME_MESSAGE),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#, description = "Whether what the spec asks for runs, completely."),
    printcolumn(name = "Phase", type_ = "string", json_path = ".status.rollout.phase", description = "Where the newest rollout stands."),
    printcolumn(name = "Desired", type_ = "integer", json_path = ".status.tasks.desired", description = "Tasks that should run."),
    printcolumn(name = "Running", type_ = "integer", json_path = ".status.tasks.running", description = "Tasks that run."),
    printcolumn(name = "Endpoint", type_ = "string", json_path = ".status.endpoints[0].host", description = "Host name inside the private network."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "Time since the object was created."),
    printcolumn(name = "Image", type_ = "string", json_path = ".status.deployed.image", description = "The image that serves now.", priority = 1),
    printcolumn(name = "TaskDefinition", type_ = "string", json_path = ".status.deployed.taskDefinition", description = "The task definition that serves now.", priority = 1),
    printcolumn(name = "Architecture", type_ = "string", json_path = ".status.effective.architecture", description = "CPU architecture in force.", priority = 1),
    printcolumn(name = "Capacity", type_ = "string", json_path = ".status.effective.capacity", description = "Capacity provider in force.", priority = 1),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#, description = "Why Ready is what it is.", priority = 1),
)]
#[x_kube(
    validation = Rule::new(ENVIRONMENT_RULE).message(ENVIRONMENT_MESSAGE).field_path(".environment"),
    validation = Rule::new(DEFAULT_PORT_RULE).message(DEFAULT_PORT_MESSAGE).field_path(".ports"),
    validation = Rule::new(rollout::PAIR_RULE).message(Message::Expression(rollout::PAIR_MESSAGE.into())).field_path(".rollout"),
    validation = Rule::new(scaling::REQUESTS_RULE).message(scaling::REQUESTS_MESSAGE).field_path(".scaling.requestThreshold"),
)]
pub struct PrivateServiceSpec {
    /// Name of the Environment the service runs in. Immutable, also from and to absent. Absent:
    /// the operator's default environment; the first one used is kept in `status.environment`.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 63),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?$")
    )]
    pub environment: Option<String>,

    /// Where the container image comes from.
    pub source: Source,

    /// The start command and its arguments, as ECS `command`. Absent or empty: the image's CMD.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub command: Vec<String>,

    /// The entry point, as ECS `entryPoint`. Absent or empty: the image's ENTRYPOINT.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 64), inner(length(max = 4096)))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub entry_point: Vec<String>,

    /// The ports the service listens on, at most 16. Absent: one port named `default` with number
    /// 8080. An empty list: the service only calls others. The variable PORT holds the number of
    /// the port named `default`, else of the first, unless `env` sets PORT.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 16))]
    #[x_kube(
        merge_strategy = ListMerge::Map(vec!["name".into()]),
        validation = Rule::new(ports::UNIQUE_RULE).message(ports::UNIQUE_MESSAGE)
    )]
    pub ports: Option<Vec<Port>>,

    /// How ECS finds out whether a task works. Absent: no health check; a HEALTHCHECK in the image
    /// is not used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub health_check: Option<HealthCheck>,

    /// The size of a task. Absent: cpu 250m, memory 512Mi, ephemeralStorage 20Gi.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resources: Option<Resources>,

    /// CPU architecture: X86 (the default) or ARM. The image must exist for it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub architecture: Option<Architecture>,

    /// Whether tasks run on interruptible Spot capacity: Never (the default), Always, or Flex,
    /// which is on in development and staging Environments and off in production.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,

    /// Between how many tasks the service runs, and what makes it more or fewer. Absent: 1 to 10 tasks, by their CPU.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub scaling: Option<Scaling>,

    /// Environment variables, at most 200. An entry here wins over the Environment's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 200))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub env: Vec<EnvVar>,

    /// Variables taken from all keys of other objects, at most 16 entries. A later entry wins over
    /// an earlier one, `env` over all of them, and all of them over the Environment's.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub env_from: Vec<EnvFromSource>,

    /// When a changed value of a Kubernetes Secret, or of a secret in Secrets Manager, reaches the
    /// tasks: OnRedeploy (the default), with the next rollout, whatever causes it, such as
    /// `flexstack.dev/redeploy-at`; or Automatic, by a rollout of its own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret_rollout: Option<SecretRollout>,

    /// How a new version replaces the old one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<Rollout>,

    /// How the service is found, and what its tasks may reach.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub network: Option<Network>,

    /// ARN of the role of the code in the tasks; it must be granted by the Environment
    /// (`spec.grants[].taskRoles`) and be another than its execution role. Absent: the
    /// Environment's default task role.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/[A-Za-z0-9+=,.@_/-]+$")
    )]
    pub task_role_arn: Option<String>,

    /// Where the service's output goes. Absent: CloudWatch Logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,

    /// Whether `aws ecs execute-command` opens a shell in a task (ECS Exec). Needs a role of the code
    /// in the tasks, which may use SSM's message channels: `taskRoleArn`, or the Environment's
    /// default task role. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exec: Option<bool>,

    /// Whether a container that exits is restarted in place, within its task. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub restart_on_exit: Option<bool>,

    /// Seconds between asking a container to stop and killing it, 2 to 120. Default 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 2, max = 120))]
    pub stop_timeout_seconds: Option<i32>,

    /// AWS tags on everything made for the service, at most 20, on top of the Environment's. Keys
    /// of `flexstack.dev/` and `aws:` are reserved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = crate::meta::MAX_SERVICE_TAGS,
        "additionalProperties" = serde_json::json!({"type": "string", "maxLength": 256})
    ))]
    #[x_kube(
        validation = Rule::new(TAGS_RULE).message(TAGS_MESSAGE),
        validation = Rule::new(TAG_CHARACTERS_RULE).message(TAG_CHARACTERS_MESSAGE)
    )]
    pub tags: BTreeMap<String, String>,

    /// What deleting this object does in AWS: Delete (the default) removes everything made for it;
    /// Retain leaves it running and lets go of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,

    /// Take over an ECS service of this name that carries no ownership tag, where there is one: on
    /// Fargate, with rolling updates by ECS and without a load balancer. Its tasks are replaced by
    /// what this spec says, under the protection of `rollout`; the number of tasks stays. The
    /// Environment must grant it (`spec.grants[].adopt`). Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub adopt: Option<bool>,

    /// Stop reconciling and leave AWS as it is. Deletion still works. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub suspend: Option<bool>,

    /// Run no tasks, and no scaling, for as long as this is true; all else stays. Afterwards as many tasks run as before, within the bounds
    /// of `scaling`. Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub paused: Option<bool>,
}

/// CPU architecture: X86 (the default) or ARM. The image must exist for it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Architecture {
    /// 64-bit x86.
    #[default]
    X86,
    /// 64-bit ARM (Graviton).
    #[serde(rename = "ARM")]
    Arm,
}

/// Whether tasks run on interruptible Spot capacity: Never (the default), Always, or Flex, which is
/// on in development and staging Environments and off in production.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum Spot {
    /// On-demand capacity only.
    #[default]
    Never,
    /// Spot capacity only.
    Always,
    /// Spot in development and staging, on-demand in production.
    Flex,
}

/// When a changed value of a Kubernetes Secret, or of a secret in Secrets Manager, reaches the tasks:
/// OnRedeploy (the default), with the next rollout, whatever causes it, such as
/// `flexstack.dev/redeploy-at`; or Automatic, by a rollout of its own.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum SecretRollout {
    /// With the next rollout.
    #[default]
    OnRedeploy,
    /// At once, by a rollout of its own.
    Automatic,
}

/// What deleting this object does in AWS: Delete (the default) removes everything made for it;
/// Retain leaves it running and lets go of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum DeletionPolicy {
    /// Everything made for the service is removed.
    #[default]
    Delete,
    /// Everything is left running, without an owner.
    Retain,
}

/// How the service is found, and what its tasks may reach.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Network {
    /// Whether the name also resolves for clients in the VPC that are not ECS tasks of the
    /// Environment, through private DNS. Default true.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dns: Option<bool>,

    /// Ids of security groups the tasks get beside the Environment's, at most 3 and 5 together (the
    /// limit of an ECS service); each must be granted by the Environment
    /// (`spec.grants[].securityGroups`).
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 3),
        inner(length(max = 64), regex(pattern = r"^sg-[0-9a-z]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub extra_security_group_ids: Vec<String>,
}

const NAME_RULE: &str =
    "self.metadata.name.size() <= 48 && self.metadata.name.matches('^[a-z]([-a-z0-9]*[a-z0-9])?$')";
const NAME_MESSAGE: &str = "metadata.name: write a name of at most 48 characters that starts with a letter and \
    holds only a-z, 0-9 and -, such as api or team-a-cache (ECS takes no dots)";

const ENVIRONMENT_RULE: &str = "has(self.environment) == has(oldSelf.environment) && \
    (!has(self.environment) || self.environment == oldSelf.environment)";
const ENVIRONMENT_MESSAGE: &str = "environment is immutable, also from and to absent: delete this \
    object and create it again in the other environment";

/// Absent ports mean a tcp port named `default`; the rule on each port cannot see that one come or
/// go, so its protocol is held here.
const DEFAULT_PORT_RULE: &str = "has(self.ports) == has(oldSelf.ports) || \
    !(has(self.ports) ? self.ports : oldSelf.ports).exists(p, p.name == 'default' && \
    has(p.protocol) && p.protocol != 'tcp')";
const DEFAULT_PORT_MESSAGE: &str = "the protocol of a port is immutable, and absent ports are \
    {name: default, port: 8080, protocol: tcp}: give the port another name";

/// Also checks the key's length, which OpenAPI cannot.
pub(crate) const TAGS_RULE: &str = "self.all(k, !k.startsWith('flexstack.dev/') && \
    !k.lowerAscii().startsWith('aws:') && k.size() >= 1 && k.size() <= 128)";
pub(crate) const TAGS_MESSAGE: &str = "tag keys have 1 to 128 characters and must not start with \
    flexstack.dev/ or aws: (they are reserved): write another key";
pub(crate) const TAG_CHARACTERS_RULE: &str =
    r"self.all(k, (k + self[k]).matches('^[\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*$'))";
pub(crate) const TAG_CHARACTERS_MESSAGE: &str = "tag keys and values hold letters, digits, spaces \
    and _ . : / = + - @ (AWS takes no others): write them without the rest";
