//! The requests AWS got, without those of the test itself. In: the simulator's log and what the test sent. Out: counts and
//! questions. No IO.

use std::collections::BTreeMap;

use aws_sim::{Outcome, Request};
use serde_json::Value;

/// Requests of the operator, in the order they took effect.
#[derive(Debug, Clone, Default)]
pub struct Calls(pub Vec<Request>);

impl Calls {
    /// The log without what was `sent` by others than the operator: each of those takes one equal request away.
    pub(crate) fn without(mut log: Vec<Request>, sent: &[(String, Value)]) -> Self {
        for (operation, body) in sent {
            let found = log
                .iter()
                .position(|request| request.name() == *operation && request.body == *body);
            if let Some(found) = found {
                log.remove(found);
            }
        }
        Self(log)
    }

    /// How many requests.
    pub fn total(&self) -> usize {
        self.0.len()
    }

    /// How many of this operation, such as `ecs:CreateService`, whatever their outcome.
    pub fn count(&self, operation: &str) -> usize {
        self.0
            .iter()
            .filter(|request| request.name() == operation)
            .count()
    }

    /// How many of this operation took effect, answered or not.
    pub fn effects(&self, operation: &str) -> usize {
        self.0
            .iter()
            .filter(|request| request.name() == operation && took_effect(request))
            .count()
    }

    /// Those that changed AWS, or tried to.
    #[must_use]
    pub fn writes(&self) -> Self {
        Self(
            self.0
                .iter()
                .filter(|request| request.is_write())
                .cloned()
                .collect(),
        )
    }

    /// How many of each operation.
    pub fn counts(&self) -> BTreeMap<String, usize> {
        let mut counts = BTreeMap::new();
        for request in &self.0 {
            *counts.entry(request.name()).or_insert(0) += 1;
        }
        counts
    }

    /// How many AWS throttled.
    pub fn throttled(&self) -> usize {
        self.0
            .iter()
            .filter(|request| request.outcome == Outcome::Throttled)
            .count()
    }
}

/// Whether the request changed AWS, also if its answer was lost.
pub fn took_effect(request: &Request) -> bool {
    matches!(
        request.outcome,
        Outcome::Ok | Outcome::Fault { effect: true, .. }
    )
}
