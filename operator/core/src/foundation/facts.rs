//! What AWS says of a stack and of a change set. Data only.

use std::collections::BTreeMap;

/// A stack, as DescribeStacks shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stack {
    /// ARN.
    pub id: String,
    /// Its state.
    pub status: StackStatus,
    /// AWS's words about it.
    pub reason: Option<String>,
    /// When it was last changed, else made; a text that differs exactly when the time does.
    pub updated: String,
    /// Tags.
    pub tags: BTreeMap<String, String>,
    /// What it made.
    pub outputs: Outputs,
}

impl Stack {
    /// What a change starts from: the time of the last one, or `review` for a stack that was not made yet.
    pub fn base(&self) -> &str {
        match self.status {
            StackStatus::Review => "review",
            _ => &self.updated,
        }
    }
}

/// The state of a stack (AWS: CloudFormation user guide, Stack status codes), as far as it matters here.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StackStatus {
    /// REVIEW_IN_PROGRESS: there is a change set, and nothing else yet.
    Review,
    /// CREATE_IN_PROGRESS.
    Creating,
    /// CREATE_COMPLETE, UPDATE_COMPLETE and the like: it is as it was asked for.
    Complete,
    /// ROLLBACK_IN_PROGRESS: its creation failed.
    CreateRollingBack,
    /// ROLLBACK_COMPLETE, ROLLBACK_FAILED, CREATE_FAILED: its creation failed, and all one can do is delete it.
    CreateFailed,
    /// UPDATE_IN_PROGRESS and the like: it serves as it was, or already as it will be.
    Updating,
    /// UPDATE_ROLLBACK_IN_PROGRESS and the like.
    UpdateRollingBack,
    /// UPDATE_ROLLBACK_COMPLETE: it is as it was before a change that failed.
    UpdateRolledBack,
    /// UPDATE_ROLLBACK_FAILED: it is neither here nor there.
    UpdateRollbackFailed,
    /// UPDATE_FAILED: somebody asked CloudFormation not to go back.
    UpdateFailed,
    /// DELETE_IN_PROGRESS.
    Deleting,
    /// DELETE_COMPLETE.
    Deleted,
    /// DELETE_FAILED.
    DeleteFailed,
    /// A state this version does not know.
    Other(String),
}

impl StackStatus {
    /// Reads AWS's word.
    pub fn of(word: &str) -> Self {
        match word {
            "REVIEW_IN_PROGRESS" => Self::Review,
            "CREATE_IN_PROGRESS" => Self::Creating,
            "CREATE_COMPLETE"
            | "UPDATE_COMPLETE"
            | "IMPORT_COMPLETE"
            | "IMPORT_ROLLBACK_COMPLETE" => Self::Complete,
            "ROLLBACK_IN_PROGRESS" => Self::CreateRollingBack,
            "ROLLBACK_COMPLETE" | "ROLLBACK_FAILED" | "CREATE_FAILED" => Self::CreateFailed,
            "UPDATE_IN_PROGRESS" | "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS" | "IMPORT_IN_PROGRESS" => {
                Self::Updating
            }
            "UPDATE_ROLLBACK_IN_PROGRESS"
            | "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS"
            | "IMPORT_ROLLBACK_IN_PROGRESS" => Self::UpdateRollingBack,
            "UPDATE_ROLLBACK_COMPLETE" => Self::UpdateRolledBack,
            "UPDATE_ROLLBACK_FAILED" | "IMPORT_ROLLBACK_FAILED" => Self::UpdateRollbackFailed,
            "UPDATE_FAILED" => Self::UpdateFailed,
            "DELETE_IN_PROGRESS" => Self::Deleting,
            "DELETE_COMPLETE" => Self::Deleted,
            "DELETE_FAILED" => Self::DeleteFailed,
            other => Self::Other(other.to_owned()),
        }
    }
}

/// What a stack made; absent is what it did not.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// ECS cluster.
    pub cluster_arn: Option<String>,
    /// Cloud Map namespace.
    pub namespace_arn: Option<String>,
    /// Group whose members may reach the services.
    pub member_security_group_id: Option<String>,
    /// Group that admits them.
    pub internal_security_group_id: Option<String>,
    /// Role ECS works with.
    pub execution_role_arn: Option<String>,
    /// Default role of the code in tasks.
    pub task_role_arn: Option<String>,
    /// Log group.
    pub log_group_name: Option<String>,
    /// Queue of ECS events.
    pub event_queue_url: Option<String>,
}

impl Outputs {
    /// Takes them from the stack's outputs by name.
    pub fn of(mut named: BTreeMap<String, String>) -> Self {
        let mut take = |name: &str| named.remove(name).filter(|value| !value.is_empty());
        Self {
            cluster_arn: take("ClusterArn"),
            namespace_arn: take("NamespaceArn"),
            member_security_group_id: take("MemberSecurityGroupId"),
            internal_security_group_id: take("InternalSecurityGroupId"),
            execution_role_arn: take("ExecutionRoleArn"),
            task_role_arn: take("TaskRoleArn"),
            log_group_name: take("LogGroupName"),
            event_queue_url: take("EventQueueUrl"),
        }
    }
}

/// A change set, as DescribeChangeSet shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangeSet {
    /// Whether it could be computed.
    pub status: ChangeSetStatus,
    /// Whether it can run, or did.
    pub execution: Execution,
    /// AWS's words.
    pub reason: Option<String>,
    /// The tags it gives the stack.
    pub tags: BTreeMap<String, String>,
    /// What it does.
    pub changes: Vec<Change>,
}

impl ChangeSet {
    /// True if it failed because there is nothing to change. AWS has no code for that: the words are those of the CloudFormation user
    /// guide and of CreateChangeSet's answers.
    pub fn is_empty(&self) -> bool {
        let reason = self.reason.as_deref().unwrap_or_default();
        self.status == ChangeSetStatus::Failed
            && (reason.contains("didn't contain changes")
                || reason.contains("No updates are to be performed"))
    }
}

/// Whether a change set could be computed (AWS: CloudFormation API reference, DescribeChangeSet, Status).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetStatus {
    /// Not yet.
    Creating,
    /// Yes.
    Created,
    /// No.
    Failed,
    /// It is being deleted.
    Deleting,
}

/// Whether a change set can run, or did (AWS: CloudFormation API reference, DescribeChangeSet, ExecutionStatus).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Execution {
    /// It can.
    Available,
    /// It does.
    Running,
    /// It did.
    Done,
    /// It did and failed.
    Failed,
    /// It cannot: it is of no use, or the stack has changed since.
    Unavailable,
}

/// One resource in a change set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// Name in the template.
    pub resource: String,
    /// For instance `AWS::ECS::Cluster`.
    pub kind: String,
    /// AWS's word: Add, Modify, Remove, Import, Dynamic.
    pub action: String,
    /// AWS's word: True, False, Conditional; absent where nothing is modified.
    pub replacement: Option<String>,
    /// The properties that change, for a Modify.
    pub properties: Vec<String>,
}
