//! What the operator writes about an Environment. Types only; no IO.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::Condition;
use kube::KubeSchema;
use serde::{Deserialize, Serialize};

/// What the operator reports about an Environment.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct EnvironmentStatus {
    /// The generation of the spec this status is about; -1 on an object nobody has looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub observed_generation: Option<i64>,

    /// Ready always; Reconciling and Stalled only while True.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 16))]
    #[x_kube(merge_strategy = ListMerge::Map(vec!["type".into()]))]
    pub conditions: Vec<Condition>,

    /// The AWS account in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,

    /// The AWS region in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub region: Option<String>,

    /// ARN of the CloudFormation stack with what the operator made.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_id: Option<String>,

    /// Hash of the template, parameters and tags that the stack has.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_hash: Option<String>,

    /// The last change of the stack that was begun.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stack_attempt: Option<StackAttempt>,

    /// A change of the stack that waits for approval.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pending_change_set: Option<PendingChangeSet>,

    /// ARN of the ECS cluster in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cluster_arn: Option<String>,

    /// ARN of the Cloud Map namespace in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub namespace_arn: Option<String>,

    /// Id of the security group whose members may reach the services.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub member_security_group_id: Option<String>,

    /// Ids of the security groups every task gets.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 5))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub security_group_ids: Vec<String>,

    /// ARN of the role ECS uses to pull images and write logs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub execution_role_arn: Option<String>,

    /// ARN of the role tasks have where a service names none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task_role_arn: Option<String>,

    /// Name of the log group in use.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_group_name: Option<String>,

    /// URL of the queue of ECS events.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_queue_url: Option<String>,

    /// How many ECS services of this installation are here that no PrivateService stands for; they are
    /// left alone. Looked for rarely: half an hour may pass.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub orphans: Option<i32>,

    /// How many PrivateServices run here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub services: Option<i32>,
}

/// A change of the stack that was begun; written before AWS is told, so that it is not begun twice
/// and a failed one is not repeated by itself.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct StackAttempt {
    /// Hash of what was to be reached, and of the request for another try.
    pub hash: String,

    /// Name of the change set.
    pub change_set: String,

    /// When the stack had last changed before, or `review` for one that was not made yet.
    pub base: String,

    /// True while the stack's own protection is lifted for an approved change set.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub unprotected: bool,
}

/// A change of the stack that waits for approval.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingChangeSet {
    /// Its name; `spec.foundation.approve: <name>` lets it run.
    pub name: String,

    /// What it replaces or removes that services live on, the first 20.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    #[schemars(length(max = 20))]
    #[x_kube(merge_strategy = ListMerge::Atomic)]
    pub changes: Vec<PendingChange>,
}

/// One resource that a pending change set replaces or removes.
#[derive(KubeSchema, Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PendingChange {
    /// Its name in the template.
    pub resource: String,

    /// Its type, such as `AWS::ECS::Cluster`.
    #[serde(rename = "type")]
    pub kind: String,

    /// `Remove`, `Replace` or `MayReplace`.
    pub action: String,
}
