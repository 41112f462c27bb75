//! From what was planned, done and seen to a [`Verdict`]: is what the spec asks for what serves? Pure.

use crate::conditions::{Finding, Ready, Verdict};
use crate::failure::Failure;
use crate::observed::Service;
use crate::plan::{Conflict, Need, Plan, WaitingOn};
use crate::problem::Problem;
use crate::rollout::Judgement;
use crate::step::Step;
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};
use privateservice_api::privateservice::RolloutPhase;

/// Fewer tasks than wanted are forgiven for so long before Ready says False: a task that crashed is being replaced.
pub const SHORT_OF_TASKS_FORGIVEN: SignedDuration = SignedDuration::from_secs(120);
/// After so many sweeps in a row that could not read AWS, Ready is Unknown.
pub const MISSED_SWEEPS_UNKNOWN: u32 = 3;

/// What one pass over a living object came to.
#[derive(Debug)]
pub struct Pass<'a> {
    /// The plan of this pass.
    pub plan: &'a Plan,
    /// How many of its steps were executed.
    pub executed: usize,
    /// What stopped the execution.
    pub failure: Option<&'a Failure>,
    /// The last failure of a read that the plan waits for.
    pub read_failure: Option<&'a Failure>,
    /// The service as it was last seen, if it was.
    pub service: Option<&'a Service>,
    /// Where the rollout stands.
    pub judgement: Option<&'a Judgement>,
    /// Whether the DNS service is known to be there: `None` if none is wanted.
    pub dns: Option<bool>,
    /// Since when fewer tasks run than should.
    pub short_since: Option<Timestamp>,
    /// Sweeps in a row that could not read this service.
    pub missed_sweeps: u32,
    /// True if the last status, for this very generation, says Ready.
    pub was_ready: bool,
    /// The time.
    pub now: Timestamp,
}

/// Concludes a pass over a living object.
pub fn assess(pass: &Pass<'_>) -> Verdict {
    let mut verdict = conclude(pass);
    verdict.findings = findings(pass, &verdict);
    verdict
}

/// Concludes for an object that could not even be resolved.
pub fn assess_problem(problem: &Problem) -> Verdict {
    Verdict {
        ready: Ready::False,
        reason: problem.reason,
        message: problem.message.clone(),
        findings: vec![],
    }
}

/// Concludes for an object with `suspend: true`.
pub fn assess_suspended() -> Verdict {
    Verdict {
        ready: Ready::Kept,
        reason: Reason::Suspended,
        message: "suspend is true: AWS is left as it is".into(),
        findings: vec![],
    }
}

/// Concludes for an object that is being deleted.
pub fn assess_deletion(plan: &Plan, failure: Option<&Failure>) -> Verdict {
    let (reason, message) = match failure {
        Some(failure) if failure.reason().class() == ReasonClass::Patient => {
            (failure.reason(), format!("cannot delete yet: {failure}"))
        }
        Some(failure) => (Reason::Deleting, format!("deleting: {failure}")),
        None => (Reason::Deleting, deletion_progress(plan)),
    };
    Verdict {
        ready: Ready::False,
        reason,
        message,
        findings: vec![],
    }
}

fn deletion_progress(plan: &Plan) -> String {
    let waiting = plan.waiting_on.first().map(|waiting| match waiting {
        WaitingOn::Draining => "the ECS service is stopping its tasks",
        WaitingOn::Read(_) => "reading what is left in AWS",
        WaitingOn::AbsenceConfirmation(_) => {
            "AWS no longer shows it; a second look half a minute later decides"
        }
    });
    let step = plan.steps.first().map(|step| match step {
        Step::DeleteService { .. } => "the ECS service is stopping its tasks",
        Step::DeleteDnsService { .. } => "removing the DNS name",
        _ => "letting go of what is in AWS",
    });
    format!(
        "deleting: {}",
        waiting.or(step).unwrap_or("nothing is left in AWS")
    )
}

fn conclude(pass: &Pass<'_>) -> Verdict {
    let verdict = |ready, reason, message: String| Verdict {
        ready,
        reason,
        message,
        findings: vec![],
    };
    if let Some(conflict) = &pass.plan.conflict {
        return verdict(
            Ready::False,
            Reason::NameConflict,
            conflict_message(conflict),
        );
    }
    if let Some(failure) = pass.failure {
        let rolls = pass.plan.steps.iter().any(Step::starts_rollout);
        // Tags and deployment settings change nothing of what serves.
        let passes = failure.reason().class() == ReasonClass::Progressing;
        let ready = if pass.was_ready && !rolls && passes {
            Ready::Kept
        } else {
            Ready::False
        };
        return verdict(ready, failure.reason(), failure.to_string());
    }
    if pass.missed_sweeps >= MISSED_SWEEPS_UNKNOWN {
        let why = pass
            .read_failure
            .map_or_else(String::new, |failure| format!(": {failure}"));
        let reason = pass.read_failure.map_or(Reason::Throttled, Failure::reason);
        let message =
            format!("AWS could not be read for {MISSED_SWEEPS_UNKNOWN} sweeps or more{why}");
        return verdict(Ready::Unknown, reason, message);
    }
    if let Some(waiting) = pass.plan.waiting_on.first() {
        return waiting_verdict(pass, waiting);
    }
    if pass.executed > 0 && pass.plan.steps.iter().any(Step::starts_rollout) {
        return verdict(
            Ready::False,
            Reason::Deploying,
            "the rollout has been started".into(),
        );
    }
    match (pass.judgement, pass.service) {
        (Some(judgement), Some(service)) => rollout_verdict(pass, judgement, service),
        (None, _) | (_, None) => verdict(
            Ready::False,
            Reason::Deploying,
            "waiting for ECS to show the service".into(),
        ),
    }
}

fn waiting_verdict(pass: &Pass<'_>, waiting: &WaitingOn) -> Verdict {
    // Something is to be rolled out and cannot be yet.
    let differs = pass
        .plan
        .drift
        .iter()
        .any(|drift| drift.member.rolls() && !drift.futile);
    let (ready, reason, message) = match waiting {
        WaitingOn::Draining => (
            Ready::False,
            Reason::Draining,
            "an ECS service of this name is still stopping its tasks; it will be created after that"
                .to_owned(),
        ),
        // Everything serves; a listing that misses a name for once is no news.
        WaitingOn::AbsenceConfirmation(Need::Dns) if pass.was_ready => (
            Ready::Kept,
            Reason::Succeeded,
            "all is as the spec asks".to_owned(),
        ),
        WaitingOn::AbsenceConfirmation(_) => (
            Ready::False,
            Reason::Deploying,
            "AWS no longer shows it; if a second look half a minute later says so too, it is created again"
                .to_owned(),
        ),
        WaitingOn::Read(_) => match pass.read_failure {
            // What was true goes on being true while AWS cannot be asked.
            Some(_) | None if pass.was_ready && !differs => (
                Ready::Kept,
                Reason::Succeeded,
                "all is as the spec asks".to_owned(),
            ),
            Some(failure) => (Ready::False, failure.reason(), failure.to_string()),
            None => (Ready::False, Reason::Deploying, "reading AWS".to_owned()),
        },
    };
    Verdict {
        ready,
        reason,
        message,
        findings: vec![],
    }
}

fn rollout_verdict(pass: &Pass<'_>, judgement: &Judgement, service: &Service) -> Verdict {
    let verdict = |ready, reason, message: String| Verdict {
        ready,
        reason,
        message,
        findings: vec![],
    };
    match judgement.phase {
        RolloutPhase::Progressing => verdict(
            Ready::False,
            Reason::Deploying,
            format!("rolling out: {}", judgement.message),
        ),
        RolloutPhase::RollingBack => verdict(
            Ready::False,
            Reason::RollingBack,
            format!(
                "the rollout failed, going back to the version before: {}",
                judgement.message
            ),
        ),
        RolloutPhase::RolledBack => verdict(
            Ready::False,
            Reason::RolledBack,
            format!(
                "the rollout failed and the version before serves: {}; change the spec to try again",
                judgement.message.trim_end_matches('.')
            ),
        ),
        RolloutPhase::Failed => verdict(
            Ready::False,
            Reason::RolloutFailed,
            format!(
                "the rollout failed and there is no version to go back to: {}; change the spec to try again",
                judgement.message.trim_end_matches('.')
            ),
        ),
        RolloutPhase::Complete => {
            let wanted = service.desired_count;
            let short = service.running_count < wanted
                && pass
                    .short_since
                    .is_some_and(|since| pass.now.duration_since(since) >= SHORT_OF_TASKS_FORGIVEN);
            if short {
                return verdict(
                    Ready::False,
                    Reason::Deploying,
                    format!(
                        "only {} of {wanted} tasks run; ECS is replacing those that stopped",
                        service.running_count
                    ),
                );
            }
            let left_alone = pass
                .plan
                .drift
                .iter()
                .find(|drift| drift.futile && drift.member.rolls());
            if let Some(drift) = left_alone {
                return verdict(
                    Ready::False,
                    Reason::Deploying,
                    format!(
                        "{} of the ECS service is not what the spec asks: it was mended and came back, and is mended again later",
                        drift.member
                    ),
                );
            }
            verdict(
                Ready::True,
                Reason::Succeeded,
                "all is as the spec asks".to_owned(),
            )
        }
    }
}

fn conflict_message(conflict: &Conflict) -> String {
    match &conflict.owner {
        Some(owner) => format!(
            "the {} {} belongs to PrivateService {}/{} (installation {}): choose another name, or delete that one",
            conflict.kind, conflict.arn, owner.namespace, owner.name, owner.cluster_id
        ),
        None => format!(
            "there already is a {} {} that carries no ownership tag of this operator, so it is not touched: choose another name, or remove it",
            conflict.kind, conflict.arn
        ),
    }
}

fn findings(pass: &Pass<'_>, verdict: &Verdict) -> Vec<Finding> {
    // While AWS cannot be asked, what was true goes on being true.
    let kept = verdict.ready == Ready::Kept && pass.was_ready;
    let finding = |kind, holds: bool, yes: &str, no: &str| Finding {
        kind,
        holds,
        reason: if holds {
            Reason::Succeeded
        } else {
            verdict.reason
        },
        message: if holds { yes.to_owned() } else { no.to_owned() },
    };
    let mut findings = vec![finding(
        ConditionType::SourceReady,
        true,
        "the image is named by the spec",
        "",
    )];
    if let Some(there) = pass.dns {
        findings.push(finding(
            ConditionType::DiscoveryReady,
            there || kept,
            "Service Connect and DNS know the service",
            "the DNS name is not there yet",
        ));
    }
    let complete = pass
        .judgement
        .is_some_and(|judgement| judgement.phase == RolloutPhase::Complete)
        && pass.plan.waiting_on.is_empty()
        && !pass.plan.steps.iter().any(Step::starts_rollout);
    findings.push(finding(
        ConditionType::RolloutComplete,
        complete || kept,
        "what the spec asks for serves",
        &verdict.message,
    ));
    findings
}

/// Since when fewer tasks run than should, given what was known before.
pub fn short_of_tasks(
    service: &Service,
    before: Option<Timestamp>,
    now: Timestamp,
) -> Option<Timestamp> {
    (service.running_count < service.desired_count).then(|| before.unwrap_or(now))
}

#[cfg(test)]
mod tests;
