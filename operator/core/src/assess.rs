//! From what was planned, done and seen to a [`Verdict`]: is what the spec asks for what serves? Pure.

use crate::conditions::{Finding, Ready, Verdict};
use crate::desired::Desired;
use crate::failure::Failure;
use crate::observed::Service;
use crate::plan::{Conflict, Need, Plan, WaitingOn};
use crate::problem::Problem;
use crate::rollout::Judgement;
use crate::secret_versions::InForce;
use crate::step::Step;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};
use privateservice_api::privateservice::{RolloutPhase, TaskFailure};

mod rollout;
mod shortage;

pub use shortage::{SHORT_OF_TASKS_FORGIVEN, Shortage};

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
    /// The versions of secrets that its tasks are to have.
    pub secrets: &'a InForce,
    /// Whether the DNS service is known to be there: `None` if none is wanted.
    pub dns: Option<bool>,
    /// The newest failures of tasks, as status will show them.
    pub failures: &'a [TaskFailure],
    /// What is wanted.
    pub desired: &'a Desired,
    /// True if the rollout in progress has taken longer than it may.
    pub overdue: bool,
    /// True if AWS would not stop it.
    pub stop_refused: bool,
    /// How long fewer tasks have been running than should.
    pub shortage: Option<Shortage>,
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
        findings: (problem.reason == Reason::SecretNotFound)
            .then(|| Finding {
                kind: ConditionType::SecretsSynced,
                holds: false,
                reason: problem.reason,
                message: problem.message.clone(),
            })
            .into_iter()
            .collect(),
    }
}

/// Concludes for an object whose values could not be stored: nothing is rolled out before that, and what serves goes on.
pub fn assess_secret_failure(failure: &Failure, was_ready: bool) -> Verdict {
    let passes = failure.reason().class() == ReasonClass::Progressing;
    let message = failure.to_string();
    Verdict {
        ready: if was_ready && passes {
            Ready::Kept
        } else {
            Ready::False
        },
        reason: failure.reason(),
        findings: vec![Finding {
            kind: ConditionType::SecretsSynced,
            holds: false,
            reason: failure.reason(),
            message: message.clone(),
        }],
        message,
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
        WaitingOn::Draining | WaitingOn::Settling => "the ECS service is stopping its tasks",
        WaitingOn::Rollback | WaitingOn::Wave(_) => "ECS is going back to the version before",
        WaitingOn::Read(_) => "reading what is left in AWS",
        WaitingOn::AbsenceConfirmation(_) => {
            "AWS no longer shows it; a second look half a minute later decides"
        }
    });
    let step = plan.steps.first().map(|step| match step {
        Step::DeleteService { .. } => "the ECS service is stopping its tasks",
        Step::DeleteDnsService { .. } => "removing the DNS name",
        Step::Scaling(_) => "removing what scales the service",
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
    // A turn in the queue for a call about tags is no news about what serves.
    let failed = pass.failure.filter(|failure| {
        !(only_tags(pass) && failure.reason().class() == ReasonClass::Progressing)
    });
    if let Some(failure) = failed {
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
    // What serves may be complete; it is not what is wanted.
    if differs(pass) {
        return verdict(
            Ready::False,
            Reason::Deploying,
            "what the spec asks for is about to be rolled out".into(),
        );
    }
    match (pass.judgement, pass.service) {
        (Some(judgement), Some(service)) => rollout::verdict(pass, judgement, service),
        (None, _) | (_, None) => verdict(
            Ready::False,
            Reason::Deploying,
            "waiting for ECS to show the service".into(),
        ),
    }
}

fn waiting_verdict(pass: &Pass<'_>, waiting: &WaitingOn) -> Verdict {
    let (ready, reason, message) = match waiting {
        WaitingOn::Draining => (
            Ready::False,
            Reason::Draining,
            "an ECS service of this name is still stopping its tasks; it will be created after that"
                .to_owned(),
        ),
        WaitingOn::Settling => (
            Ready::False,
            Reason::Deploying,
            "the ECS service that is to be taken over is being deployed; it is taken over after that"
                .to_owned(),
        ),
        // Everything serves; a listing that misses a name for once is no news.
        WaitingOn::AbsenceConfirmation(Need::Dns) if pass.was_ready => (
            Ready::Kept,
            Reason::Succeeded,
            "all is as the spec asks".to_owned(),
        ),
        WaitingOn::Rollback => {
            let why = pass
                .judgement
                .map_or_else(String::new, |judgement| format!(" ({})", judgement.message));
            (
                Ready::False,
                Reason::RollingBack,
                format!(
                    "ECS is going back to the version before{why}; what the spec asks for now is rolled out after that"
                ),
            )
        }
        WaitingOn::Wave(hold) => (Ready::False, Reason::Deploying, hold.to_string()),
        WaitingOn::AbsenceConfirmation(_) => (
            Ready::False,
            Reason::Deploying,
            "AWS no longer shows it; if a second look half a minute later says so too, it is created again"
                .to_owned(),
        ),
        WaitingOn::Read(_) => match pass.read_failure {
            // What was true goes on being true while AWS cannot be asked.
            Some(_) | None if pass.was_ready && !differs(pass) => (
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

/// True if something is to be rolled out.
fn differs(pass: &Pass<'_>) -> bool {
    pass.plan
        .drift
        .iter()
        .any(|drift| drift.member.rolls() && !drift.futile)
}

/// True if what is left of the plan changes tags and nothing else.
fn only_tags(pass: &Pass<'_>) -> bool {
    pass.plan
        .steps
        .iter()
        .skip(pass.executed)
        .all(|step| matches!(step, Step::TagService { .. } | Step::UntagService { .. }))
}

pub(crate) fn conflict_message(conflict: &Conflict) -> String {
    if let Some(obstacle) = conflict.obstacle {
        return format!(
            "the {} {} cannot be taken over, because it {obstacle}: change that, or choose another name",
            conflict.kind, conflict.arn
        );
    }
    match &conflict.owner {
        Some(owner) => format!(
            "the {} {} belongs to PrivateService {}/{} (installation {}): choose another name, or delete that one",
            conflict.kind, conflict.arn, owner.namespace, owner.name, owner.cluster_id
        ),
        None => format!(
            "there already is a {} {} that carries no ownership tag of this operator, so it is not touched: choose another name, remove it, or take it over with adopt: true",
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
    if !pass.secrets.is_empty() {
        findings.push(Finding {
            kind: ConditionType::SecretsSynced,
            holds: true,
            reason: Reason::Succeeded,
            message: pass.secrets.to_string(),
        });
    }
    let complete = pass
        .judgement
        .is_some_and(|judgement| judgement.phase == RolloutPhase::Complete)
        && pass.desired.pinned.is_none()
        && pass.plan.waiting_on.is_empty()
        && !pass.plan.drift.iter().any(|drift| drift.member.rolls())
        && !pass.plan.steps.iter().any(Step::starts_rollout);
    findings.push(finding(
        ConditionType::RolloutComplete,
        complete || kept,
        "what the spec asks for serves",
        &verdict.message,
    ));
    findings
}

#[cfg(test)]
mod tests;
