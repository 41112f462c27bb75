//! What status says of the newest rollout. Pure.

use super::Report;
use crate::hash::Hash;
use crate::observed::Service;
use crate::plan::{Need, WaitingOn};
use crate::rollout::{Judgement, newest_arn};
use crate::step::{Outcome, Step};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::privateservice::{
    Attempt, EndedBy, PrivateServiceStatus, RolloutPhase, RolloutStatus,
};

/// The rollout as status shows it after a pass.
pub(super) fn rollout(report: &Report<'_>, now: Timestamp) -> Option<RolloutStatus> {
    let mut executed = report.plan.steps.iter().take(report.outcomes.len());
    if executed.any(Step::starts_rollout) {
        return Some(started(report, now));
    }
    let before = report.memory.rollout.clone();
    let waits = |waiting: &WaitingOn| {
        matches!(waiting, WaitingOn::Wave(_) | WaitingOn::Read(Need::Secrets))
    };
    // While the next one waits for its turn, or for its secrets, what is known of the last one stays: what AWS shows is held against what is not sent yet.
    if report.plan.waiting_on.iter().any(waits)
        && before
            .as_ref()
            .is_some_and(|before| has_ended(before.phase))
    {
        return before;
    }
    // Where nothing can be said, nothing is.
    let Some(judgement) = report.judgement.filter(|judgement| !judgement.unsure) else {
        return before;
    };
    let mut before = before.unwrap_or_default();
    if let Some(why) = stop_asked(report) {
        before.ended_by = Some(why);
    }
    Some(judged(before, judgement, report, now))
}

const fn has_ended(phase: Option<RolloutPhase>) -> bool {
    matches!(
        phase,
        Some(RolloutPhase::Complete | RolloutPhase::RolledBack | RolloutPhase::Failed)
    )
}

/// A rollout that was about to be sent, as long as it is not known what became of it.
pub(super) fn attempt(previous: &PrivateServiceStatus, report: &Report<'_>) -> Option<Attempt> {
    let sends = report.plan.steps.iter().any(Step::starts_rollout);
    if sends {
        // Written down again for every try, it would be two writes of status for each of them. Until it is sent, it says nothing.
        let started = report
            .plan
            .steps
            .iter()
            .take(report.outcomes.len())
            .any(Step::starts_rollout);
        return previous.attempt.clone().filter(|_| !started);
    }
    // Once AWS shows that it never got there, it is over.
    let memory = report.memory.attempt.clone();
    memory.filter(|_| !report.plan.waiting_on.is_empty())
}

/// A stop that this pass asked AWS for, and may have got.
fn stop_asked(report: &Report<'_>) -> Option<EndedBy> {
    let stopped = report.ambiguous
        || report
            .outcomes
            .iter()
            .any(|outcome| matches!(outcome, Outcome::DeploymentStopped));
    report.plan.steps.iter().find_map(|step| match step {
        Step::StopServiceDeployment { why, .. } if stopped => Some(*why),
        _ => None,
    })
}

fn started(report: &Report<'_>, now: Timestamp) -> RolloutStatus {
    let id = report.outcomes.iter().find_map(|outcome| match outcome {
        Outcome::ServiceUpdated { deployment_id } => deployment_id.clone(),
        _ => None,
    });
    let service = report.observed_before.service.present();
    let primary = service
        .and_then(Service::primary)
        .map(|primary| primary.id.clone());
    RolloutStatus {
        phase: Some(under_way(report, RolloutPhase::Progressing)),
        // An answer that is older than the update itself names what is replaced.
        id: id.filter(|id| primary.as_ref() != Some(id)),
        identity: Some(report.resolved.desired.rollout_identity().0),
        replaces: primary,
        replaces_service_deployment: service
            .and_then(|service| newest_arn(report.observed_before, service)),
        wave: report.plan.wave,
        started_at: Some(Time(now)),
        ..RolloutStatus::default()
    }
}

/// A revision that was asked for instead of the spec is a way back, not forward.
fn under_way(report: &Report<'_>, phase: RolloutPhase) -> RolloutPhase {
    match phase {
        RolloutPhase::Progressing if report.resolved.desired.pinned.is_some() => {
            RolloutPhase::RollingBack
        }
        RolloutPhase::Complete if report.resolved.desired.pinned.is_some() => {
            RolloutPhase::RolledBack
        }
        phase => phase,
    }
}

fn judged(
    before: RolloutStatus,
    judgement: &Judgement,
    report: &Report<'_>,
    now: Timestamp,
) -> RolloutStatus {
    let phase = under_way(report, judgement.phase);
    // One without an id is still looking for it, unless it has ended.
    let nameless = before.id.is_none()
        && matches!(
            before.phase,
            None | Some(RolloutPhase::Progressing | RolloutPhase::RollingBack)
        );
    let same = nameless || before.id == judgement.id;
    let finished = !matches!(phase, RolloutPhase::Progressing | RolloutPhase::RollingBack);
    let failed = judgement.failed.is_some() && judgement.concerns_spec
        || judgement.phase == RolloutPhase::RollingBack;
    let known = before.phase.is_some();
    let kept = |same_rollout: Option<Time>| same_rollout.filter(|_| same);
    let identity = if same && before.identity.is_some() {
        before.identity.clone()
    } else {
        Some(identity(judgement, report, known).0)
    };
    RolloutStatus {
        phase: Some(phase),
        id: judgement.id.clone(),
        service_deployment: before.service_deployment.filter(|_| same),
        wave: before.wave.filter(|_| same || before.identity == identity),
        identity,
        reason: failed.then(|| judgement.message.clone()),
        replaces: before.replaces.clone().filter(|_| same),
        replaces_service_deployment: before.replaces_service_deployment.filter(|_| same),
        rollback_failed: judgement.rollback_failed,
        tasks: judgement.tasks.or(before.tasks.filter(|_| same && failed)),
        ended_by: judgement.ended_by.or(before
            .ended_by
            .filter(|_| same && phase == RolloutPhase::Progressing)),
        started_at: kept(before.started_at).or_else(|| started_at(report)),
        finished_at: if finished {
            before
                .finished_at
                .filter(|_| same && before.phase == Some(phase))
                .or(Some(Time(now)))
        } else {
            None
        },
        failed_hash: judgement.failed.clone().map(|hash| hash.0),
    }
}

/// Identity of a deployment that none of our updates is known to have started. If status was lost, one that runs what is wanted is ours;
/// otherwise it is somebody else's, and says nothing about what we want should it fail.
fn identity(judgement: &Judgement, report: &Report<'_>, known: bool) -> Hash {
    if let Some(failed) = &judgement.failed {
        return failed.clone();
    }
    let as_wanted = report.plan.waiting_on.is_empty()
        && !report.plan.drift.iter().any(|drift| drift.member.rolls());
    if as_wanted && !known {
        report.resolved.desired.rollout_identity()
    } else {
        Hash::of_text(judgement.id.as_deref().unwrap_or_default())
    }
}

fn started_at(report: &Report<'_>) -> Option<Time> {
    report
        .service
        .and_then(Service::primary)
        .and_then(|primary| primary.created_at)
        .map(Time)
}
