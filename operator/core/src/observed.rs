//! A snapshot of AWS for one PrivateService, as the inventory remembers it. May be stale; every part says when it was read.

use crate::fact::Fact;
use crate::hash::Hash;
use crate::owner::Owner;
use crate::service::{CapacityProvider, Connect, Deployment, Network};
use k8s_openapi::jiff::Timestamp;
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
    /// The newest ACTIVE revision of the family. Read only when a registration is due.
    pub newest: Fact<Revision>,
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
}

impl Service {
    /// The owner in the tags.
    pub fn owner(&self) -> Option<Owner> {
        self.tags.as_ref().and_then(Owner::from_tags)
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
