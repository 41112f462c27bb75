//! How the scaling of a service stands, and what that means for `Ready`. Pure.
//!
//! Ready needs scaling to be in place. A service that served before goes on being Ready while only its scaling is brought up to date; an AWS
//! without Application Auto Scaling holds nobody back for ever.

use crate::conditions::{Finding, Ready, Verdict};
use crate::desired::Desired;
use crate::failure::Failure;
use crate::plan::{Plan, WaitingOn};
use privateservice_api::conditions::{ConditionType, Reason, ReasonClass};

/// What one pass over the scaling of a living object came to.
#[derive(Debug)]
pub struct Pass<'a> {
    /// What is wanted.
    pub desired: &'a Desired,
    /// The plan of the scaling.
    pub plan: &'a Plan,
    /// Whether the ECS service is there, and ours; `None` while that is not known, as right after an update.
    pub service: Option<bool>,
    /// How many of its steps were executed.
    pub executed: usize,
    /// True if steps are held back, because they were made a moment ago and what they change came back.
    pub futile: bool,
    /// What stopped the execution.
    pub failure: Option<&'a Failure>,
    /// The last failure of a read that the plan waits for.
    pub read_failure: Option<&'a Failure>,
    /// True if there is no Application Auto Scaling here.
    pub unsupported: bool,
    /// True if the condition said so before.
    pub held_before: bool,
}

/// How scaling stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// True if it is in place.
    pub holds: bool,
    /// Why.
    pub reason: Reason,
    /// One sentence.
    pub message: String,
    /// False if that is no news about Ready: there is nothing to wait for.
    pub counts: bool,
}

impl Standing {
    fn not(reason: Reason, message: String) -> Self {
        Self {
            holds: false,
            reason,
            message,
            counts: true,
        }
    }

    /// The condition.
    pub fn finding(&self) -> Finding {
        Finding {
            kind: ConditionType::AutoscalingReady,
            holds: self.holds,
            reason: self.reason,
            message: self.message.clone(),
        }
    }

    /// The verdict on the whole: scaling has a say where all else is well. `served` is true if the object was Ready before, whatever its
    /// spec said then.
    #[must_use]
    pub fn weigh(&self, mut verdict: Verdict, served: bool) -> Verdict {
        let says = verdict.ready == Ready::True && self.counts && !self.holds;
        if says {
            let passing = self.reason.class() == ReasonClass::Progressing;
            verdict.ready = if passing && served {
                Ready::True
            } else {
                Ready::False
            };
            verdict.reason = self.reason;
            verdict.message.clone_from(&self.message);
        }
        verdict.findings.push(self.finding());
        verdict
    }
}

/// Concludes how scaling stands.
pub fn standing(pass: &Pass<'_>) -> Standing {
    if let Some(conflict) = &pass.plan.conflict {
        return Standing::not(
            Reason::NameConflict,
            crate::assess::conflict_message(conflict),
        );
    }
    if let Some(failure) = pass.failure {
        return Standing::not(of(failure), failure.to_string());
    }
    if pass.unsupported {
        return Standing {
            counts: false,
            ..Standing::not(
                Reason::AutoscalingPending,
                "there is no Application Auto Scaling here: the number of tasks stays as it is"
                    .to_owned(),
            )
        };
    }
    if pass.service != Some(true) {
        if pass.service.is_none() && pass.held_before {
            return in_place(pass.desired);
        }
        return Standing::not(
            Reason::AutoscalingPending,
            "scaling is set up once the ECS service is there".to_owned(),
        );
    }
    let waits = |waiting: &WaitingOn| {
        matches!(
            waiting,
            WaitingOn::Read(_) | WaitingOn::AbsenceConfirmation(_)
        )
    };
    if pass.plan.waiting_on.iter().any(waits) {
        // What was true goes on being true while AWS cannot be asked, or does not mention something for once.
        return match pass.read_failure {
            _ if pass.held_before => in_place(pass.desired),
            Some(failure) => Standing::not(of(failure), failure.to_string()),
            None => Standing::not(
                Reason::AutoscalingPending,
                "reading what scales the service".to_owned(),
            ),
        };
    }
    if pass.futile {
        return Standing::not(
            Reason::AutoscalingPending,
            "what scales the service keeps being changed, or AWS does not keep it: it is repaired ever more rarely"
                .to_owned(),
        );
    }
    if !pass.plan.steps.is_empty() {
        let message = format!(
            "scaling is being set up: {} of {} calls made",
            pass.executed,
            pass.plan.steps.len()
        );
        return Standing::not(Reason::AutoscalingPending, message);
    }
    in_place(pass.desired)
}

/// A failure of one of these calls is no news about a deployment.
fn of(failure: &Failure) -> Reason {
    match failure.reason() {
        Reason::Deploying | Reason::Draining => Reason::AutoscalingPending,
        other => other,
    }
}

fn in_place(desired: &Desired) -> Standing {
    let scaling = &desired.scaling;
    let message = if scaling.paused {
        "paused is true: scaling is suspended".to_owned()
    } else if scaling.is_fixed() {
        format!("the number of tasks is kept at {}", scaling.bounds.min)
    } else {
        format!(
            "{} to {} tasks{}",
            scaling.bounds.min,
            scaling.bounds.max,
            by(desired)
        )
    };
    Standing {
        holds: true,
        reason: Reason::Succeeded,
        message,
        counts: true,
    }
}

fn by(desired: &Desired) -> String {
    let thresholds = desired.scaling.thresholds;
    let mut words: Vec<String> = Vec::new();
    words.extend(thresholds.cpu.map(|cpu| format!("CPU at {cpu} %")));
    words.extend(
        thresholds
            .memory
            .map(|memory| format!("memory at {memory} %")),
    );
    words.extend(
        thresholds
            .requests
            .map(|requests| format!("{requests} requests per task and minute")),
    );
    if words.is_empty() {
        return ", whatever their load".to_owned();
    }
    format!(", by {}", words.join(", "))
}
