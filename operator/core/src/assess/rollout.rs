//! What the judgement of a rollout means for `Ready`, in words that say what to do. Pure.

use super::Pass;
use crate::conditions::{Ready, Verdict};
use crate::evidence::{self, Cause};
use crate::names;
use crate::observed::Service;
use crate::rollout::Judgement;
use crate::step::Step;
use privateservice_api::conditions::Reason;
use privateservice_api::meta;
use privateservice_api::privateservice::{EndedBy, RolloutPhase, TaskFailure};

/// The verdict on a service whose rollout stands like this.
pub(super) fn verdict(pass: &Pass<'_>, judgement: &Judgement, service: &Service) -> Verdict {
    let (ready, reason, message) = match judgement.phase {
        RolloutPhase::Progressing => progressing(pass, judgement, service),
        RolloutPhase::RollingBack => rolling_back(pass, judgement),
        RolloutPhase::RolledBack => rolled_back(pass, judgement),
        RolloutPhase::Failed => failed(pass, judgement),
        RolloutPhase::Complete => complete(pass, service),
    };
    Verdict {
        ready,
        reason,
        message,
        findings: vec![],
    }
}

type Words = (Ready, Reason, String);

fn progressing(pass: &Pass<'_>, judgement: &Judgement, service: &Service) -> Words {
    let seconds = pass.desired.progress_deadline;
    let trouble = trouble(pass, judgement, service);
    let why = trouble
        .as_ref()
        .map_or_else(String::new, |(_, words)| format!(": {words}"));
    if let Some(why_stopped) = stopping(pass) {
        return (
            Ready::False,
            Reason::RollingBack,
            format!("the rollout is being stopped, because {why_stopped}{why}"),
        );
    }
    if pass.overdue && judgement.stoppable.is_none() && !judgement.unread
        || pass.overdue && pass.stop_refused
    {
        let message = format!(
            "the rollout is not complete after {seconds} s (rollout.progressDeadlineSeconds), and it cannot be stopped because there is no version to go back to, or AWS would not{why}; ECS goes on trying: change the spec to try something else"
        );
        return (
            Ready::False,
            mismatch_or(pass, judgement, Reason::ProgressDeadlineExceeded),
            message,
        );
    }
    let reason = trouble
        .as_ref()
        .and_then(|(reason, _)| *reason)
        .unwrap_or(Reason::Deploying);
    if let Some(pinned) = &pass.desired.pinned {
        let revision = names::last_segment(&pinned.arn);
        let message = format!(
            "rolling out revision {revision}, as {} asks: {}{why}",
            meta::ROLLBACK_TO,
            judgement.message
        );
        return (Ready::False, Reason::RollingBack, message);
    }
    (
        Ready::False,
        reason,
        format!("rolling out: {}{why}", judgement.message),
    )
}

/// Why the rollout is being stopped right now, if it is.
fn stopping(pass: &Pass<'_>) -> Option<String> {
    pass.plan.steps.iter().find_map(|step| match step {
        Step::StopServiceDeployment { why, .. } => Some(ended_by(pass, Some(*why))),
        _ => None,
    })
}

fn rolling_back(pass: &Pass<'_>, judgement: &Judgement) -> Words {
    let why = what_ended(pass, judgement);
    let message = if judgement.concerns_spec {
        format!("the rollout failed, ECS is going back to the version before: {why}")
    } else {
        format!(
            "ECS is going back to the version before: {why}; what the spec asks for now is rolled out after that"
        )
    };
    (Ready::False, Reason::RollingBack, message)
}

fn rolled_back(pass: &Pass<'_>, judgement: &Judgement) -> Words {
    let reason = match judgement.ended_by {
        Some(EndedBy::Deadline) => Reason::ProgressDeadlineExceeded,
        _ => Reason::RolledBack,
    };
    let message = format!(
        "the rollout failed and the version before serves: {}; change the spec to try again, or set the annotation {}",
        what_ended(pass, judgement),
        meta::REDEPLOY_AT
    );
    (Ready::False, mismatch_or(pass, judgement, reason), message)
}

fn failed(pass: &Pass<'_>, judgement: &Judgement) -> Words {
    let what = if judgement.rollback_failed {
        "the rollout failed, and going back to the version before failed too"
    } else if !pass.desired.deployment.rollback {
        "the rollout failed, and going back is switched off (rollout.circuitBreaker)"
    } else {
        "the rollout failed and there is no version to go back to"
    };
    let message = format!(
        "{what}: {}; change the spec to try again, or set the annotation {}",
        what_ended(pass, judgement),
        meta::REDEPLOY_AT
    );
    (
        Ready::False,
        mismatch_or(pass, judgement, Reason::RolloutFailed),
        message,
    )
}

fn complete(pass: &Pass<'_>, service: &Service) -> Words {
    let wanted = service.desired_count;
    if pass
        .shortage
        .is_some_and(|shortage| shortage.is_unforgiven())
    {
        let serving = service.primary().map(|primary| primary.id.as_str());
        let newest = serving.and_then(|id| evidence::newest_of(pass.failures, id));
        let newest = newest.map(|failure| {
            let cause = evidence::cause(failure);
            format!(": {}", cause.sentence(failure))
        });
        let (reason, why) = match &service.trouble {
            Some(words) if is_capacity(words) => {
                (Reason::CapacityUnavailable, format!(": {words}"))
            }
            Some(words) => (Reason::Deploying, format!(": {words}")),
            None => (Reason::Deploying, newest.unwrap_or_default()),
        };
        let message = format!(
            "the rollout is complete, but its tasks do not stay up: {} of {wanted} run, ECS is replacing those that stopped{why}",
            service.running_count
        );
        return (Ready::False, reason, message);
    }
    let left_alone = pass
        .plan
        .drift
        .iter()
        .find(|drift| drift.futile && drift.member.rolls());
    if let Some(drift) = left_alone {
        let message = format!(
            "{} of the ECS service is not what the spec asks: it was mended and came back, and is mended again later",
            drift.member
        );
        return (Ready::False, Reason::Deploying, message);
    }
    if let Some(pinned) = &pass.desired.pinned {
        let message = format!(
            "revision {} serves for as long as the annotation {} is set; remove it to roll out the spec",
            names::last_segment(&pinned.arn),
            meta::ROLLBACK_TO
        );
        return (Ready::False, Reason::RolledBack, message);
    }
    if pass.desired.scaling.paused {
        return paused(service);
    }
    (
        Ready::True,
        Reason::Succeeded,
        "all is as the spec asks".to_owned(),
    )
}

/// A service that is to run no tasks.
fn paused(service: &Service) -> Words {
    let running = service.running_count + service.pending_count;
    match (service.desired_count, running) {
        (0, 0) => (
            Ready::True,
            Reason::Paused,
            "paused is true: no tasks run".to_owned(),
        ),
        (0, _) => (
            Ready::False,
            Reason::Deploying,
            format!("paused is true: {running} tasks are still stopping"),
        ),
        (wanted, _) => (
            Ready::False,
            Reason::Deploying,
            format!(
                "paused is true, but the ECS service is set to {wanted} tasks; if nothing changes that, somebody set it in AWS: set it back, or leave and enter the pause again"
            ),
        ),
    }
}

/// What ended a rollout, and the newest failure of one of its tasks.
fn what_ended(pass: &Pass<'_>, judgement: &Judgement) -> String {
    let ended = match judgement.ended_by {
        // What AWS says of it is all there is.
        None => judgement.message.trim_end_matches('.').to_owned(),
        Some(EndedBy::Alarm) => format!(
            "{} ({})",
            ended_by(pass, judgement.ended_by),
            judgement.message.trim_end_matches('.')
        ),
        Some(_) => ended_by(pass, judgement.ended_by),
    };
    match failure_of(pass, judgement) {
        // Nobody needs to know why tasks stopped of a rollout that a person stopped.
        Some(failure)
            if !matches!(
                judgement.ended_by,
                Some(EndedBy::Alarm | EndedBy::Abort | EndedBy::Stopped)
            ) =>
        {
            format!("{ended}: {}", evidence::cause(failure).sentence(failure))
        }
        None if judgement.ended_by == Some(EndedBy::CircuitBreaker) => {
            format!("{ended} ({})", judgement.message.trim_end_matches('.'))
        }
        Some(_) | None => ended,
    }
}

fn ended_by(pass: &Pass<'_>, ended_by: Option<EndedBy>) -> String {
    match ended_by {
        Some(EndedBy::CircuitBreaker) => "its tasks kept failing".to_owned(),
        Some(EndedBy::Alarm) => "an alarm of rollout.alarms fired".to_owned(),
        Some(EndedBy::Deadline) => format!(
            "it was not complete after {} s (rollout.progressDeadlineSeconds)",
            pass.desired.progress_deadline
        ),
        Some(EndedBy::Abort) => format!("the annotation {} asked to stop it", meta::ABORT_AT),
        Some(EndedBy::Stopped) => "somebody stopped the deployment in AWS".to_owned(),
        None => "ECS gave no reason".to_owned(),
    }
}

/// The newest failure of a task of this rollout.
fn failure_of<'a>(pass: &'a Pass<'_>, judgement: &Judgement) -> Option<&'a TaskFailure> {
    evidence::newest_of(pass.failures, judgement.id.as_deref()?)
}

/// A wrong architecture is told as such: it is the spec that is wrong, whatever ECS made of it.
fn mismatch_or(pass: &Pass<'_>, judgement: &Judgement, reason: Reason) -> Reason {
    match failure_of(pass, judgement).map(evidence::cause) {
        Some(Cause::WrongArchitecture) => Reason::ArchitectureMismatch,
        Some(_) | None => reason,
    }
}

/// What keeps a rollout from going on, with the reason for `Ready` if there is one for it.
fn trouble(
    pass: &Pass<'_>,
    judgement: &Judgement,
    service: &Service,
) -> Option<(Option<Reason>, String)> {
    let told = service.trouble.as_ref();
    if let Some(words) = told.filter(|words| is_capacity(words)) {
        return Some((Some(Reason::CapacityUnavailable), words.clone()));
    }
    // A task's own failure tells more than the service's general complaints, which come and go.
    if let Some(failure) = failure_of(pass, judgement) {
        let cause = evidence::cause(failure);
        return Some((cause.reason(), cause.sentence(failure)));
    }
    told.map(|words| (None, words.clone()))
}

fn is_capacity(words: &str) -> bool {
    words.to_lowercase().contains("capacity is unavailable")
}
