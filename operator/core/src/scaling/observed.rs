//! What scales a service in AWS, as it was last read, and since when what is not there has been missing. Pure.
//!
//! An answer that does not mention a name proves little: it may be an empty page. So what status remembers is believed to be gone only after
//! a second look.

use super::parts::{Alarm, Policy, ScheduledAction, Target};
use crate::fact::ABSENCE_CONFIRMED_AFTER;
use k8s_openapi::jiff::Timestamp;
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
    /// What was looked for and not shown, with the start of the first of the uninterrupted reads that did not show it.
    #[serde(skip)]
    pub missing: BTreeMap<Thing, Timestamp>,
}

/// One thing of a service that has a name of its own.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Thing {
    /// The scalable target.
    Target,
    /// A scaling policy.
    Policy(String),
    /// An alarm.
    Alarm(String),
    /// A scheduled action.
    Schedule(String),
}

impl Observed {
    /// Takes note of which of the things that a read looked for, which began at `began`, it does not show. `before` is what was known
    /// before it.
    pub fn miss(
        &mut self,
        looked_for: impl IntoIterator<Item = Thing>,
        before: Option<&Self>,
        began: Timestamp,
    ) {
        let missing = looked_for.into_iter().filter(|thing| !self.shows(thing));
        self.missing = missing
            .map(|thing| {
                let since = before.and_then(|before| before.missing.get(&thing));
                let since = since.copied().unwrap_or(began);
                (thing, since)
            })
            .collect();
    }

    /// True if it is there.
    pub fn shows(&self, thing: &Thing) -> bool {
        match thing {
            Thing::Target => self.target.is_some(),
            Thing::Policy(name) => self.policies.contains_key(name),
            Thing::Alarm(name) => self.alarms.contains_key(name),
            Thing::Schedule(name) => self.schedules.contains_key(name),
        }
    }

    /// True if a second look, half a minute after the first, did not show it either. `at` is when the last read began.
    pub(super) fn is_surely_gone(&self, thing: &Thing, at: Timestamp) -> bool {
        self.missing
            .get(thing)
            .is_some_and(|first| at.duration_since(*first) >= ABSENCE_CONFIRMED_AFTER)
    }

    /// Since when something has been missing that a further look would decide about.
    pub fn undecided_since(&self, at: Timestamp) -> Option<Timestamp> {
        let undecided = |first: &&Timestamp| at.duration_since(**first) < ABSENCE_CONFIRMED_AFTER;
        self.missing.values().filter(undecided).min().copied()
    }
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
