//! Bringing the stack of an Environment to what its spec asks for, as far as one pass gets. Reads and changes CloudFormation; writes
//! status before it runs a change set.
//!
//! Invariant: what to do is decided anew from what AWS says before each call (`privateservice_core::foundation::decide`).

use super::priority;
use crate::context::Context;
use kube::ResourceExt;
use privateservice_api::environment::{PendingChangeSet, StackAttempt};
use privateservice_api::{Environment, EnvironmentStatus, meta};
use privateservice_aws::Account;
use privateservice_core::failure::Failure;
use privateservice_core::foundation::{
    self, Ask, ChangeSetKind, Known, Lookup, Memory, Next, Outputs, Step, Wanted,
};
use privateservice_core::hash::Hash;
use privateservice_core::problem::Problem;

/// Calls of one pass; the longest way without a wait takes five.
const STEP_LIMIT: usize = 8;

/// What a look at the stack came to.
#[derive(Clone, Debug)]
pub(super) struct Founding {
    /// What the stack made, if services can live on it.
    pub(super) outputs: Option<Outputs>,
    /// What there is to say about it.
    pub(super) says: Says,
    /// What waits for approval.
    pub(super) pending: Option<PendingChangeSet>,
}

/// What there is to say about a stack.
#[derive(Clone, Debug)]
pub(super) enum Says {
    /// It is as it was asked for, or waits for approval.
    Nothing,
    /// AWS is working on it.
    Moving(String),
    /// Something is wrong with it.
    Wrong(Problem),
    /// A call failed.
    Failed(Failure),
}

impl Founding {
    /// As it was asked for.
    pub(super) const fn made(outputs: Outputs) -> Self {
        Self {
            outputs: Some(outputs),
            says: Says::Nothing,
            pending: None,
        }
    }

    /// On its way.
    pub(super) fn moving(message: impl Into<String>) -> Self {
        Self {
            outputs: None,
            says: Says::Moving(message.into()),
            pending: None,
        }
    }

    fn wrong(problem: Problem) -> Self {
        Self {
            outputs: None,
            says: Says::Wrong(problem),
            pending: None,
        }
    }

    /// True while AWS is working on it.
    pub(super) const fn is_moving(&self) -> bool {
        matches!(self.says, Says::Moving(_))
    }

    /// True if nothing changes until somebody acts, and services can go on.
    pub(super) const fn is_settled(&self) -> bool {
        self.outputs.is_some() && matches!(self.says, Says::Nothing | Says::Wrong(_))
    }
}

/// What one pass works with.
pub(super) struct Work<'a> {
    pub(super) object: &'a Environment,
    pub(super) context: &'a Context,
    pub(super) account: &'a Account,
    pub(super) wanted: &'a Wanted,
    /// The value by which somebody asked for another look.
    pub(super) asked: Option<&'a str>,
}

/// How a step leaves the pass.
enum Flow {
    /// Decide anew.
    On,
    /// AWS has something to do: look again later.
    Later,
}

impl Work<'_> {
    /// Goes as far as it goes without waiting. `gone` is told whether the stack was found, and says whether one that was there is gone for
    /// good. What is to be remembered is put into `status`.
    ///
    /// # Errors
    /// Only trouble with the Kubernetes API.
    pub(super) async fn advance(
        &self,
        status: &mut EnvironmentStatus,
        gone: impl FnOnce(bool) -> bool + Send,
    ) -> anyhow::Result<Founding> {
        let mut known = Known::default();
        match self.account.stack(&self.wanted.stack, priority()).await {
            Ok(stack) => {
                known.absent_for_long = gone(stack.is_some());
                known.stack = stack;
            }
            Err(failure) => return Ok(self.failed(failure, status)),
        }
        let mut memory = Memory::of(status);
        if let Some(stack) = &known.stack
            && stack.tags.get(meta::TAG_OWNER) == self.wanted.tags.get(meta::TAG_OWNER)
        {
            // Status may have been lost; only the tags prove that it is ours.
            memory.stack_id = Some(stack.id.clone());
        }
        let founding = self.run(&mut known, &mut memory, status).await;
        memory.write(status);
        founding
    }

    async fn run(
        &self,
        known: &mut Known,
        memory: &mut Memory,
        status: &EnvironmentStatus,
    ) -> anyhow::Result<Founding> {
        let spec = &self.object.spec;
        let existing = spec.existing.clone().unwrap_or_default();
        let approve = spec
            .foundation
            .as_ref()
            .and_then(|foundation| foundation.approve.as_deref());
        for _ in 0..STEP_LIMIT {
            let ask = Ask {
                wanted: self.wanted,
                existing: &existing,
                memory,
                retry: self.asked,
                approve,
            };
            let next = foundation::decide(&ask, known);
            tracing::debug!(?next, "stack");
            let step = match next {
                Next::Step(step) => step,
                other => return Ok(self.conclude(other, known, memory).await),
            };
            let done = match &step {
                Step::Execute { attempt } => {
                    // Written down first: a change that fails must be known to have been tried.
                    memory.attempt = Some(attempt.clone());
                    let mut noted = status.clone();
                    memory.write(&mut noted);
                    self.context
                        .environment_statuses
                        .write(self.object, &noted)
                        .await?;
                    self.execute(attempt, known).await
                }
                other => self.step(other, known, memory).await,
            };
            match done {
                Ok(Flow::On) => {}
                Ok(Flow::Later) => {
                    let message = foundation::waiting(&self.wanted.stack, &step);
                    return Ok(Founding {
                        outputs: serving(known),
                        ..Founding::moving(message)
                    });
                }
                Err(failure) => {
                    return Ok(Founding {
                        outputs: serving(known),
                        says: says(failure),
                        pending: None,
                    });
                }
            }
        }
        Ok(Founding::moving(format!(
            "the stack {} is being looked at",
            self.wanted.stack
        )))
    }

    async fn step(
        &self,
        step: &Step,
        known: &mut Known,
        memory: &mut Memory,
    ) -> Result<Flow, Failure> {
        let (account, wanted, priority) = (self.account, self.wanted, priority());
        let stack = wanted.stack.as_str();
        match step {
            Step::DescribeChangeSet { name } => {
                known.change_set = lookup(account.change_set(stack, name, priority).await?);
                Ok(Flow::On)
            }
            Step::DescribeFailure => {
                known.failure = lookup(account.stack_failure(stack, priority).await?);
                Ok(Flow::On)
            }
            Step::CreateChangeSet { name, kind } => {
                let made = Box::pin(account.create_change_set(wanted, name, *kind, priority));
                let id = made.await?;
                if *kind == ChangeSetKind::Create {
                    memory.stack_id = id;
                    memory.applied = None;
                }
                Ok(Flow::Later)
            }
            Step::DeleteChangeSet { name } => {
                account.delete_change_set(stack, name, priority).await?;
                Ok(Flow::Later)
            }
            Step::Protect => {
                let policy = foundation::protection();
                account.set_stack_policy(stack, &policy, priority).await?;
                known.is_protected = true;
                if let Some(attempt) = &mut memory.attempt {
                    attempt.unprotected = false;
                }
                Ok(Flow::On)
            }
            Step::DeleteStack => {
                account
                    .delete_stack(stack, wanted.role_arn.as_deref(), priority)
                    .await?;
                // It is gone by our own will: nobody has to make sure.
                (memory.stack_id, memory.applied) = (None, None);
                Ok(Flow::Later)
            }
            // Needs the status written, see `run`.
            Step::Execute { .. } => Ok(Flow::Later),
        }
    }

    async fn execute(&self, attempt: &StackAttempt, known: &Known) -> Result<Flow, Failure> {
        let stack = &self.wanted.stack;
        if attempt.unprotected {
            let policy = foundation::no_protection();
            self.account
                .set_stack_policy(stack, &policy, priority())
                .await?;
        }
        let id = known.stack.as_ref().map(|stack| &stack.id);
        let token = Hash::of(&(id, attempt));
        self.account
            .execute_change_set(stack, &attempt.change_set, token.as_str(), priority())
            .await?;
        Ok(Flow::Later)
    }

    async fn conclude(&self, next: Next, known: &Known, memory: &mut Memory) -> Founding {
        match next {
            Next::Ready { outputs, cleanup } => {
                memory.applied = Some(self.wanted.hash.0.clone());
                self.clean(cleanup).await;
                Founding::made(outputs)
            }
            Next::Pending { outputs, pending } => Founding {
                pending: Some(pending),
                ..Founding::made(outputs)
            },
            Next::WentBack { outputs, problem } => Founding {
                says: Says::Wrong(problem),
                ..Founding::made(outputs)
            },
            Next::Wait { message, outputs } => Founding {
                outputs,
                ..Founding::moving(message)
            },
            Next::Stuck { problem, cleanup } => {
                self.clean(cleanup).await;
                Founding {
                    outputs: None,
                    ..Founding::wrong(problem)
                }
            }
            // `run` makes the steps itself.
            Next::Step(_) => Founding {
                outputs: serving(known),
                ..Founding::moving(String::new())
            },
        }
    }

    /// Removes a change set of no use. If that fails, it is found and removed the next time its name comes up.
    async fn clean(&self, change_set: Option<String>) {
        if let Some(name) = change_set
            && let Err(error) = self
                .account
                .delete_change_set(&self.wanted.stack, &name, priority())
                .await
        {
            tracing::debug!(%error, name, "change set not removed");
        }
    }

    fn failed(&self, failure: Failure, status: &EnvironmentStatus) -> Founding {
        tracing::debug!(%failure, stack = self.wanted.stack, environment = self.object.name_any(), "stack");
        Founding {
            outputs: None,
            says: says(failure),
            pending: status.pending_change_set.clone(),
        }
    }
}

/// What services can live on meanwhile.
fn serving(known: &Known) -> Option<Outputs> {
    use foundation::StackStatus::{Complete, UpdateRolledBack};
    known
        .stack
        .as_ref()
        .filter(|stack| matches!(stack.status, Complete | UpdateRolledBack))
        .map(|stack| stack.outputs.clone())
}

/// Another writer, or AWS not yet ready, is no trouble: it is looked at again.
fn says(failure: Failure) -> Says {
    match failure {
        Failure::Conflict { .. } | Failure::NotYet { .. } => Says::Moving(failure.to_string()),
        Failure::Refused {
            message, reason, ..
        } => Says::Wrong(Problem::new(
            reason,
            format!("CloudFormation refuses what the Environment asks for: {message}"),
        )),
        other => Says::Failed(other),
    }
}

fn lookup<T>(found: Option<T>) -> Lookup<T> {
    found.map_or(Lookup::Absent, Lookup::Found)
}
