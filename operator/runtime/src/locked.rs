//! A lock for values that no critical section can leave half changed. No IO.

use std::sync::{Mutex, MutexGuard, PoisonError};

/// A mutex whose poisoning is ignored: use it only where each change is one call that cannot panic half way.
#[derive(Debug, Default)]
pub(crate) struct Locked<T>(Mutex<T>);

impl<T> Locked<T> {
    /// Waits for the lock. Never hold it across an `await`.
    pub(crate) fn lock(&self) -> MutexGuard<'_, T> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
