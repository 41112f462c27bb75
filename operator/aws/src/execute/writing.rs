//! One mutating call: admitted without waiting, and fenced in the inventory on both sides.

use super::Caller;
use crate::calls::CallError;
use crate::connect::Account;
use crate::inventory::{Before, Inventory, What};
use crate::limits::{Admission, Priority};
use crate::operations::{Operation, UPDATE_SERVICE};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use privateservice_core::failure::Failure;
use privateservice_core::observed::Scope;
use privateservice_core::owner::ObjectKey;
use std::error::Error;

impl Account {
    /// A call for the object, or the news that it has to queue for it.
    pub(super) fn admit(&self, caller: Caller<'_>, operation: Operation) -> Result<(), Failure> {
        self.admit_for(caller.key, caller.priority, operation)
    }

    /// The same, for what the inventory does not follow.
    pub(super) fn admit_for(
        &self,
        key: &ObjectKey,
        priority: Priority,
        operation: Operation,
    ) -> Result<(), Failure> {
        granted(self.limits.try_admit(operation.bucket, key, priority))
    }

    /// Makes sure that an update, a creation or a stop of a service can be sent right afterwards, so that what must be written down before it
    /// is written only then.
    ///
    /// # Errors
    /// [`Failure::Queued`]: the object is woken when its turn comes.
    pub fn reserve_service_call(&self, key: &ObjectKey, priority: Priority) -> Result<(), Failure> {
        granted(self.limits.reserve(UPDATE_SERVICE.bucket, key, priority))
    }

    /// Sends a mutating call that has been admitted. What it touches is Unknown while it runs; afterwards it is what it was if AWS
    /// refused the call.
    pub(super) async fn write<T, E>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        what: What,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<T, CallError<E>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        // Boxed: the SDK's futures are large, and this one holds the other.
        Box::pin(self.write_and_keep(caller, operation, what, call))
            .await
            .0
    }

    /// The same; after a call that succeeded, with what was known before it, for callers that know what it has made of that.
    pub(super) async fn write_and_keep<T, E>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        what: What,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> (Result<T, CallError<E>>, Option<Before>)
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let mut fence = Fence::close(&self.inventory, caller.scope, what);
        let result = self.calls.send(operation, call).await;
        let before = fence.open();
        // Else it stays Unknown, and whoever tries again demands the read first, at its own pace: a read that woke the object from
        // here would make a loop of failing calls.
        match (result, before) {
            (Err(error), Some(before)) if changed_nothing(what, &error.failure) => {
                self.inventory.restore(caller.scope, before);
                (Err(error), None)
            }
            (Err(error), _) => (Err(error), None),
            (Ok(answer), before) => (Ok(answer), before),
        }
    }
}

fn granted(admission: Admission) -> Result<(), Failure> {
    match admission {
        Admission::Granted => Ok(()),
        Admission::Queued { ahead } => Err(Failure::Queued { ahead }),
    }
}

/// True where AWS refused for a reason that says nothing new about the thing itself.
fn changed_nothing(what: What, failure: &Failure) -> bool {
    match failure {
        Failure::Queued { .. }
        | Failure::Throttled { .. }
        | Failure::Waiting { .. }
        | Failure::Refused { .. }
        | Failure::RevisionGone { .. } => true,
        // A Cloud Map service that still has instances is still what it was.
        Failure::NotYet { .. } => what == What::Dns,
        Failure::Ambiguous { .. } | Failure::Conflict { .. } => false,
    }
}

/// Keeps reads that overlap a write from being believed, also when the write is cancelled.
struct Fence<'a> {
    inventory: &'a Inventory,
    scope: &'a Scope,
    what: What,
    before: Option<Before>,
    closed: bool,
}

impl<'a> Fence<'a> {
    fn close(inventory: &'a Inventory, scope: &'a Scope, what: What) -> Self {
        let before = inventory.touch_and_keep(scope, what);
        Self {
            inventory,
            scope,
            what,
            before,
            closed: true,
        }
    }

    fn open(&mut self) -> Option<Before> {
        self.closed = false;
        self.inventory.touch(self.scope, self.what);
        self.before.take()
    }
}

impl Drop for Fence<'_> {
    fn drop(&mut self) {
        if self.closed {
            self.inventory.touch(self.scope, self.what);
        }
    }
}
