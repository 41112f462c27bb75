//! What people read about a stack: what is going on, or what is wrong and the way out. Pure.

use super::decide::Step;
use super::facts::Outputs;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::Existing;

/// What is being waited for after a step.
pub fn waiting(stack: &str, step: &Step) -> String {
    match step {
        Step::CreateChangeSet { .. } | Step::DescribeChangeSet { .. } => computing(stack),
        Step::DeleteChangeSet { .. } => {
            format!("a change set of the stack {stack} that cannot run any more is being removed")
        }
        Step::DeleteStack => deleting(stack),
        Step::Execute { .. } | Step::Protect | Step::DescribeFailure => updating(stack),
    }
}

pub(super) fn computing(stack: &str) -> String {
    format!("what is to change in the stack {stack} is being computed")
}

pub(super) fn creating(stack: &str) -> String {
    format!("the stack {stack} is being made; that takes a few minutes")
}

pub(super) fn create_rolling_back(stack: &str) -> String {
    format!("the stack {stack} could not be made; what there is of it is being removed")
}

pub(super) fn updating(stack: &str) -> String {
    format!("the stack {stack} is being changed")
}

pub(super) fn update_rolling_back(stack: &str) -> String {
    format!("a change of the stack {stack} failed; it is going back to what it was")
}

pub(super) fn deleting(stack: &str) -> String {
    format!("the stack {stack} is being deleted")
}

pub(super) fn unknown(stack: &str, word: &str) -> String {
    format!("the stack {stack} is in the state {word}, which this version does not know")
}

pub(super) fn vanished(stack: &str) -> String {
    format!("the stack {stack} is not found; it is looked for once more before it is made anew")
}

pub(super) fn foreign(stack: &str) -> Problem {
    Problem::new(
        Reason::NameConflict,
        format!(
            "there is a stack {stack} that does not belong to this Environment (its tag flexstack.dev/owner says who owns it): \
             rename the Environment, or delete that stack"
        ),
    )
}

pub(super) fn create_failed(stack: &str, cause: &str) -> Problem {
    not_ready(format!(
        "the stack {stack} could not be made: {cause}. Change the spec; or remove the cause, then set the annotation \
         flexstack.dev/reconcile-at to another value: the failed stack is deleted and made anew"
    ))
}

pub(super) fn went_back(stack: &str, cause: &str) -> Problem {
    Problem::new(
        Reason::RolledBack,
        format!(
            "a change of the stack {stack} failed, and it went back to what it was, with which services go on: {cause}. Change the \
             spec; or remove the cause, then set the annotation flexstack.dev/reconcile-at to another value"
        ),
    )
}

pub(super) fn update_rollback_failed(stack: &str, cause: &str) -> Problem {
    not_ready(format!(
        "a change of the stack {stack} failed, and so did the way back: {cause}. Remove the cause, then run: aws cloudformation \
         continue-update-rollback --stack-name {stack} (--resources-to-skip leaves out what cannot be restored)"
    ))
}

pub(super) fn update_failed(stack: &str, cause: &str) -> Problem {
    not_ready(format!(
        "a change of the stack {stack} failed and was not undone: {cause}. Run: aws cloudformation rollback-stack --stack-name {stack}"
    ))
}

pub(super) fn delete_failed(stack: &str, cause: &str) -> Problem {
    not_ready(format!(
        "the stack {stack} could not be deleted: {cause}. Remove what uses it, then run: aws cloudformation delete-stack --stack-name \
         {stack}"
    ))
}

pub(super) fn change_set_failed(stack: &str, reason: Option<&str>) -> Problem {
    not_ready(format!(
        "CloudFormation cannot compute a change of the stack {stack}: {}. It is tried again every now and then",
        reason.unwrap_or("AWS gives no reason")
    ))
}

/// `existing` names something that the stack made: leaving it out of the stack would remove it under the services that use it.
pub(super) fn named_what_was_made(existing: &Existing, outputs: &Outputs) -> Option<Problem> {
    let Existing {
        cluster_arn,
        namespace_arn,
        security_group_ids,
        execution_role_arn,
        task_role_arn,
        log_group_name,
        event_queue_url,
    } = existing;
    let groups = security_group_ids.as_ref().filter(|ids| !ids.is_empty());
    let pairs = [
        ("clusterArn", cluster_arn.is_some(), &outputs.cluster_arn),
        (
            "namespaceArn",
            namespace_arn.is_some(),
            &outputs.namespace_arn,
        ),
        (
            "securityGroupIds",
            groups.is_some(),
            &outputs.internal_security_group_id,
        ),
        (
            "executionRoleArn",
            execution_role_arn.is_some(),
            &outputs.execution_role_arn,
        ),
        (
            "taskRoleArn",
            task_role_arn.is_some(),
            &outputs.task_role_arn,
        ),
        (
            "logGroupName",
            log_group_name.is_some(),
            &outputs.log_group_name,
        ),
        (
            "eventQueueUrl",
            event_queue_url.is_some(),
            &outputs.event_queue_url,
        ),
    ];
    let (field, made) = pairs
        .into_iter()
        .find_map(|(field, named, made)| Some((field, made.as_ref().filter(|_| named)?)))?;
    Some(Problem::new(
        Reason::InvalidSpec,
        format!(
            "spec.existing.{field} is named, but the stack made {made} for it, which would be removed: remove spec.existing.{field}, or \
             move to another Environment"
        ),
    ))
}

fn not_ready(message: String) -> Problem {
    Problem::new(Reason::EnvironmentNotReady, message)
}
