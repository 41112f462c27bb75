//! Why an object cannot go on, in the words a condition shows.

use privateservice_api::conditions::Reason;

/// A reason and a message that says what to do.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// Condition reason.
    pub reason: Reason,
    /// One sentence for the person who reads `kubectl get`.
    pub message: String,
}

impl Problem {
    /// A problem with this reason.
    pub fn new(reason: Reason, message: impl Into<String>) -> Self {
        Self {
            reason,
            message: message.into(),
        }
    }
}
