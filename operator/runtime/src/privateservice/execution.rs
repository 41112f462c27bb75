//! Executing a plan: its calls in order, with what a crash must not forget written to status before the call that matters.

use super::writing::Writer;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::PrivateServiceStatus;
use privateservice_api::privateservice::Attempt;
use privateservice_aws::{Account, Outputs, Priority};
use privateservice_core::claim;
use privateservice_core::failure::Failure;
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::plan::Plan;
use privateservice_core::step::{Outcome, Step};
use std::sync::Arc;

/// What executing a plan came to.
pub(super) struct Execution {
    /// What the executed steps yielded, in order.
    pub(super) outcomes: Vec<Outcome>,
    /// What stopped it.
    pub(super) failure: Option<Failure>,
}

/// Who executes, and for whom.
#[derive(Clone, Copy)]
pub(super) struct Caller<'a> {
    pub(super) account: &'a Arc<Account>,
    pub(super) owner: &'a Owner,
    pub(super) key: &'a ObjectKey,
    pub(super) priority: Priority,
}

/// Executes the steps in order until one fails.
pub(super) async fn execute(caller: Caller<'_>, plan: &Plan) -> Execution {
    let mut outputs = Outputs::default();
    let mut outcomes = Vec::new();
    for step in &plan.steps {
        if let Err(failure) = one(caller, step, &mut outputs, &mut outcomes).await {
            return Execution {
                outcomes,
                failure: Some(failure),
            };
        }
    }
    Execution {
        outcomes,
        failure: None,
    }
}

/// The same for a living object: a rollout, and a stop of one, stand in status before they are sent.
///
/// # Errors
/// Trouble with the Kubernetes API; then nothing that depends on it was sent.
pub(super) async fn execute_announced(
    caller: Caller<'_>,
    plan: &Plan,
    attempt: Option<Attempt>,
    previous: &mut PrivateServiceStatus,
    writer: &Writer<'_>,
) -> anyhow::Result<Execution> {
    let Caller {
        account,
        key,
        priority,
        ..
    } = caller;
    let mut outputs = Outputs::default();
    let mut outcomes = Vec::new();
    for step in &plan.steps {
        let announced = step.starts_rollout() || matches!(step, Step::StopServiceDeployment { .. });
        if announced && let Err(failure) = account.reserve_service_call(key, priority) {
            return Ok(Execution {
                outcomes,
                failure: Some(failure),
            });
        }
        if step.starts_rollout()
            && let Some(attempt) = &attempt
        {
            let at = previous
                .attempt
                .as_ref()
                .and_then(|written| written.at.clone());
            let again = Attempt {
                at: at.clone(),
                ..attempt.clone()
            };
            // A try that AWS refused before is not written down once more.
            if at.is_none() || previous.attempt.as_ref() != Some(&again) {
                previous.attempt = Some(Attempt {
                    at: Some(Time(Timestamp::now())),
                    ..attempt.clone()
                });
                writer.write(previous.clone()).await?;
            }
        }
        if matches!(step, Step::StopServiceDeployment { .. })
            && let Some(status) = claim::stop(previous, plan)
        {
            *previous = status;
            writer.write(previous.clone()).await?;
        }
        if let Err(failure) = one(caller, step, &mut outputs, &mut outcomes).await {
            return Ok(Execution {
                outcomes,
                failure: Some(failure),
            });
        }
    }
    Ok(Execution {
        outcomes,
        failure: None,
    })
}

async fn one(
    caller: Caller<'_>,
    step: &Step,
    outputs: &mut Outputs,
    outcomes: &mut Vec<Outcome>,
) -> Result<(), Failure> {
    let Caller {
        account,
        owner,
        key,
        priority,
    } = caller;
    // Boxed: the SDK's futures are large, and most passes hold none.
    let call = Box::pin(account.execute(step, outputs, owner, key, priority));
    match call.await {
        Ok(outcome) => {
            tracing::info!(operation = step.operation(), ?outcome, "executed");
            outcomes.push(outcome);
            Ok(())
        }
        Err(failure) => {
            tracing::info!(operation = step.operation(), %failure, "not executed");
            Err(failure)
        }
    }
}
