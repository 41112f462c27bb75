//! Horizontal scaling: between how many tasks a service runs, and what makes it more or fewer. Pure.
//!
//! ```text
//! Scaling (wanted) ─render─> Rendered ┐
//! AWS ──────────────observe─> Observed ┴─plan─> Plan of scaling steps ─execute (crate aws)─> standing, memory
//! ```
//!
//! It is a stage of its own behind the plan of the service: the service has to be there, and nothing here ever holds back a rollout.
//! Application Auto Scaling moves `desiredCount`; the operator sends it only when a service is created and when it enters or leaves a pause.

mod decimal;
mod deletion;
#[cfg(test)]
pub(crate) mod fixtures;
mod guard;
mod measure;
mod memory;
mod observed;
mod parts;
mod pause;
mod plan;
mod render;
mod repeats;
mod requests;
mod schedule;
mod standing;
mod step;
mod whose;

pub use decimal::Decimal;
pub use deletion::plan_deletion;
pub(crate) use guard::check;
pub use memory::{
    Memory, announced, effective, forget, initial_count, memory, remember, schedule_names,
};
pub use observed::{Observed, ObservedAlarm, ObservedPolicy, ObservedTarget, Thing};
pub use parts::{
    Adjustment, Alarm, Comparison, Metric, Policy, Query, ScheduledAction, Source, StepAdjustment,
    StepPolicy, Suspended, Target, Tracked, TrackingPolicy, Watched,
};
pub use plan::plan;
pub use render::{Rendered, WantedAlarm, render};
pub use repeats::Repeats;
pub use standing::{Pass, Standing, standing};
pub use step::{Outcome, PolicyReference, ScalingStep};

use privateservice_api::privateservice::ScalingPolicy;
use serde::Serialize;
use std::collections::BTreeSet;

/// Between how many tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Bounds {
    /// The fewest, 0 to 5000; 0 only where a schedule or a pause says so.
    pub min: i32,
    /// The most, `min` to 5000.
    pub max: i32,
}

impl Bounds {
    /// True if so many tasks are within.
    pub const fn hold(self, tasks: i32) -> bool {
        self.min <= tasks && tasks <= self.max
    }

    /// The number of tasks within that is nearest to this one.
    pub fn nearest(self, tasks: i32) -> i32 {
        tasks.max(self.min).min(self.max)
    }
}

impl std::fmt::Display for Bounds {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.min, self.max)
    }
}

/// Above what there are to be more tasks; what is off is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Thresholds {
    /// Percent of CPU, 10 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cpu: Option<i32>,
    /// Percent of memory, 10 to 100.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory: Option<i32>,
    /// Requests per task and minute, at least 1.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub requests: Option<i32>,
}

/// Other bounds from a certain time on.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Schedule {
    /// Name, unique within the service.
    pub name: String,
    /// `cron(...)`, `rate(...)` or `at(...)`.
    pub expression: String,
    /// Time zone; absent: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// The bounds from then on.
    pub bounds: Bounds,
}

/// The wanted scaling of one service, defaults filled in.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Scaling {
    /// Name of the Environment, for the names of what is made.
    #[serde(skip)]
    pub environment: String,
    /// Between how many tasks.
    pub bounds: Bounds,
    /// Above what there are to be more.
    pub thresholds: Thresholds,
    /// Seconds, a multiple of 60.
    pub cooldown: i32,
    /// How the number of tasks follows the thresholds.
    pub policy: ScalingPolicy,
    /// Other bounds at certain times, sorted by name.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub schedules: Vec<Schedule>,
    /// Service Connect's discovery names of the ports whose requests are counted; empty unless requests matter.
    #[serde(skip_serializing_if = "BTreeSet::is_empty")]
    pub request_ports: BTreeSet<String>,
    /// Whether no tasks are to run at all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub paused: bool,
}

impl Scaling {
    /// True if the number of tasks is fixed, so that nothing would ever act on a threshold.
    pub fn is_fixed(&self) -> bool {
        self.bounds.min == self.bounds.max && self.schedules.is_empty()
    }

    /// The schedule, if there is one, that sets these bounds.
    pub fn schedule_of(&self, bounds: Bounds) -> Option<&Schedule> {
        self.schedules
            .iter()
            .find(|schedule| schedule.bounds == bounds)
    }
}

#[cfg(test)]
mod tests;
