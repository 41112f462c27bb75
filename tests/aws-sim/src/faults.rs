//! Faults on purpose. In: descriptions of faults and the calls as they come. Out: the fault a call
//! meets, if any. No IO. Invariant: the same seed and the same order of calls give the same faults.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::random::Random;
use crate::route::{self, Call};

/// What goes wrong.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FaultKind {
    /// `ThrottlingException`, 400, nothing done.
    Throttle,
    /// `ServerException`, 500, nothing done.
    ServerError,
    /// `AccessDeniedException`, 400, nothing done.
    AccessDenied,
    /// The answer comes late, by this many milliseconds of real time.
    DelayMs(u64),
    /// The call takes effect, then the connection closes without an answer.
    LostAnswer,
    /// A list or describe answers with empty lists and no token.
    EmptyPage,
    /// Any other error, nothing done.
    Error {
        /// HTTP status.
        status: u16,
        /// Error code.
        code: String,
        /// Error text.
        message: String,
    },
}

/// A fault and the calls it applies to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// `*`, `writes`, a prefix such as `ecs:*`, or `ecs:CreateService`.
    pub operation: String,
    /// What goes wrong.
    pub kind: FaultKind,
    /// Chance per matching call, 0 to 1; absent: every one.
    #[serde(default)]
    pub probability: Option<f64>,
    /// How many calls it hits before it is spent; absent: no end.
    #[serde(default)]
    pub count: Option<u32>,
    /// How many matching calls pass first.
    #[serde(default)]
    pub skip: u32,
}

impl Fault {
    /// A fault on every matching call.
    pub fn always(operation: &str, kind: FaultKind) -> Self {
        Self {
            operation: operation.to_owned(),
            kind,
            probability: None,
            count: None,
            skip: 0,
        }
    }

    /// A fault on the next `count` matching calls.
    pub fn next(operation: &str, kind: FaultKind, count: u32) -> Self {
        Self {
            count: Some(count),
            ..Self::always(operation, kind)
        }
    }

    /// A fault on a share of the matching calls.
    pub fn sometimes(operation: &str, kind: FaultKind, probability: f64) -> Self {
        Self {
            probability: Some(probability),
            ..Self::always(operation, kind)
        }
    }

    /// The same, after `skip` matching calls have passed.
    #[must_use]
    pub fn after(self, skip: u32) -> Self {
        Self { skip, ..self }
    }
}

/// The faults in force.
#[derive(Debug)]
pub(crate) struct Faults {
    active: Vec<Fault>,
    dice: Random,
}

impl Faults {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            active: Vec::new(),
            dice: Random::new(seed ^ 0xFA17),
        }
    }

    pub(crate) fn add(&mut self, fault: Fault) {
        self.active.push(fault);
    }

    pub(crate) fn clear(&mut self) {
        self.active.clear();
    }

    /// The first fault that hits this call.
    pub(crate) fn hit(&mut self, call: &Call) -> Option<FaultKind> {
        for fault in &mut self.active {
            if fault.count == Some(0) || !route::matches(&fault.operation, call) {
                continue;
            }
            // An empty page makes no sense for a write; such a call neither meets nor uses it up.
            if fault.kind == FaultKind::EmptyPage && call.is_write() {
                continue;
            }
            if fault.skip > 0 {
                fault.skip -= 1;
                continue;
            }
            if fault
                .probability
                .is_some_and(|chance| self.dice.fraction() >= chance)
            {
                continue;
            }
            if let Some(left) = &mut fault.count {
                *left -= 1;
            }
            return Some(fault.kind.clone());
        }
        None
    }
}

impl FaultKind {
    pub(crate) fn delay(&self) -> Option<Duration> {
        match self {
            FaultKind::DelayMs(milliseconds) => Some(Duration::from_millis(*milliseconds)),
            _ => None,
        }
    }
}
