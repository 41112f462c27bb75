//! How a call to AWS can fail, and what follows. Every error maps to exactly one [`Failure`]; its reason is the condition reason,
//! the Event reason and the metric label at once.

use privateservice_api::conditions::Reason;

/// What follows from a failed call.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The rate limit of this installation is spent; the object is in the queue and is woken when its turn comes.
    #[error("waiting for its turn: {ahead} calls of this kind are ahead")]
    Queued {
        /// Calls ahead in the queue.
        ahead: usize,
    },
    /// AWS refused for rate; nothing happened.
    #[error("AWS throttled {operation}")]
    Throttled {
        /// The operation, e.g. `ecs:CreateService`.
        operation: &'static str,
    },
    /// The call may or may not have had its effect (no answer, a server error): what it touches must be read again.
    #[error("{operation} got no clear answer: {message}")]
    Ambiguous {
        /// The operation.
        operation: &'static str,
        /// What happened, without request ids.
        message: String,
    },
    /// AWS is not ready for this yet ("still Draining", a role that is not there yet, concurrent changes); retried soon, never terminal.
    #[error("{operation}: {message}")]
    NotYet {
        /// The operation.
        operation: &'static str,
        /// AWS's words, without request ids.
        message: String,
        /// Reason shown meanwhile.
        reason: Reason,
    },
    /// Something of that name exists with other parameters, or another writer was faster: read again and decide anew.
    #[error("{operation}: {message}")]
    Conflict {
        /// The operation.
        operation: &'static str,
        /// AWS's words.
        message: String,
    },
    /// The task definition revision we wanted to reuse is gone: forget it and register again.
    #[error("{operation}: {message}")]
    RevisionGone {
        /// The operation.
        operation: &'static str,
        /// AWS's words.
        message: String,
    },
    /// Something outside must change first (a permission, a quota, capacity); retried slowly.
    #[error("{operation}: {message}")]
    Waiting {
        /// The operation.
        operation: &'static str,
        /// AWS's words, without request ids.
        message: String,
        /// Reason shown.
        reason: Reason,
    },
    /// AWS will never accept this spec; waits for a change of it.
    #[error("{operation}: {message}")]
    Refused {
        /// The operation.
        operation: &'static str,
        /// AWS's words, without request ids.
        message: String,
        /// Reason shown.
        reason: Reason,
    },
}

impl Failure {
    /// The condition reason.
    pub const fn reason(&self) -> Reason {
        match self {
            Self::Queued { .. } | Self::Throttled { .. } => Reason::Throttled,
            Self::Ambiguous { .. } | Self::Conflict { .. } | Self::RevisionGone { .. } => {
                Reason::Deploying
            }
            Self::NotYet { reason, .. }
            | Self::Waiting { reason, .. }
            | Self::Refused { reason, .. } => *reason,
        }
    }

    /// True if the same call may succeed a moment later, whatever anybody does.
    pub const fn may_pass(&self) -> bool {
        matches!(self, Self::Throttled { .. } | Self::Ambiguous { .. })
    }

    /// The same in other words.
    #[must_use]
    pub fn reworded(mut self, words: impl Fn(&str) -> String) -> Self {
        match &mut self {
            Self::Queued { .. } | Self::Throttled { .. } => {}
            Self::Ambiguous { message, .. }
            | Self::NotYet { message, .. }
            | Self::Conflict { message, .. }
            | Self::RevisionGone { message, .. }
            | Self::Waiting { message, .. }
            | Self::Refused { message, .. } => *message = words(message),
        }
        self
    }
}
