//! What follows a pass: which facts are asked for, and when the object is looked at again if nothing wakes it before. Pure but for handing
//! the demand to the inventory.

use super::remembered::Remembered;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_aws::{Account, Priority};
use privateservice_core::fact::{ABSENCE_CONFIRMED_AFTER, Fact};
use privateservice_core::failure::Failure;
use privateservice_core::observed::{Observed, Scope};
use privateservice_core::plan::{Need, Plan, WaitingOn};
use privateservice_core::problem::Problem;
use std::sync::Arc;
use std::time::Duration;

/// What the caller does next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// Nothing: what the object waits for wakes it.
    AwaitChange,
    /// Come back after a pause.
    After(Duration),
}

impl Next {
    /// Whichever is sooner.
    pub(super) fn sooner(self, other: Self) -> Self {
        match (self, other) {
            (Self::After(one), Self::After(other)) => Self::After(one.min(other)),
            (Self::AwaitChange, other) => other,
            (one, Self::AwaitChange) => one,
        }
    }
}

/// What else brings an object back.
#[derive(Debug, Default)]
pub(super) struct Timers {
    /// Something was tidied up, and more may be left.
    pub(super) collected: bool,
    /// The rollout in progress will be overdue.
    pub(super) overdue_in: Option<SignedDuration>,
    /// A wait for something outside will be told as Stalled.
    pub(super) stalled_in: Option<SignedDuration>,
    /// Whether the secret is still there will be looked at.
    pub(super) secret_look_in: Option<SignedDuration>,
}

/// How long something that only a person or another system can change is left before it is tried again anyway.
const SLOW_RETRY: Duration = Duration::from_mins(5);
/// How often a service that waits for its turn in a wave looks by itself.
const TURN_RETRY: SignedDuration = SignedDuration::from_mins(5);
/// How soon a pass that made calls is followed by one that looks at what became of them.
const AFTER_STEPS: Duration = Duration::from_millis(500);
/// How often a wait for something outside is looked at.
const PATIENT_RETRY: Duration = Duration::from_secs(30);

/// Asks for the facts the plan waits for.
pub(super) fn want_facts(
    account: &Arc<Account>,
    scope: &Scope,
    plan: &Plan,
    observed: &Observed,
    priority: Priority,
    now: Timestamp,
) {
    let mut needs = plan.needs();
    for waiting in &plan.waiting_on {
        if let WaitingOn::AbsenceConfirmation(need) = waiting
            && confirmation_due(need, observed, now)
        {
            needs.push(need.clone());
        }
    }
    if !needs.is_empty() {
        account.inventory().demand(scope, &needs, priority);
    }
}

/// True if the second look that confirms an absence is due.
fn confirmation_due(need: &Need, observed: &Observed, now: Timestamp) -> bool {
    absent_since(need, observed)
        .is_some_and(|first| now.duration_since(first) >= ABSENCE_CONFIRMED_AFTER)
}

fn absent_since(need: &Need, observed: &Observed) -> Option<Timestamp> {
    match need {
        Need::Service => first(&observed.service),
        Need::Dns => first(&observed.dns),
        Need::Newest
        | Need::Revision(_)
        | Need::Deployment
        | Need::Stopped
        | Need::Secrets
        | Need::Owner(_) => None,
        Need::Scaling => match &observed.scaling {
            Fact::Present { value, at } => value.undecided_since(*at),
            Fact::Absent { .. } | Fact::Unknown => None,
        },
    }
}

const fn first<T>(fact: &Fact<T>) -> Option<Timestamp> {
    match fact {
        Fact::Absent { first, .. } => Some(*first),
        Fact::Unknown | Fact::Present { .. } => None,
    }
}

/// When to try again after a call that failed.
pub(super) fn after_failure(failure: &Failure, remembered: &mut Remembered) -> Next {
    match failure {
        // Woken when its turn comes.
        Failure::Queued { .. } => Next::AwaitChange,
        Failure::Throttled { .. }
        | Failure::Ambiguous { .. }
        | Failure::NotYet { .. }
        | Failure::Conflict { .. }
        | Failure::RevisionGone { .. } => Next::After(remembered.back_off()),
        Failure::Waiting { .. } => Next::After(PATIENT_RETRY),
        Failure::Refused { .. } => Next::After(SLOW_RETRY),
    }
}

/// When to look again, if nothing wakes the object before.
pub(super) fn next(
    plan: &Plan,
    failure: Option<&Failure>,
    observed: &Observed,
    remembered: &mut Remembered,
    timers: &Timers,
    now: Timestamp,
) -> Next {
    match failure {
        Some(failure) => return after_failure(failure, remembered),
        // Some answers are facts by themselves and are followed by no read that would wake the object.
        None if !plan.steps.is_empty() || timers.collected => return Next::After(AFTER_STEPS),
        None => {}
    }
    let confirmation = plan.waiting_on.iter().find_map(|waiting| match waiting {
        WaitingOn::AbsenceConfirmation(need) => absent_since(need, observed),
        WaitingOn::Read(_)
        | WaitingOn::Draining
        | WaitingOn::Settling
        | WaitingOn::Rollback
        | WaitingOn::Wave(_) => None,
    });
    if let Some(first) = confirmation {
        let left = ABSENCE_CONFIRMED_AFTER.saturating_sub(now.duration_since(first));
        let left = Duration::try_from(left).unwrap_or_default();
        return Next::After(left.max(Duration::from_secs(1)));
    }
    let short = remembered.shortage.map(|shortage| shortage.until_news(now));
    let repair = if plan.drift.iter().any(|drift| drift.futile) {
        remembered.repairs.until_next(now)
    } else {
        None
    };
    // Whoever frees a place wakes it; a wave whose rollouts nobody follows any more wakes nobody.
    let turn = plan
        .waiting_on
        .iter()
        .any(|waiting| matches!(waiting, WaitingOn::Wave(_)))
        .then_some(TURN_RETRY);
    let timer = short
        .into_iter()
        .chain(turn)
        .chain(repair)
        .chain(timers.overdue_in)
        .chain(timers.stalled_in)
        .chain(timers.secret_look_in)
        .filter(SignedDuration::is_positive)
        .min();
    timer
        .and_then(|left| Duration::try_from(left).ok())
        .map_or(Next::AwaitChange, |left| {
            Next::After(left + Duration::from_secs(1))
        })
}

/// When to look again at an object with a problem.
pub(super) fn after_problem(problem: &Problem) -> Next {
    use privateservice_api::conditions::ReasonClass;
    match problem.reason.class() {
        ReasonClass::Patient => Next::After(PATIENT_RETRY),
        ReasonClass::Terminal
        | ReasonClass::Healthy
        | ReasonClass::Progressing
        | ReasonClass::Held => Next::After(SLOW_RETRY),
    }
}
