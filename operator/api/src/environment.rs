//! `Environment`: the place in AWS that services run in, owned by the platform team.
//!
//! Types only; no IO. What the operator writes is in [`status`], what concerns the stack in
//! [`foundation`]. Invariant: what identifies the place (region, VPC, namespace, cluster) never
//! changes during the life of an object.

pub mod assume_role;
pub mod foundation;
pub mod grant;
pub mod rollout;
pub mod shared;
pub mod status;

use std::collections::BTreeMap;

use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::{CustomResource, KubeSchema};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use self::assume_role::AssumeRole;
pub use self::foundation::{Foundation, Logging};
pub use self::grant::Grant;
pub use self::rollout::EnvironmentRollout;
pub use self::shared::{SharedVariable, SharedVariableSource};
pub use self::status::{EnvironmentStatus, PendingChange, PendingChangeSet, StackAttempt};

use crate::privateservice::{
    DeletionPolicy, TAG_CHARACTERS_MESSAGE, TAG_CHARACTERS_RULE, TAGS_MESSAGE, TAGS_RULE,
};

/// What the platform team asks for.
#[derive(CustomResource, KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[kube(
    group = "flexstack.dev",
    version = "v1alpha1",
    kind = "Environment",
    plural = "environments",
    shortname = "psenv",
    status = "EnvironmentStatus",
    derive = "Default",
    derive = "PartialEq",
    doc = "The AWS account, region, network and cluster that PrivateServices run in.",
    validation = Rule::new(NAME_RULE).message(NAME_MESSAGE),
    printcolumn(name = "Ready", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].status"#, description = "Whether services can run here."),
    printcolumn(name = "Type", type_ = "string", json_path = ".spec.type", description = "What the environment is for."),
    printcolumn(name = "Region", type_ = "string", json_path = ".spec.region", description = "AWS region."),
    printcolumn(name = "Namespace", type_ = "string", json_path = ".spec.namespace", description = "Private DNS namespace services are named in."),
    printcolumn(name = "Services", type_ = "integer", json_path = ".status.services", description = "PrivateServices that run here."),
    printcolumn(name = "Age", type_ = "date", json_path = ".metadata.creationTimestamp", description = "Time since the object was created."),
    printcolumn(name = "Account", type_ = "string", json_path = ".status.accountId", description = "AWS account.", priority = 1),
    printcolumn(name = "Reason", type_ = "string", json_path = r#".status.conditions[?(@.type=="Ready")].reason"#, description = "Why Ready is what it is.", priority = 1),
)]
#[x_kube(
    validation = Rule::new(ACCOUNT_RULE).message(ACCOUNT_MESSAGE).field_path(".accountId"),
    validation = Rule::new(ROLE_RULE).message(ROLE_MESSAGE).field_path(".assumeRole"),
    validation = Rule::new(ALLOW_FROM_RULE).message(ALLOW_FROM_MESSAGE).field_path(".network"),
    validation = Rule::new(SAME_CLUSTER_RULE).message(SAME_EXISTING_MESSAGE).field_path(".existing"),
    validation = Rule::new(SAME_NAMESPACE_RULE).message(SAME_EXISTING_MESSAGE).field_path(".existing"),
    validation = Rule::new(REGION_RULE).message(Message::Expression(REGION_MESSAGE.into())),
)]
pub struct EnvironmentSpec {
    /// What the environment is for: development, staging or production. Decides what Flex means.
    #[serde(rename = "type")]
    pub kind: EnvironmentType,

    /// AWS region, such as us-east-1. Immutable.
    #[schemars(length(max = 32), regex(pattern = r"^[a-z]{2,}(-[a-z]+)+-[0-9]{1,2}$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message(IMMUTABLE_MESSAGE))]
    pub region: String,

    /// The AWS account (12 digits, quoted) this must be: compared before anything is written. May
    /// be set once, later too. Absent: whatever account the credentials belong to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 12), regex(pattern = r"^[0-9]{12}$"))]
    pub account_id: Option<String>,

    /// The role that the operator assumes for everything it does here. Absent: its own credentials. It
    /// may change as long as the account stays the same.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assume_role: Option<AssumeRole>,

    /// The Cloud Map private DNS namespace that services are named in, such as flexstack.internal.
    /// Immutable.
    #[schemars(
        length(min = 1, max = 78),
        regex(pattern = r"^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$")
    )]
    #[x_kube(validation = Rule::new("self == oldSelf").message(IMMUTABLE_MESSAGE))]
    pub namespace: String,

    /// The network tasks run in.
    pub network: EnvironmentNetwork,

    /// What exists already in AWS and is used as it is. Whatever is absent is made, in one
    /// CloudFormation stack named `privateservice-<name>`. No stack is made where clusterArn,
    /// namespaceArn, securityGroupIds, executionRoleArn and logGroupName are all here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub existing: Option<Existing>,

    /// How the stack is made and changed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub foundation: Option<Foundation>,

    /// What becomes of the output of services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub logging: Option<Logging>,

    /// Selects the Kubernetes namespaces whose PrivateServices may run here, by their labels.
    /// Absent or empty: all of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub allowed_namespaces: Option<LabelSelector>,

    /// What PrivateServices may name beyond what the operator makes, by Kubernetes namespace, at
    /// most 50. Nothing by default; several grants to one namespace add up.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 50))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub grants: Vec<Grant>,

    /// Variables every service gets, at most 100; a service's own entry wins, whatever kind it is.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 100))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["name".into()]))]
    pub env: Vec<SharedVariable>,

    /// Paces the rollouts that an edit here causes across services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rollout: Option<EnvironmentRollout>,

    /// AWS tags on everything made here, at most 20. Keys of `flexstack.dev/` and `aws:` are
    /// reserved.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    #[schemars(extend(
        "maxProperties" = crate::meta::MAX_ENVIRONMENT_TAGS,
        "additionalProperties" = serde_json::json!({"type": "string", "maxLength": 256})
    ))]
    #[x_kube(
        validation = Rule::new(TAGS_RULE).message(TAGS_MESSAGE),
        validation = Rule::new(TAG_CHARACTERS_RULE).message(TAG_CHARACTERS_MESSAGE)
    )]
    pub tags: BTreeMap<String, String>,

    /// What deleting the Environment does to its stack: Retain (the default) leaves it, Delete
    /// removes it with everything in it but the log group. The object goes only when no
    /// PrivateService names it any more.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub deletion_policy: Option<DeletionPolicy>,
}

/// What the environment is for: development, staging or production. Decides what Flex means.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum EnvironmentType {
    /// For trying things out; Flex means Spot.
    #[default]
    Development,
    /// For testing what goes to production; Flex means Spot.
    Staging,
    /// For users; Flex means on-demand.
    Production,
}

/// The network tasks run in.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentNetwork {
    /// Id of the VPC. Immutable.
    #[schemars(length(max = 64), regex(pattern = r"^vpc-[0-9a-z]+$"))]
    #[x_kube(validation = Rule::new("self == oldSelf").message(IMMUTABLE_MESSAGE))]
    pub vpc_id: String,

    /// Ids of the subnets tasks run in, 1 to 16 (the limit of an ECS service).
    #[schemars(
        length(min = 1, max = 16),
        inner(length(max = 64), regex(pattern = r"^subnet-[0-9a-z]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub subnet_ids: Vec<String>,

    /// Whether tasks get a public address; needed to pull images in public subnets without NAT.
    /// Default false.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assign_public_ip: Option<bool>,

    /// Who else may reach the services, at most 40: ids of security groups (of Lambda functions,
    /// EC2 instances, Pods) and IPv4 CIDRs. Only for groups the operator makes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(
        length(max = 40),
        inner(
            length(max = 64),
            regex(pattern = r"^(sg-[0-9a-z]+|[0-9]{1,3}(\.[0-9]{1,3}){3}/[0-9]{1,2})$")
        )
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub allow_from: Vec<String>,
}

/// What exists already in AWS and is used as it is.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Existing {
    /// ARN of the ECS cluster; it must have the capacity providers FARGATE and FARGATE_SPOT.
    /// Immutable, also from and to absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(pattern = r"^arn:aws[a-z-]*:ecs:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]+$")
    )]
    pub cluster_arn: Option<String>,

    /// ARN of the Cloud Map private DNS namespace, which is named as `namespace` says. Immutable,
    /// also from and to absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 512),
        regex(
            pattern = r"^arn:aws[a-z-]*:servicediscovery:[a-z0-9-]+:[0-9]{12}:namespace/[A-Za-z0-9-]+$"
        )
    )]
    pub namespace_arn: Option<String>,

    /// Ids of the security groups every task gets, 1 to 5 (the limit of an ECS service).
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(min = 1, max = 5),
        inner(length(max = 64), regex(pattern = r"^sg-[0-9a-z]+$"))
    )]
    #[x_kube(merge_strategy = ListMerge::Set)]
    pub security_group_ids: Option<Vec<String>>,

    /// ARN of the role ECS uses to pull images and write logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")
    )]
    pub execution_role_arn: Option<String>,

    /// ARN of the role tasks have where a service names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(
        length(max = 2048),
        regex(pattern = r"^arn:aws[a-z-]*:iam::[0-9]{12}:role/.+$")
    )]
    pub task_role_arn: Option<String>,

    /// Name of the CloudWatch Logs group that output goes to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 512), regex(pattern = r"^[A-Za-z0-9_./#-]+$"))]
    pub log_group_name: Option<String>,

    /// URL of the SQS queue that EventBridge sends ECS events to.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(max = 512), regex(pattern = r"^https?://[^ ]+$"))]
    pub event_queue_url: Option<String>,
}

const NAME_RULE: &str = "self.metadata.name.size() <= 63 && self.metadata.name.matches('^[a-z0-9]([-a-z0-9]*[a-z0-9])?$')";
const NAME_MESSAGE: &str = "metadata.name: write a name of at most 63 characters that holds only a-z, 0-9 and -, \
    such as staging (it becomes part of ECS names, which take no dots)";
const IMMUTABLE_MESSAGE: &str = "the field is immutable: create another Environment";

const ACCOUNT_RULE: &str = "!has(oldSelf.accountId) || \
    (has(self.accountId) && self.accountId == oldSelf.accountId)";
const ACCOUNT_MESSAGE: &str =
    "accountId may be set once: create another Environment for another account";

const ROLE_RULE: &str = "!has(self.accountId) || !has(self.assumeRole) || \
    self.assumeRole.roleArn.split(':')[4] == self.accountId";
const ROLE_MESSAGE: &str = "assumeRole.roleArn is a role of another account than accountId: write a \
    role of that account";

const ALLOW_FROM_RULE: &str = "!has(self.network.allowFrom) || size(self.network.allowFrom) == 0 || \
    !has(self.existing) || !has(self.existing.securityGroupIds)";
const ALLOW_FROM_MESSAGE: &str = "network.allowFrom is for groups that the operator makes: remove \
    existing.securityGroupIds, or write the rules into your own groups";

const SAME_CLUSTER_RULE: &str = "(has(self.existing) && has(self.existing.clusterArn) ? \
    self.existing.clusterArn : '') == (has(oldSelf.existing) && has(oldSelf.existing.clusterArn) ? \
    oldSelf.existing.clusterArn : '')";
const SAME_NAMESPACE_RULE: &str = "(has(self.existing) && has(self.existing.namespaceArn) ? \
    self.existing.namespaceArn : '') == (has(oldSelf.existing) && \
    has(oldSelf.existing.namespaceArn) ? oldSelf.existing.namespaceArn : '')";
const SAME_EXISTING_MESSAGE: &str = "existing.clusterArn and existing.namespaceArn are immutable, \
    also from and to absent: create another Environment";

const REGION_RULE: &str = "!has(self.existing) || \
    ((!has(self.existing.clusterArn) || \
    self.existing.clusterArn.contains(':ecs:' + self.region + ':')) && \
    (!has(self.existing.namespaceArn) || \
    self.existing.namespaceArn.contains(':servicediscovery:' + self.region + ':')))";
const REGION_MESSAGE: &str = "'existing.clusterArn and existing.namespaceArn must be in region ' + \
    self.region + ': write ARNs of that region'";
