//! The steps a plan is made of: one per mutating AWS call, specific enough that executing one leaves nothing to decide.

use crate::hash::Hash;
use crate::scaling::{self, ScalingStep};
use crate::service::{CapacityProvider, Connect, Deployment, DnsService, Network};
use crate::task_definition::TaskDefinition;
use privateservice_api::privateservice::EndedBy;
use serde::Serialize;
use std::collections::BTreeMap;

/// A value that is known now, or that an earlier step of the same plan yields.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Reference {
    /// A known ARN.
    Known(String),
    /// The ARN that the earlier step of this plan which makes such a thing will return.
    FromEarlierStep,
}

/// One mutating call.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, strum::IntoStaticStr)]
pub enum Step {
    /// `servicediscovery:CreateService`
    CreateDnsService {
        /// What to create.
        dns: DnsService,
        /// Tags, ownership included.
        tags: BTreeMap<String, String>,
    },
    /// `ecs:RegisterTaskDefinition`
    RegisterTaskDefinition {
        /// Content.
        task_definition: Box<TaskDefinition>,
        /// Tags, ownership and hashes included.
        tags: BTreeMap<String, String>,
        /// Hash of the content, as in the tags.
        hash: Hash,
        /// Hash of the intent, as in the tags.
        intent: Hash,
    },
    /// `ecs:CreateService`
    CreateService(Box<CreateService>),
    /// `ecs:UpdateService`
    UpdateService(Box<UpdateService>),
    /// `ecs:StopServiceDeployment` with `ROLLBACK`
    StopServiceDeployment {
        /// ARN of the service.
        service: String,
        /// ARN of the service deployment.
        arn: String,
        /// Why.
        why: EndedBy,
    },
    /// `ecs:DeregisterTaskDefinition`
    DeregisterTaskDefinition {
        /// ARN with revision.
        arn: String,
    },
    /// `ecs:TagResource` on the service
    TagService {
        /// ARN of the service.
        arn: String,
        /// Tags to set.
        tags: BTreeMap<String, String>,
    },
    /// `ecs:UntagResource` on the service
    UntagService {
        /// ARN of the service.
        arn: String,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// `servicediscovery:TagResource` on a DNS service that nobody owns
    TagDnsService {
        /// ARN of the Cloud Map service.
        arn: String,
        /// Tags to set, ownership included.
        tags: BTreeMap<String, String>,
    },
    /// `servicediscovery:UntagResource` on the DNS service (when ownership is given up)
    UntagDnsService {
        /// ARN of the Cloud Map service.
        arn: String,
        /// Keys to remove.
        keys: Vec<String>,
    },
    /// `ecs:DeleteService` with `force`
    DeleteService {
        /// ARN of the cluster.
        cluster_arn: String,
        /// ARN of the service.
        arn: String,
    },
    /// `servicediscovery:DeleteService`
    DeleteDnsService {
        /// `srv-...`
        id: String,
    },
    /// One call about the scaling of the service
    Scaling(Box<ScalingStep>),
}

/// Input of `ecs:CreateService`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CreateService {
    /// ARN of the cluster.
    pub cluster_arn: String,
    /// Name of the service.
    pub name: String,
    /// At most 36 ASCII characters; the same token never creates twice.
    pub client_token: String,
    /// Revision to run.
    pub task_definition: Reference,
    /// Tasks to start with.
    pub desired_count: i32,
    /// Subnets, security groups, public IP.
    pub network: Network,
    /// Service Connect.
    pub connect: Connect,
    /// Capacity provider strategy.
    pub capacity: Vec<CapacityProvider>,
    /// Cloud Map registry, if any.
    pub registry: Option<Reference>,
    /// Deployment configuration.
    pub deployment: Deployment,
    /// Whether ECS Exec is on.
    pub exec: bool,
    /// Tags, ownership included.
    pub tags: BTreeMap<String, String>,
}

/// Input of `ecs:UpdateService`: what is `None` keeps its value. There is no desired count here on purpose: see
/// [`ScalingStep::SetCount`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct UpdateService {
    /// ARN of the cluster.
    pub cluster_arn: String,
    /// ARN of the service.
    pub arn: String,
    /// Revision to run.
    pub task_definition: Option<Reference>,
    /// Subnets, security groups, public IP.
    pub network: Option<Network>,
    /// Service Connect, replaced as a whole.
    pub connect: Option<Connect>,
    /// Capacity provider strategy; needs `force_new_deployment` (AWS).
    pub capacity: Option<Vec<CapacityProvider>>,
    /// Cloud Map registries; an empty list removes them.
    pub registries: Option<Vec<Reference>>,
    /// Deployment configuration.
    pub deployment: Option<Deployment>,
    /// Whether ECS Exec is on.
    pub exec: Option<bool>,
    /// True exactly when AWS demands it or a redeploy was asked for.
    pub force_new_deployment: bool,
}

impl UpdateService {
    /// True if the update starts a deployment (AWS: UpdateService, parameters that do).
    pub const fn starts_deployment(&self) -> bool {
        self.force_new_deployment
            || self.task_definition.is_some()
            || self.network.is_some()
            || self.connect.is_some()
            || self.registries.is_some()
    }
}

impl Step {
    /// True if the call starts a deployment.
    pub const fn starts_rollout(&self) -> bool {
        match self {
            Self::CreateService(_) => true,
            Self::UpdateService(update) => update.starts_deployment(),
            Self::CreateDnsService { .. }
            | Self::RegisterTaskDefinition { .. }
            | Self::StopServiceDeployment { .. }
            | Self::DeregisterTaskDefinition { .. }
            | Self::TagService { .. }
            | Self::UntagService { .. }
            | Self::TagDnsService { .. }
            | Self::UntagDnsService { .. }
            | Self::DeleteService { .. }
            | Self::DeleteDnsService { .. }
            | Self::Scaling(_) => false,
        }
    }

    /// The operation, as logs, metrics and IAM name it.
    pub const fn operation(&self) -> &'static str {
        match self {
            Self::CreateDnsService { .. } => "servicediscovery:CreateService",
            Self::RegisterTaskDefinition { .. } => "ecs:RegisterTaskDefinition",
            Self::CreateService(_) => "ecs:CreateService",
            Self::UpdateService(_) => "ecs:UpdateService",
            Self::StopServiceDeployment { .. } => "ecs:StopServiceDeployment",
            Self::DeregisterTaskDefinition { .. } => "ecs:DeregisterTaskDefinition",
            Self::TagService { .. } => "ecs:TagResource",
            Self::UntagService { .. } => "ecs:UntagResource",
            Self::TagDnsService { .. } => "servicediscovery:TagResource",
            Self::UntagDnsService { .. } => "servicediscovery:UntagResource",
            Self::DeleteService { .. } => "ecs:DeleteService",
            Self::DeleteDnsService { .. } => "servicediscovery:DeleteService",
            Self::Scaling(step) => step.operation(),
        }
    }
}

/// What an executed step yielded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Outcome {
    /// The Cloud Map service was created (or was there already by the same request).
    DnsServiceCreated {
        /// `srv-...`
        id: String,
        /// ARN.
        arn: String,
    },
    /// The revision was registered.
    TaskDefinitionRegistered {
        /// ARN with revision.
        arn: String,
        /// Hash of its content.
        hash: Hash,
    },
    /// The service was created.
    ServiceCreated {
        /// ARN.
        arn: String,
    },
    /// The service was updated.
    ServiceUpdated {
        /// `ecs-svc/...` of the PRIMARY deployment in the answer, if it showed one.
        deployment_id: Option<String>,
    },
    /// The service deployment is being stopped and rolled back.
    DeploymentStopped,
    /// Nothing is in progress that could be stopped, or there is nothing to go back to: AWS's words.
    NothingToStop {
        /// AWS's words, without request ids.
        message: String,
    },
    /// The revision can be used no more.
    TaskDefinitionDeregistered {
        /// ARN with revision.
        arn: String,
    },
    /// Tags changed.
    Tagged,
    /// Deletion of the service began.
    ServiceDeleted,
    /// The Cloud Map service is gone.
    DnsServiceDeleted,
    /// A call about scaling was made.
    Scaling(scaling::Outcome),
}
