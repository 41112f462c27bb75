//! How a service stands in AWS, as far as it goes beyond one plan: the judgement of its rollout, the evidence that is asked for, a shortage
//! of tasks, and whether it is read often. No IO but handing demands to the inventory.

use super::remembered::Remembered;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::PrivateServiceStatus;
use privateservice_api::privateservice::RolloutPhase;
use privateservice_aws::Account;
use privateservice_core::assess::Shortage;
use privateservice_core::desired::Desired;
use privateservice_core::evidence::Symptoms;
use privateservice_core::fact::Fact;
use privateservice_core::memory::Memory;
use privateservice_core::observed::{Observed, Scope, Service};
use privateservice_core::plan::{Need, Plan, WaitingOn};
use privateservice_core::rollout::{self, Asked, Judgement};
use privateservice_core::step::Outcome;
use std::sync::Arc;

/// Judges the rollout, lets a failure seen now hold the plan at once, and says what the plan must heed.
pub(super) fn judge(
    desired: &Desired,
    observed: &Observed,
    memory: &mut Memory,
    abort: bool,
    remembered: &Remembered,
    now: Timestamp,
) -> Option<Judgement> {
    let judgement = rollout::judge(desired, observed, memory)?;
    // Where nothing speaks of a failure, what failed before was another rollout.
    memory.failed_rollout.clone_from(&judgement.failed);
    let asked = Asked {
        abort,
        refused: remembered.refused_stop.as_deref(),
        now,
    };
    memory.course = rollout::course(&judgement, memory, desired, asked);
    Some(judgement)
}

/// Asks for what tells more about a rollout or a shortage of tasks, although the plan does not wait for it.
pub(super) fn want_evidence(
    account: &Arc<Account>,
    scope: &Scope,
    observed: &Observed,
    judgement: Option<&Judgement>,
    remembered: &mut Remembered,
    now: Timestamp,
) {
    let mut needs = Vec::new();
    if judgement.is_some_and(|judgement| judgement.unread) {
        needs.push(Need::Deployment);
    }
    if let Some(judgement) = judgement
        && let Some(service) = observed.service.present()
    {
        let symptoms = Symptoms::of(service, Some(judgement));
        let asked = remembered.evidence_asked;
        let answered = match &observed.stopped {
            Fact::Present { at, .. } => asked.is_some_and(|asked| *at >= asked),
            Fact::Absent { .. } | Fact::Unknown => false,
        };
        if answered || asked.is_none() && !symptoms.is_worse_than(&remembered.symptoms, service) {
            remembered.symptoms = symptoms;
            remembered.evidence_asked = None;
        } else {
            needs.push(Need::Stopped);
            remembered.evidence_asked.get_or_insert(now);
        }
    }
    if observed
        .stopped
        .present()
        .is_some_and(|stopped| !stopped.settled)
    {
        // One of them is still on its way down: its exit code is not there yet.
        needs.push(Need::Stopped);
    }
    if !needs.is_empty() {
        account
            .inventory()
            .demand(scope, &needs, remembered.priority());
    }
}

/// Takes note of how many tasks run. While a rollout is under way, too few are part of it; while it cannot be judged, nothing is known.
pub(super) fn look_for_shortage(
    service: Option<&Service>,
    judgement: Option<&Judgement>,
    enough: i32,
    previous: &PrivateServiceStatus,
    remembered: &mut Remembered,
    now: Timestamp,
) {
    let (Some(service), Some(judgement)) = (service, judgement) else {
        return;
    };
    if judgement.unsure {
        return;
    }
    if remembered.is_first_look() {
        remembered.shortage = Shortage::told(previous, now);
    }
    remembered.shortage = if judgement.phase == RolloutPhase::Complete {
        Shortage::seen(remembered.shortage, service, enough, now)
    } else {
        None
    };
}

/// True while AWS changes by itself, so that it is read often.
pub(super) fn is_moving(
    plan: &Plan,
    outcomes: &[Outcome],
    judgement: Option<&Judgement>,
    service: Option<&Service>,
) -> bool {
    let rolling = judgement.is_some_and(|judgement| {
        matches!(
            judgement.phase,
            RolloutPhase::Progressing | RolloutPhase::RollingBack
        )
    });
    // ECS starts no more tasks after a failure that it could not roll back.
    let failed = judgement.is_some_and(|judgement| judgement.phase == RolloutPhase::Failed);
    let counting = service.is_some_and(|service| {
        service.running_count != service.desired_count || service.pending_count != 0
    });
    let started = outcomes.iter().any(|outcome| {
        matches!(
            outcome,
            Outcome::ServiceCreated { .. } | Outcome::ServiceUpdated { .. }
        )
    });
    // A service that is not shown yet, right after it was created, soon is.
    let unsettled = plan.waiting_on.iter().any(|waiting| {
        matches!(
            waiting,
            WaitingOn::Draining
                | WaitingOn::Settling
                | WaitingOn::Rollback
                | WaitingOn::AbsenceConfirmation(Need::Service)
        )
    });
    rolling || (counting && !failed) || started || unsettled
}
