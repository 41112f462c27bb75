//! What keeps the process from being ready, in words. No IO.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// The parts that must be up, each with what it still waits for.
#[derive(Clone, Debug, Default)]
pub(crate) struct Readiness {
    waiting: Arc<Mutex<BTreeMap<&'static str, String>>>,
}

impl Readiness {
    /// A part waits for something. It is one line of the answer to `/readyz`.
    pub(crate) fn waits(&self, part: &'static str, what: impl Into<String>) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .insert(part, what.into());
    }

    /// A part waits no longer.
    pub(crate) fn is_up(&self, part: &'static str) {
        self.waiting
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .remove(part);
    }

    /// What is waited for, one line each; empty if ready.
    pub(crate) fn missing(&self) -> Vec<String> {
        let waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        waiting
            .iter()
            .map(|(part, what)| format!("{part}: {what}"))
            .collect()
    }
}
