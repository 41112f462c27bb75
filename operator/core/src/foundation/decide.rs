//! What to do about a stack now: one call, a wait, or what to report. Pure.
//!
//! Every branch starts from what AWS says, so that a crash after any call changes nothing about what comes next.

use super::changes::needing_approval;
use super::facts::{ChangeSet, ChangeSetStatus, Execution, Outputs, Stack, StackStatus};
use super::render::Wanted;
use super::words;
use crate::hash::Hash;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::{
    EnvironmentStatus, Existing, PendingChangeSet, StackAttempt,
};
use privateservice_api::meta;

/// How many changes `status.pendingChangeSet` lists.
const PENDING_LIMIT: usize = 20;

/// What is asked for.
#[derive(Clone, Debug)]
pub struct Ask<'a> {
    /// The stack.
    pub wanted: &'a Wanted,
    /// What exists already, and was left out of it.
    pub existing: &'a Existing,
    /// What status remembers.
    pub memory: &'a Memory,
    /// Value of the annotation by which somebody asked for another look: another value allows another try.
    pub retry: Option<&'a str>,
    /// Name of the change set that may replace and remove.
    pub approve: Option<&'a str>,
}

/// What status remembers of a stack.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// ARN of the stack.
    pub stack_id: Option<String>,
    /// Hash of what the stack has.
    pub applied: Option<String>,
    /// The last change that was begun.
    pub attempt: Option<StackAttempt>,
}

impl Memory {
    /// Out of a status.
    pub fn of(status: &EnvironmentStatus) -> Self {
        Self {
            stack_id: status.stack_id.clone(),
            applied: status.stack_hash.clone(),
            attempt: status.stack_attempt.clone(),
        }
    }

    /// Into a status.
    pub fn write(&self, status: &mut EnvironmentStatus) {
        status.stack_id.clone_from(&self.stack_id);
        status.stack_hash.clone_from(&self.applied);
        status.stack_attempt.clone_from(&self.attempt);
    }
}

/// Something that costs a call to know.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Lookup<T> {
    /// Nobody has asked.
    #[default]
    NotRead,
    /// There is none.
    Absent,
    /// This.
    Found(T),
}

/// What AWS has said in this pass.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// The stack of our name, if there is one.
    pub stack: Option<Stack>,
    /// If there is none: it was not there the last time either, and that was long enough ago.
    pub absent_for_long: bool,
    /// The change set of the name that was asked for.
    pub change_set: Lookup<ChangeSet>,
    /// Why the last operation failed.
    pub failure: Lookup<String>,
    /// Replacing and removing is forbidden again.
    pub is_protected: bool,
}

/// What kind of change set to create.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ChangeSetKind {
    /// For a stack that is not there yet.
    Create,
    /// For one that is.
    Update,
}

/// One call (two, for an approved change set).
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// Read a change set.
    DescribeChangeSet {
        /// Its name.
        name: String,
    },
    /// Read why the last operation failed.
    DescribeFailure,
    /// Have a change set computed.
    CreateChangeSet {
        /// Its name.
        name: String,
        /// Its kind.
        kind: ChangeSetKind,
    },
    /// Remove a change set that is of no use.
    DeleteChangeSet {
        /// Its name.
        name: String,
    },
    /// Write the attempt down, lift the protection if it says so, and run its change set.
    Execute {
        /// What to write down.
        attempt: StackAttempt,
    },
    /// Forbid replacing and removing (again).
    Protect,
    /// Delete the stack.
    DeleteStack,
}

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Next {
    /// A call.
    Step(Step),
    /// AWS is at it.
    Wait {
        /// At what.
        message: String,
        /// What there is meanwhile, if services can go on.
        outputs: Option<Outputs>,
    },
    /// The stack is as it was asked for.
    Ready {
        /// What it made.
        outputs: Outputs,
        /// An empty change set to be removed.
        cleanup: Option<String>,
    },
    /// The stack serves as it is; a change waits for approval.
    Pending {
        /// What it made.
        outputs: Outputs,
        /// What waits.
        pending: PendingChangeSet,
    },
    /// A change failed and the stack is as it was.
    WentBack {
        /// What it made.
        outputs: Outputs,
        /// Why.
        problem: Problem,
    },
    /// Somebody has to act.
    Stuck {
        /// What to do.
        problem: Problem,
        /// A failed change set to be removed, so that it can be tried again.
        cleanup: Option<String>,
    },
}

/// Decides.
pub fn decide(ask: &Ask<'_>, known: &Known) -> Next {
    let name = &ask.wanted.stack;
    let stack = known
        .stack
        .as_ref()
        .filter(|stack| stack.status != StackStatus::Deleted);
    let Some(stack) = stack else {
        if ask.memory.stack_id.is_some() && !known.absent_for_long {
            return wait(words::vanished(name), None);
        }
        return Next::Step(Step::CreateChangeSet {
            name: change_set_name(ask, "review"),
            kind: ChangeSetKind::Create,
        });
    };
    match ownership(ask, known, stack) {
        Ownership::Ours => {}
        Ownership::AskChangeSet => {
            return Next::Step(Step::DescribeChangeSet {
                name: change_set_name(ask, stack.base()),
            });
        }
        Ownership::Foreign => return stuck(words::foreign(name)),
    }
    match &stack.status {
        StackStatus::Review => by_change_set(ask, known, stack, ChangeSetKind::Create),
        StackStatus::Creating => wait(words::creating(name), None),
        StackStatus::CreateRollingBack => wait(words::create_rolling_back(name), None),
        StackStatus::Updating => wait(words::updating(name), Some(stack.outputs.clone())),
        StackStatus::UpdateRollingBack => wait(
            words::update_rolling_back(name),
            Some(stack.outputs.clone()),
        ),
        StackStatus::Deleting | StackStatus::Deleted => wait(words::deleting(name), None),
        StackStatus::Other(word) => wait(words::unknown(name, word), None),
        StackStatus::Complete | StackStatus::UpdateRolledBack => settled(ask, known, stack),
        StackStatus::CreateFailed if is_attempted(ask) => {
            failed(known, |cause| words::create_failed(name, cause))
        }
        // Nothing in it works, and CloudFormation can do nothing with it but delete it.
        StackStatus::CreateFailed => Next::Step(Step::DeleteStack),
        StackStatus::UpdateRollbackFailed => {
            failed(known, |cause| words::update_rollback_failed(name, cause))
        }
        StackStatus::UpdateFailed => failed(known, |cause| words::update_failed(name, cause)),
        StackStatus::DeleteFailed => failed(known, |cause| words::delete_failed(name, cause)),
    }
}

enum Ownership {
    Ours,
    Foreign,
    /// A stack in review may not show its tags; its change set does.
    AskChangeSet,
}

fn ownership(ask: &Ask<'_>, known: &Known, stack: &Stack) -> Ownership {
    let ours = ask.wanted.tags.get(meta::TAG_OWNER);
    match stack.tags.get(meta::TAG_OWNER) {
        Some(owner) if Some(owner) == ours => return Ownership::Ours,
        Some(_) => return Ownership::Foreign,
        None => {}
    }
    if ask.memory.stack_id.as_ref() == Some(&stack.id) {
        return Ownership::Ours;
    }
    match &known.change_set {
        _ if stack.status != StackStatus::Review => Ownership::Foreign,
        Lookup::NotRead => Ownership::AskChangeSet,
        Lookup::Found(found) if found.tags.get(meta::TAG_OWNER) == ours => Ownership::Ours,
        Lookup::Absent | Lookup::Found(_) => Ownership::Foreign,
    }
}

/// The stack is at rest and serves.
fn settled(ask: &Ask<'_>, known: &Known, stack: &Stack) -> Next {
    let outputs = stack.outputs.clone();
    if let Some(problem) = words::named_what_was_made(ask.existing, &outputs) {
        return Next::Stuck {
            problem,
            cleanup: None,
        };
    }
    let executed = ask
        .memory
        .attempt
        .as_ref()
        .filter(|attempt| attempt.base != stack.base());
    let unprotected = executed.is_some_and(|attempt| attempt.unprotected);
    if unprotected && !known.is_protected {
        return Next::Step(Step::Protect);
    }
    if ask.memory.applied.as_deref() == Some(ask.wanted.hash.as_str()) {
        return Next::Ready {
            outputs,
            cleanup: None,
        };
    }
    if executed.is_some() && is_attempted(ask) {
        return ended(ask, known, stack);
    }
    by_change_set(ask, known, stack, ChangeSetKind::Update)
}

/// The change we want was run, and has ended.
fn ended(ask: &Ask<'_>, known: &Known, stack: &Stack) -> Next {
    if stack.status == StackStatus::UpdateRolledBack {
        let Some(cause) = cause(known) else {
            return Next::Step(Step::DescribeFailure);
        };
        return Next::WentBack {
            outputs: stack.outputs.clone(),
            problem: words::went_back(&ask.wanted.stack, &cause),
        };
    }
    if known.is_protected {
        Next::Ready {
            outputs: stack.outputs.clone(),
            cleanup: None,
        }
    } else {
        Next::Step(Step::Protect)
    }
}

/// A change is due: how far has its change set come?
fn by_change_set(ask: &Ask<'_>, known: &Known, stack: &Stack, kind: ChangeSetKind) -> Next {
    let name = change_set_name(ask, stack.base());
    let outputs = (kind == ChangeSetKind::Update).then(|| stack.outputs.clone());
    let found = match &known.change_set {
        Lookup::NotRead => return Next::Step(Step::DescribeChangeSet { name }),
        Lookup::Absent => return Next::Step(Step::CreateChangeSet { name, kind }),
        Lookup::Found(found) => found,
    };
    match (found.status, found.execution) {
        (ChangeSetStatus::Creating | ChangeSetStatus::Deleting, _) => {
            wait(words::computing(&ask.wanted.stack), outputs)
        }
        (ChangeSetStatus::Failed, _) => match outputs {
            Some(outputs) if found.is_empty() => Next::Ready {
                outputs,
                cleanup: Some(name),
            },
            _ => Next::Stuck {
                problem: words::change_set_failed(&ask.wanted.stack, found.reason.as_deref()),
                cleanup: Some(name),
            },
        },
        (ChangeSetStatus::Created, Execution::Available) => available(ask, stack, name, found),
        (ChangeSetStatus::Created, Execution::Running) => {
            wait(words::updating(&ask.wanted.stack), outputs)
        }
        (ChangeSetStatus::Created, Execution::Done | Execution::Failed) => {
            // The stack shows it a moment later, or another time stamp hid it.
            if stack.status == StackStatus::Review {
                wait(words::creating(&ask.wanted.stack), None)
            } else {
                ended(ask, known, stack)
            }
        }
        (ChangeSetStatus::Created, Execution::Unavailable) => {
            Next::Step(Step::DeleteChangeSet { name })
        }
    }
}

fn available(ask: &Ask<'_>, stack: &Stack, name: String, found: &ChangeSet) -> Next {
    let mut dangers = needing_approval(&found.changes);
    if !dangers.is_empty() && ask.approve != Some(&name) {
        dangers.truncate(PENDING_LIMIT);
        return Next::Pending {
            outputs: stack.outputs.clone(),
            pending: PendingChangeSet {
                name,
                changes: dangers,
            },
        };
    }
    Next::Step(Step::Execute {
        attempt: StackAttempt {
            hash: attempt_hash(ask).0,
            change_set: name,
            base: stack.base().to_owned(),
            unprotected: !dangers.is_empty(),
        },
    })
}

/// What is tried: the stack, and somebody's wish to try again.
fn attempt_hash(ask: &Ask<'_>) -> Hash {
    Hash::of(&(&ask.wanted.hash, ask.retry))
}

fn is_attempted(ask: &Ask<'_>) -> bool {
    let hash = attempt_hash(ask);
    ask.memory
        .attempt
        .as_ref()
        .is_some_and(|attempt| attempt.hash == hash.as_str())
}

/// The change set's name: the one that was begun and not run yet, else made from what it leads to and from where. It stays the same
/// until the stack changes, because an approval names it.
fn change_set_name(ask: &Ask<'_>, base: &str) -> String {
    if let Some(attempt) = &ask.memory.attempt
        && attempt.base == base
        && is_attempted(ask)
    {
        return attempt.change_set.clone();
    }
    let last = ask
        .memory
        .attempt
        .as_ref()
        .filter(|attempt| attempt.base != base)
        .map(|attempt| &attempt.change_set);
    let hash = Hash::of(&(&ask.wanted.hash, &ask.memory.applied, last));
    format!(
        "privateservice-{}",
        hash.as_str().get(..16).unwrap_or_default()
    )
}

fn cause(known: &Known) -> Option<String> {
    match &known.failure {
        Lookup::NotRead => None,
        Lookup::Absent => Some("AWS gives no reason".to_owned()),
        Lookup::Found(text) => Some(text.clone()),
    }
}

fn failed(known: &Known, problem: impl Fn(&str) -> Problem) -> Next {
    match cause(known) {
        None => Next::Step(Step::DescribeFailure),
        Some(cause) => stuck(problem(&cause)),
    }
}

fn wait(message: String, outputs: Option<Outputs>) -> Next {
    Next::Wait { message, outputs }
}

fn stuck(problem: Problem) -> Next {
    debug_assert_ne!(problem.reason, Reason::Succeeded);
    Next::Stuck {
        problem,
        cleanup: None,
    }
}
