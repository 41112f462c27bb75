//! The foundation of an Environment: one CloudFormation stack with everything that `spec.existing` does not name. Pure.
//!
//! ```text
//! Environment ─render─> Wanted ┐
//! AWS ──(crate aws)──> Known   ┴─decide─> Next: one call, a wait, or what to report
//! ```
//! Invariants: a change set that replaces or removes what services live on runs only when it is approved by name; a failed change is
//! not repeated until the spec changes or somebody asks; a stack that is not ours is never touched.

pub mod changes;
mod decide;
mod deletion;
mod events;
mod facts;
mod render;
mod words;

#[cfg(test)]
mod tests;

pub use decide::{Ask, ChangeSetKind, Known, Lookup, Memory, Next, Step, decide};
pub use deletion::{Deletion, decide_deletion};
pub use events::{StackEvent, failure};
pub use facts::{Change, ChangeSet, ChangeSetStatus, Execution, Outputs, Stack, StackStatus};
pub use render::{Wanted, render};
pub use words::waiting;

use crate::owner::Owner;
use privateservice_api::environment::{Environment, Existing};

/// Name of an Environment's stack. CloudFormation takes 128 characters of `[A-Za-z0-9-]`; an Environment's name has at most 63 of them.
pub fn stack_name(environment: &str) -> String {
    format!("privateservice-{environment}")
}

/// Who owns the stack. An Environment has no Kubernetes namespace, so that no PrivateService has the same owner.
pub fn owner(cluster_id: &str, environment: &str) -> Owner {
    Owner {
        cluster_id: cluster_id.into(),
        namespace: String::new(),
        name: environment.into(),
    }
}

/// True if something that services cannot do without is left to the operator to make. The default task role and the queue of events
/// alone are no reason for a stack.
pub fn is_needed(environment: &Environment) -> bool {
    let Some(existing) = &environment.spec.existing else {
        return true;
    };
    let Existing {
        cluster_arn,
        namespace_arn,
        security_group_ids,
        execution_role_arn,
        task_role_arn: _,
        log_group_name,
        event_queue_url: _,
    } = existing;
    cluster_arn.is_none()
        || namespace_arn.is_none()
        || security_group_ids.as_ref().is_none_or(Vec::is_empty)
        || execution_role_arn.is_none()
        || log_group_name.is_none()
}

/// The policy that keeps CloudFormation from replacing or deleting what services live on (AWS: CloudFormation user guide, Prevent
/// updates to stack resources).
pub fn protection() -> String {
    serde_json::json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
        {
            "Effect": "Deny", "Principal": "*", "Action": ["Update:Replace", "Update:Delete"], "Resource": "*",
            "Condition": {"StringEquals": {"ResourceType": changes::GUARDED}},
        },
    ]})
    .to_string()
}

/// The policy for the time of an approved change set.
pub fn no_protection() -> String {
    serde_json::json!({"Statement": [
        {"Effect": "Allow", "Principal": "*", "Action": "Update:*", "Resource": "*"},
    ]})
    .to_string()
}
