//! A snapshot of AWS for one PrivateService, as the inventory remembers it. May be stale; every part says when it was read.

use crate::fact::Fact;
use crate::hash::Hash;
use crate::owner::Owner;
use crate::scaling;
use crate::service::{CapacityProvider, Connect, Deployment, Network};
use k8s_openapi::jiff::Timestamp;
use privateservice_api::meta;
use serde::Serialize;
use std::collections::BTreeMap;

/// Where in AWS one PrivateService lives: the names under which its facts are looked up.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub struct Scope {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// Name of the ECS service and of the Cloud Map DNS service.
    pub service: String,
    /// Cloud Map namespace id, `ns-...`.
    pub namespace_id: String,
    /// Family of task definitions.
    pub family: String,
}

/// All facts about one PrivateService.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The ECS service.
    pub service: Fact<Service>,
    /// The Cloud Map DNS service of that name in the namespace.
    pub dns: Fact<ObservedDns>,
    /// The newest service deployment of the ECS service. Read while a rollout is under way or its end is not known; never older than the first
    /// sight of the PRIMARY deployment that the service shows.
    pub deployment: Fact<ServiceDeployment>,
    /// True if service deployments cannot be read here at all (a missing permission, an AWS without them): the service alone must do.
    pub deployment_unreadable: bool,
    /// Tasks of the service that stopped within the last hour, and that ECS still describes. Read when something fails.
    pub stopped: Fact<StoppedTasks>,
    /// The newest ACTIVE revision of the family. Read only when a registration is due.
    pub newest: Fact<Revision>,
    /// What scales the service.
    pub scaling: Fact<scaling::Observed>,
    /// True if there is no Application Auto Scaling here (an AWS without it).
    pub scaling_unsupported: bool,
    /// Owners of scalable targets and alarms by ARN, where their tags were read or written; `None` where they name nobody.
    pub owners: BTreeMap<String, Option<Owner>>,
    /// Revisions whose content is known, by ARN: our own registrations, status, and reads.
    pub revisions: BTreeMap<String, Revision>,
}

/// Life cycle of an ECS service.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ServiceStatus {
    /// Serving.
    Active,
    /// Deleted, tasks still stopping; the name is taken.
    Draining,
    /// Gone, but still described for a while.
    Inactive,
}

/// An ECS service as DescribeServices shows it, cut down to what we set and what status tells. Service events are dropped.
///
/// `None` in a member means that AWS did not echo it: that is no evidence of a difference.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Service {
    /// ARN.
    pub arn: String,
    /// Life cycle.
    pub status: ServiceStatus,
    /// ARN of the task definition revision the service is set to.
    pub task_definition: String,
    /// Subnets, security groups, public IP.
    pub network: Option<Network>,
    /// Capacity provider strategy, sorted. Empty together with `launch_type` means that somebody switched to a launch type.
    pub capacity: Option<Vec<CapacityProvider>>,
    /// Service Connect of the PRIMARY deployment (the service itself does not show it).
    pub connect: Option<Connect>,
    /// ARNs of Cloud Map service registries, sorted.
    pub registries: Option<Vec<String>>,
    /// Deployment configuration.
    pub deployment: Option<Deployment>,
    /// Whether ECS Exec is on.
    pub exec: Option<bool>,
    /// Why it is not of the kind this operator runs, in words that follow "it"; see [`crate::plan`] on taking services over.
    pub unlike_ours: Option<&'static str>,
    /// Tags; `None` if they were not returned.
    pub tags: Option<BTreeMap<String, String>>,
    /// Tasks wanted.
    pub desired_count: i32,
    /// Tasks running.
    pub running_count: i32,
    /// Tasks starting.
    pub pending_count: i32,
    /// Deployments, PRIMARY first.
    pub deployments: Vec<EcsDeployment>,
    /// ARN of the newest service deployment, if AWS shows it.
    pub service_deployment: Option<String>,
    /// Why ECS could not start tasks, in the words of the newest service event about it, unless a later event says that tasks were started.
    pub trouble: Option<String>,
}

impl Service {
    /// The owner in the tags.
    pub fn owner(&self) -> Option<Owner> {
        self.tags.as_ref().and_then(Owner::from_tags)
    }

    /// True if its tags were returned and none of them names an owner, of whatever form.
    pub fn is_unowned(&self) -> bool {
        self.tags
            .as_ref()
            .is_some_and(|tags| !tags.contains_key(meta::TAG_OWNER))
    }

    /// The PRIMARY deployment.
    pub fn primary(&self) -> Option<&EcsDeployment> {
        self.deployments
            .iter()
            .find(|deployment| deployment.primary)
    }
}

/// One item of DescribeServices' `deployments`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct EcsDeployment {
    /// `ecs-svc/...`.
    pub id: String,
    /// Status PRIMARY; else ACTIVE (being replaced) or INACTIVE.
    pub primary: bool,
    /// Revision it runs.
    pub task_definition: String,
    /// Rollout state; `None` where AWS shows none.
    pub rollout_state: Option<RolloutState>,
    /// AWS's words about the state.
    pub rollout_reason: Option<String>,
    /// Tasks wanted.
    pub desired_count: i32,
    /// Tasks running.
    pub running_count: i32,
    /// Tasks starting.
    pub pending_count: i32,
    /// Tasks that failed to start or to become healthy.
    pub failed_tasks: i32,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it last changed.
    pub updated_at: Option<Timestamp>,
}

/// Rollout state of a deployment, in ECS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum RolloutState {
    /// IN_PROGRESS
    InProgress,
    /// COMPLETED
    Completed,
    /// FAILED
    Failed,
}

/// A service deployment: one attempt to put a revision into service, its rollback included (ECS API reference, ServiceDeployment).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ServiceDeployment {
    /// ARN.
    pub arn: String,
    /// Where it stands.
    pub status: ServiceDeploymentStatus,
    /// AWS's words about that.
    pub reason: Option<String>,
    /// AWS's words about the rollback, if there is one.
    pub rollback_reason: Option<String>,
    /// True if there was a revision before this one, so that there is something to go back to.
    pub has_source: bool,
    /// True if the circuit breaker was triggered.
    pub breaker_triggered: bool,
    /// Failed tasks that the circuit breaker counted.
    pub failed_tasks: i32,
    /// Names of the alarms that fired.
    pub triggered_alarms: Vec<String>,
    /// Tasks of the new revision that should run.
    pub desired_count: i32,
    /// Tasks of the new revision that run.
    pub running_count: i32,
    /// Tasks of the new revision that are starting.
    pub pending_count: i32,
    /// When it was created.
    pub created_at: Option<Timestamp>,
    /// When it ended.
    pub finished_at: Option<Timestamp>,
}

/// Status of a service deployment, in ECS's words.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum ServiceDeploymentStatus {
    /// PENDING
    Pending,
    /// IN_PROGRESS
    InProgress,
    /// STOP_REQUESTED
    StopRequested,
    /// STOPPED
    Stopped,
    /// SUCCESSFUL
    Successful,
    /// ROLLBACK_REQUESTED
    RollbackRequested,
    /// ROLLBACK_IN_PROGRESS
    RollbackInProgress,
    /// ROLLBACK_SUCCESSFUL
    RollbackSuccessful,
    /// ROLLBACK_FAILED
    RollbackFailed,
}

/// Stopped tasks of a service, those that ECS stopped for scaling or a newer deployment left out; newest first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedTasks {
    /// At most 20 are kept.
    pub tasks: Vec<StoppedTask>,
    /// False if one of them is still on its way down, so that its exit code may be missing.
    pub settled: bool,
}

/// A task that stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedTask {
    /// Id.
    pub id: String,
    /// The deployment it was started for, `ecs-svc/...`.
    pub started_by: Option<String>,
    /// ARN of the task definition it ran.
    pub task_definition: String,
    /// Stop code.
    pub stop_code: Option<String>,
    /// Why it stopped.
    pub reason: Option<String>,
    /// Its containers.
    pub containers: Vec<StoppedContainer>,
    /// True if it ever ran.
    pub started: bool,
    /// When it stopped, or began to.
    pub at: Option<Timestamp>,
}

/// A container of a task that stopped.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct StoppedContainer {
    /// Name.
    pub name: String,
    /// Exit code, if it ran.
    pub exit_code: Option<i32>,
    /// Why it did not start, or was ended.
    pub reason: Option<String>,
    /// True if its health check failed last.
    pub unhealthy: bool,
}

/// A Cloud Map service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ObservedDns {
    /// `srv-...`.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// Owner by its tags; `None` if it carries no ownership tag.
    pub owner: Option<Owner>,
}

/// A revision of a task definition, by the tags we put on it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Revision {
    /// ARN with revision.
    pub arn: String,
    /// Content hash from its tag; `None` for a revision that is not ours.
    pub hash: Option<Hash>,
    /// Hash of the intent it was rendered from; `None` for a revision that is not ours.
    pub intent: Option<Hash>,
    /// True unless it was deregistered.
    pub active: bool,
}
