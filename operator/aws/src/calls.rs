//! How a call is sent: counted, timed, logged and classified, in one place. Sends the future it is given; nothing else.
//!
//! Invariant: a call that changes something is sent only while the permit outlasts the longest such a call may take, so that it has
//! ended on our side before another process may begin.

use crate::classify::{self, Effect};
use crate::limits::Limits;
use crate::operations::Operation;
use crate::permit::Permit;
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use privateservice_core::failure::Failure;
use std::collections::BTreeMap;
use std::error::Error;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::time::Instant;

/// How often an operation ended in an outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallCount {
    /// For instance `ecs:DescribeServices`.
    pub operation: &'static str,
    /// `ok`, `throttled`, `ambiguous`, `not-yet`, `conflict`, `revision-gone`, `waiting`, `refused` or `not-leader`.
    pub outcome: &'static str,
    /// Calls since the start.
    pub count: u64,
}

/// A call that failed: what follows from it, and what the SDK said, for callers that know more about one error.
#[derive(Debug)]
pub(crate) struct CallError<E> {
    pub(crate) failure: Failure,
    pub(crate) error: Box<SdkError<E>>,
}

impl<E> CallError<E> {
    /// What follows from it, and nothing more.
    pub(crate) fn into_failure(self) -> Failure {
        self.failure
    }
}

impl<E: ProvideErrorMetadata> CallError<E> {
    /// True if AWS says that there is no such thing (Application Auto Scaling, CloudWatch and Secrets Manager API references).
    pub(crate) fn says_gone(&self) -> bool {
        matches!(
            self.error.code(),
            Some("ObjectNotFoundException" | "ResourceNotFoundException" | "ResourceNotFound")
        )
    }
}

impl<E> From<CallError<E>> for Failure {
    fn from(error: CallError<E>) -> Self {
        error.failure
    }
}

/// Sends calls and counts them.
#[derive(Debug)]
pub(crate) struct Calls {
    limits: Arc<Limits>,
    permit: Permit,
    write_timeout: Duration,
    counts: Mutex<BTreeMap<(&'static str, &'static str), u64>>,
}

/// Why a call was not sent.
#[derive(Debug, thiserror::Error)]
#[error("not sent: the lease of this process may end before the call does")]
struct NotPermitted;

/// Why a call was given up.
#[derive(Debug, thiserror::Error)]
#[error("no answer within {0:?}")]
struct NoAnswer(Duration);

impl Calls {
    pub(crate) fn new(limits: Arc<Limits>, permit: Permit, write_timeout: Duration) -> Self {
        Self {
            limits,
            permit,
            write_timeout,
            counts: Mutex::default(),
        }
    }

    /// Sends one call that has been admitted. One that changes something needs the permit.
    pub(crate) async fn send<T, E>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, CallError<E>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let began = Instant::now();
        let result = match operation.effect {
            Effect::Read => call.await,
            Effect::Write if !self.permit.lasts_for(self.write_timeout) => {
                return Err(self.not_permitted(operation));
            }
            Effect::Write => match tokio::time::timeout(self.write_timeout, call).await {
                Ok(result) => result,
                Err(_) => Err(SdkError::timeout_error(NoAnswer(self.write_timeout))),
            },
        };
        let milliseconds = u64::try_from(began.elapsed().as_millis()).unwrap_or(u64::MAX);
        match result {
            Ok(output) => {
                self.limits.accepted(operation.bucket);
                self.count(operation.name, "ok");
                tracing::debug!(
                    operation = operation.name,
                    milliseconds,
                    outcome = "ok",
                    "call"
                );
                Ok(output)
            }
            Err(error) => {
                let failure = classify::failure(operation.name, operation.effect, &error);
                let outcome = outcome(&failure);
                if matches!(failure, Failure::Throttled { .. }) {
                    self.limits.penalise(operation.bucket);
                }
                self.count(operation.name, outcome);
                tracing::debug!(operation = operation.name, milliseconds, outcome, %failure, "call");
                Err(CallError {
                    failure,
                    error: Box::new(error),
                })
            }
        }
    }

    fn not_permitted<E>(&self, operation: Operation) -> CallError<E> {
        self.count(operation.name, "not-leader");
        tracing::warn!(operation = operation.name, "{NotPermitted}");
        CallError {
            // Whoever is the leader then decides anew.
            failure: Failure::Conflict {
                operation: operation.name,
                message: NotPermitted.to_string(),
            },
            error: Box::new(SdkError::construction_failure(NotPermitted)),
        }
    }

    /// All counts since the start.
    pub(crate) fn counts(&self) -> Vec<CallCount> {
        let counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        counts
            .iter()
            .map(|((operation, outcome), count)| CallCount {
                operation,
                outcome,
                count: *count,
            })
            .collect()
    }

    fn count(&self, operation: &'static str, outcome: &'static str) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        *counts.entry((operation, outcome)).or_default() += 1;
    }
}

/// A failure as a metric label.
const fn outcome(failure: &Failure) -> &'static str {
    match failure {
        Failure::Queued { .. } => "queued",
        Failure::Throttled { .. } => "throttled",
        Failure::Ambiguous { .. } => "ambiguous",
        Failure::NotYet { .. } => "not-yet",
        Failure::Conflict { .. } => "conflict",
        Failure::RevisionGone { .. } => "revision-gone",
        Failure::Waiting { .. } => "waiting",
        Failure::Refused { .. } => "refused",
    }
}
