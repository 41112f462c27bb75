//! What scales a service in AWS, as it was last read. Types only.

use super::parts::{Alarm, Policy, ScheduledAction, Target};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};

/// Everything of one service that has one of our names.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Observed {
    /// The scalable target of the service's count. Without one there are no policies and no scheduled actions (AWS:
    /// DeregisterScalableTarget).
    pub target: Option<ObservedTarget>,
    /// Scaling policies by name.
    pub policies: BTreeMap<String, ObservedPolicy>,
    /// Alarms by name.
    pub alarms: BTreeMap<String, ObservedAlarm>,
    /// Scheduled actions by name.
    pub schedules: BTreeMap<String, ScheduledAction>,
    /// Names of the scheduled actions that were looked for.
    pub asked: BTreeSet<String>,
}

/// A scalable target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedTarget {
    /// ARN; `None` where AWS shows none.
    pub arn: Option<String>,
    /// What we set of it.
    pub target: Target,
}

/// A scaling policy.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedPolicy {
    /// ARN: another one after the policy was made again.
    pub arn: String,
    /// What we set of it.
    pub policy: Policy,
}

/// An alarm.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ObservedAlarm {
    /// ARN.
    pub arn: String,
    /// What we set of it.
    pub alarm: Alarm,
    /// ARNs of what it calls when it fires.
    pub calls: Vec<String>,
}
