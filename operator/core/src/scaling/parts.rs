//! The members of what scales a service in AWS that the operator sets: the closed list on which drift is found. The same types carry what
//! is wanted and what AWS shows, normalised, so that comparing them is `==`.

use super::{Bounds, Decimal};
use serde::Serialize;
use std::collections::BTreeMap;

/// Which kinds of scaling are suspended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Suspended {
    /// Scale in by policies.
    pub scale_in: bool,
    /// Scale out by policies.
    pub scale_out: bool,
    /// Scheduled actions.
    pub scheduled: bool,
}

impl Suspended {
    /// All of them.
    pub const ALL: Self = Self {
        scale_in: true,
        scale_out: true,
        scheduled: true,
    };
    /// None of them.
    pub const NONE: Self = Self {
        scale_in: false,
        scale_out: false,
        scheduled: false,
    };
}

/// A scalable target: the bounds of a service's count.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Target {
    /// Between how many tasks.
    pub bounds: Bounds,
    /// What is suspended.
    pub suspended: Suspended,
}

/// What a step of a step scaling policy changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Adjustment {
    /// `PercentChangeInCapacity`
    Percent,
    /// `ChangeInCapacity`
    Tasks,
    /// Another one, which is not ours.
    Other,
}

/// One step. Its interval is relative to the threshold of the alarm that fired (AWS: StepAdjustment).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct StepAdjustment {
    /// From here on, inclusive; absent: no lower bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lower: Option<Decimal>,
    /// Up to here, exclusive; absent: no upper bound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub upper: Option<Decimal>,
    /// By how much the number of tasks changes: tasks or percent.
    pub change: i32,
}

/// A step scaling policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct StepPolicy {
    /// What its steps change.
    pub adjustment: Adjustment,
    /// Tasks that a change in percent is at least.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub at_least: Option<i32>,
    /// Seconds.
    pub cooldown: i32,
    /// Sorted by interval.
    pub steps: Vec<StepAdjustment>,
}

/// What a target tracking policy keeps near its target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Tracked {
    /// `ECSServiceAverageCPUUtilization`
    Cpu,
    /// `ECSServiceAverageMemoryUtilization`
    Memory,
    /// What metric math yields.
    Queries(Vec<Query>),
    /// Another one, which is not ours.
    Other,
}

/// A target tracking policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TrackingPolicy {
    /// What it tracks.
    pub tracked: Tracked,
    /// What that is kept near.
    pub target: Decimal,
    /// Seconds after fewer tasks.
    pub in_cooldown: i32,
    /// Seconds after more tasks.
    pub out_cooldown: i32,
    /// True if it only ever scales out.
    pub no_scale_in: bool,
}

/// A scaling policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Policy {
    /// Acts when an alarm of ours fires.
    Step(StepPolicy),
    /// Has alarms that AWS makes.
    Tracking(TrackingPolicy),
    /// Of a kind that is not ours.
    Other,
}

/// A metric, averaged or summed over a minute.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Metric {
    /// For instance `AWS/ECS`.
    pub namespace: String,
    /// For instance `CPUUtilization`.
    pub name: String,
    /// Dimensions.
    pub dimensions: BTreeMap<String, String>,
    /// For instance `Average`.
    pub statistic: String,
    /// Seconds.
    pub period: i32,
}

/// Where the values of a query come from.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Source {
    /// A metric.
    Metric(Metric),
    /// Metric math over other queries.
    Expression(String),
}

/// One query of metric math.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Query {
    /// Its name in expressions.
    pub id: String,
    /// Where its values come from.
    pub source: Source,
    /// True for the one that counts.
    pub returns: bool,
}

/// What an alarm watches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Watched {
    /// One metric.
    Metric(Metric),
    /// What metric math yields; sorted by id.
    Queries(Vec<Query>),
}

/// How a value is held against the threshold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub enum Comparison {
    /// `GreaterThanThreshold`
    Above,
    /// `GreaterThanOrEqualToThreshold`
    AtLeast,
    /// `LessThanThreshold`
    Below,
    /// Another one, which is not ours.
    Other,
}

/// A CloudWatch alarm, but for the policy it calls.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Alarm {
    /// What it watches.
    pub watched: Watched,
    /// How a value is held against the threshold.
    pub comparison: Comparison,
    /// The threshold.
    pub threshold: Decimal,
    /// Minutes that are looked at.
    pub periods: i32,
    /// Minutes of them that must be beyond the threshold.
    pub datapoints: i32,
    /// `notBreaching`, where it is ours.
    pub missing: String,
    /// Whether its actions are taken.
    pub enabled: bool,
}

/// A scheduled action.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ScheduledAction {
    /// `cron(...)`, `rate(...)` or `at(...)`.
    pub expression: String,
    /// Time zone; absent: UTC.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timezone: Option<String>,
    /// What it sets; absent in a bound means that it leaves that alone, which ours never do.
    pub min: Option<i32>,
    /// The same for the most tasks.
    pub max: Option<i32>,
    /// True if it has a first or a last time, which ours never have.
    pub limited: bool,
}

impl ScheduledAction {
    /// False for a rate, to which a time zone means nothing.
    pub fn has_zone(expression: &str) -> bool {
        !expression.starts_with("rate(")
    }

    /// The bounds it sets, if it sets both.
    pub fn bounds(&self) -> Option<Bounds> {
        Some(Bounds {
            min: self.min?,
            max: self.max?,
        })
    }
}
