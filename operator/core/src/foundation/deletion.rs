//! What to do about the stack of an Environment that is being deleted. Pure.

use super::decide::{Known, Lookup, Step};
use super::facts::StackStatus;
use super::words;
use privateservice_api::meta;

/// What comes next.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Deletion {
    /// There is no stack, or none of ours.
    Gone,
    /// A call.
    Step(Step),
    /// AWS is at it.
    Wait {
        /// At what.
        message: String,
    },
    /// It could not be deleted, for this reason; it is tried again.
    Again {
        /// What to do.
        message: String,
    },
}

/// Decides about the stack named `stack` of the owner `owner` (the value of the ownership tag).
pub fn decide_deletion(
    stack: &str,
    owner: &str,
    stack_id: Option<&str>,
    known: &Known,
) -> Deletion {
    let Some(found) = &known.stack else {
        return Deletion::Gone;
    };
    let ours = match found.tags.get(meta::TAG_OWNER) {
        Some(tag) => tag == owner,
        // One in review may not show its tags.
        None => stack_id == Some(found.id.as_str()),
    };
    if !ours {
        return Deletion::Gone;
    }
    let wait = |message: String| Deletion::Wait { message };
    match &found.status {
        StackStatus::Deleted => Deletion::Gone,
        StackStatus::Deleting => wait(words::deleting(stack)),
        StackStatus::Creating => wait(words::creating(stack)),
        StackStatus::CreateRollingBack => wait(words::create_rolling_back(stack)),
        StackStatus::Updating => wait(words::updating(stack)),
        StackStatus::UpdateRollingBack => wait(words::update_rolling_back(stack)),
        StackStatus::Other(word) => wait(words::unknown(stack, word)),
        StackStatus::DeleteFailed => match &known.failure {
            Lookup::NotRead => Deletion::Step(Step::DescribeFailure),
            Lookup::Absent => Deletion::Again {
                message: words::delete_failed(stack, "AWS gives no reason").message,
            },
            Lookup::Found(cause) => Deletion::Again {
                message: words::delete_failed(stack, cause).message,
            },
        },
        StackStatus::Review
        | StackStatus::Complete
        | StackStatus::CreateFailed
        | StackStatus::UpdateRolledBack
        | StackStatus::UpdateRollbackFailed
        | StackStatus::UpdateFailed => Deletion::Step(Step::DeleteStack),
    }
}
