//! When a rollout in progress is stopped, and what a judgement means for planning. Pure; time is an argument.

use super::Judgement;
use crate::desired::Desired;
use crate::memory::{Course, Memory};
use crate::plan::Plan;
use crate::step::{Outcome, Step};
use k8s_openapi::jiff::{SignedDuration, Timestamp};
use privateservice_api::privateservice::{EndedBy, RolloutPhase};

/// What else bears on whether a rollout is stopped.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// True if somebody asked to abort it and that was not acted on.
    pub abort: bool,
    /// A service deployment that AWS would not stop.
    pub refused: Option<&'a str>,
    /// The time.
    pub now: Timestamp,
}

/// What a judgement means for planning.
pub fn course(
    judgement: &Judgement,
    memory: &Memory,
    desired: &Desired,
    asked: Asked<'_>,
) -> Course {
    let overdue = is_overdue(judgement, memory, desired, asked.now);
    // A rollback that takes longer than a rollout may is not waited for.
    let patient = running_for(memory, asked.now).is_none_or(|running| running < patience(desired));
    let why = if asked.abort {
        Some(EndedBy::Abort)
    } else if overdue {
        // Asked for already, and perhaps not sent: it is asked for again.
        let asked = memory.rollout.as_ref().and_then(|rollout| rollout.ended_by);
        Some(asked.unwrap_or(EndedBy::Deadline))
    } else {
        // An abort that was written down and perhaps not sent.
        memory
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.ended_by)
            .filter(|_| judgement.phase == RolloutPhase::Progressing)
    };
    let stop = judgement
        .stoppable
        .clone()
        .filter(|arn| asked.refused != Some(arn));
    Course {
        unsure: judgement.unsure,
        going_back: judgement.phase == RolloutPhase::RollingBack && patient,
        complete: judgement.phase == RolloutPhase::Complete,
        stop: stop.zip(why),
    }
}

/// True if the rollout in progress has taken longer than it may.
pub fn is_overdue(
    judgement: &Judgement,
    memory: &Memory,
    desired: &Desired,
    now: Timestamp,
) -> bool {
    judgement.phase == RolloutPhase::Progressing
        && running_for(memory, now).is_some_and(|running| running >= deadline(desired))
}

/// How long until a rollout in progress is overdue, or a rollback is no longer waited for.
pub fn until_overdue(
    judgement: &Judgement,
    memory: &Memory,
    desired: &Desired,
    now: Timestamp,
) -> Option<SignedDuration> {
    let running = running_for(memory, now)?;
    let until = match judgement.phase {
        RolloutPhase::Progressing => deadline(desired),
        RolloutPhase::RollingBack => patience(desired),
        RolloutPhase::Complete | RolloutPhase::RolledBack | RolloutPhase::Failed => return None,
    };
    Some(until.saturating_sub(running)).filter(SignedDuration::is_positive)
}

/// For how long after the beginning of a rollout its rollback is waited for.
fn patience(desired: &Desired) -> SignedDuration {
    deadline(desired).saturating_mul(2)
}

fn deadline(desired: &Desired) -> SignedDuration {
    SignedDuration::from_secs(desired.progress_deadline.into())
}

fn running_for(memory: &Memory, now: Timestamp) -> Option<SignedDuration> {
    let started = memory.rollout.as_ref()?.started_at.as_ref()?;
    Some(now.duration_since(started.0))
}

/// What became of somebody's wish to stop the rollout in progress.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Abort {
    /// It cannot be told yet.
    Wait,
    /// The rollout is being stopped.
    Done,
    /// There was nothing to do, or nothing that could be done; why.
    Nothing(String),
}

/// What became of it in a pass that planned this and got these outcomes; `refused` if AWS would not stop this very rollout before.
pub fn abort(
    judgement: Option<&Judgement>,
    plan: &Plan,
    outcomes: &[Outcome],
    refused: bool,
) -> Abort {
    for outcome in outcomes {
        match outcome {
            Outcome::DeploymentStopped => return Abort::Done,
            Outcome::NothingToStop { message } => return Abort::Nothing(message.clone()),
            _ => {}
        }
    }
    if plan.steps.iter().any(Step::starts_rollout) {
        return Abort::Nothing("the rollout was replaced by what the spec asks for now".to_owned());
    }
    let Some(judgement) = judgement else {
        return Abort::Wait;
    };
    match judgement.phase {
        RolloutPhase::Progressing if refused => {
            Abort::Nothing("AWS would not stop the rollout".to_owned())
        }
        RolloutPhase::Progressing if judgement.unread || judgement.stoppable.is_some() => {
            Abort::Wait
        }
        RolloutPhase::Progressing => Abort::Nothing("ECS has no version to go back to".to_owned()),
        RolloutPhase::Complete
        | RolloutPhase::RollingBack
        | RolloutPhase::RolledBack
        | RolloutPhase::Failed => Abort::Nothing("no rollout is in progress".to_owned()),
    }
}
