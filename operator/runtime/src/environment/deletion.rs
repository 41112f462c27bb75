//! Deleting an Environment: waits until no PrivateService names it, then leaves or deletes its stack, and lets go of the finalizer.
//!
//! Invariant: a stack is deleted only under the policy Delete, in the right account, and if its tags say that it is ours.

use super::priority;
use super::rivals::NoRivals;
use crate::context::Context;
use crate::finalizer;
use kube::ResourceExt;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::DeletionPolicy;
use privateservice_api::{Environment, EnvironmentStatus};
use privateservice_aws::Account;
use privateservice_core::conditions::{Ready, Verdict};
use privateservice_core::environment;
use privateservice_core::failure::Failure;
use privateservice_core::foundation::{self, Deletion, Known, Lookup, Step};

/// How many PrivateServices a message names.
const NAMED: usize = 3;
/// Calls of one pass: what failed, and the deletion.
const STEP_LIMIT: usize = 3;

/// What a pass over an Environment that is being deleted comes to.
pub(super) enum Farewell {
    /// It has let go.
    Gone,
    /// Somebody or something is waited for.
    Stays(Verdict),
}

/// One pass.
///
/// # Errors
/// Only trouble with the Kubernetes API.
pub(super) async fn run(
    object: &Environment,
    context: &Context,
    status: &EnvironmentStatus,
) -> anyhow::Result<Farewell> {
    if !finalizer::has(object) {
        return Ok(Farewell::Gone);
    }
    let users = context.index.users(&object.name_any());
    if !users.is_empty() {
        let named: Vec<String> = users.iter().take(NAMED).map(ToString::to_string).collect();
        let more = if users.len() > NAMED { ", ..." } else { "" };
        return Ok(stays(format!(
            "waits until no PrivateService names this Environment; {} of them do: {}{more}",
            users.len(),
            named.join(", ")
        )));
    }
    let verdict = match object
        .spec
        .deletion_policy
        .unwrap_or(DeletionPolicy::Retain)
    {
        DeletionPolicy::Retain => None,
        DeletionPolicy::Delete => remove_stack(object, context, status).await,
    };
    if let Some(verdict) = verdict {
        return Ok(Farewell::Stays(verdict));
    }
    finalizer::remove(&context.client.0, object).await?;
    Ok(Farewell::Gone)
}

/// Deletes the stack. `None` once there is none of ours.
async fn remove_stack(
    object: &Environment,
    context: &Context,
    status: &EnvironmentStatus,
) -> Option<Verdict> {
    if status.stack_id.is_none() && !foundation::is_needed(object) {
        return None;
    }
    // A spec that cannot be read is empty; what status says is where it was.
    let region = status
        .region
        .clone()
        .or_else(|| Some(object.spec.region.clone()))
        .filter(|region| !region.is_empty())?;
    let account = context.account(&region, object.spec.assume_role.as_ref());
    let caller = account.caller_account(priority()).await;
    if let Err(unfit) = environment::judge_place(object, &caller, &NoRivals) {
        return Some(troubled(unfit.problem().reason, &unfit.problem().message));
    }
    if let (Some(was), Ok(is)) = (&status.account_id, &caller)
        && was != is
    {
        return Some(troubled(
            Reason::CredentialsError,
            &format!("the operator's credentials are of account {is}, but the stack is in {was}"),
        ));
    }
    match Box::pin(advance(object, context, &account, status)).await {
        Ok(verdict) => verdict,
        Err(failure) => Some(troubled(failure.reason(), &failure.to_string())),
    }
}

async fn advance(
    object: &Environment,
    context: &Context,
    account: &Account,
    status: &EnvironmentStatus,
) -> Result<Option<Verdict>, Failure> {
    let name = object.name_any();
    let stack = foundation::stack_name(&name);
    let owner = foundation::owner(&context.cluster_id, &name).tag_value();
    let role = object
        .spec
        .foundation
        .as_ref()
        .and_then(|foundation| foundation.cloud_formation_role_arn.as_deref());
    let mut known = Known {
        stack: account.stack(&stack, priority()).await?,
        ..Known::default()
    };
    for _ in 0..STEP_LIMIT {
        match foundation::decide_deletion(&stack, &owner, status.stack_id.as_deref(), &known) {
            Deletion::Gone => return Ok(None),
            Deletion::Wait { message } => return Ok(Some(deleting(message))),
            Deletion::Again { message } => {
                account.delete_stack(&stack, role, priority()).await?;
                return Ok(Some(troubled(Reason::EnvironmentNotReady, &message)));
            }
            Deletion::Step(Step::DescribeFailure) => {
                let cause = account.stack_failure(&stack, priority()).await?;
                known.failure = cause.map_or(Lookup::Absent, Lookup::Found);
            }
            Deletion::Step(step) => {
                account.delete_stack(&stack, role, priority()).await?;
                return Ok(Some(deleting(foundation::waiting(&stack, &step))));
            }
        }
    }
    Ok(Some(deleting(foundation::waiting(
        &stack,
        &Step::DeleteStack,
    ))))
}

fn stays(message: String) -> Farewell {
    Farewell::Stays(Verdict {
        // Those who still run here go on.
        ready: Ready::Kept,
        ..deleting(message)
    })
}

fn deleting(message: String) -> Verdict {
    Verdict {
        ready: Ready::False,
        reason: Reason::Deleting,
        message,
        findings: vec![],
    }
}

/// What keeps the stack from being deleted, and the way out that always works.
fn troubled(reason: Reason, message: &str) -> Verdict {
    Verdict {
        reason,
        ..deleting(format!(
            "the stack cannot be deleted: {message} (spec.deletionPolicy: Retain lets go of the Environment and leaves the stack)"
        ))
    }
}
