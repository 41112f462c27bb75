//! Failed deployments and the way back. In: why a deployment failed. Out: the service on its way to the
//! last completed revision, or stalled where there is none. Pure. Invariant: while a rollback runs there
//! is no completed revision to return to (ECS developer guide, Deployment circuit breaker: a rollback
//! turns the COMPLETED deployment to IN_PROGRESS).

use serde_json::Value;

use super::rollout::{self, Around};
use super::service::{Rollout, Service};
use crate::clock::Moment;

/// A rollback that was decided on and has not begun.
#[derive(Debug, Clone)]
pub(crate) struct TurnBack {
    pub(crate) at: Moment,
    /// The revision it returns to.
    target: String,
    because: &'static str,
    reason: String,
}

/// Why a deployment does not go on.
#[derive(Debug, Clone)]
pub(crate) enum Cause {
    Breaker,
    /// These went into ALARM.
    Alarms(Vec<String>),
    /// StopServiceDeployment.
    Stopped,
}

impl Cause {
    /// The beginning of a `rolloutStateReason`.
    fn because(&self) -> &'static str {
        match self {
            Self::Breaker => "ECS deployment circuit breaker",
            Self::Alarms(_) => "ECS deployment alarm",
            Self::Stopped => "ECS deployment stopped",
        }
    }

    fn detail(&self) -> String {
        match self {
            Self::Breaker => "tasks failed to start.".to_owned(),
            Self::Alarms(names) => format!("alarm detected: {}.", names.join(", ")),
            Self::Stopped => "stopped by StopServiceDeployment.".to_owned(),
        }
    }

    /// `statusReason` of the service deployment.
    fn status_reason(&self) -> String {
        match self {
            Self::Breaker => {
                "Service deployment failed because the circuit breaker was triggered.".to_owned()
            }
            Self::Alarms(names) => format!(
                "Service deployment failed because an alarm was triggered: {}.",
                names.join(", ")
            ),
            Self::Stopped => "Service deployment was stopped by StopServiceDeployment.".to_owned(),
        }
    }

    fn rolls_back(&self, configuration: &Value) -> bool {
        match self {
            Self::Breaker => configuration["deploymentCircuitBreaker"]["rollback"]
                .as_bool()
                .unwrap_or(false),
            Self::Alarms(_) => super::deployment_alarms::rolls_back(configuration),
            Self::Stopped => true,
        }
    }
}

/// Fails the PRIMARY deployment, and decides on its rollback.
pub(crate) fn fail(service: &mut Service, now: Moment, around: &mut Around<'_>, cause: &Cause) {
    let may_roll_back = cause.rolls_back(&service.settings["deploymentConfiguration"]);
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    primary.rollout = Rollout::Failed;
    primary.reason = format!("{}: {}", cause.because(), cause.detail());
    primary.updated = now;
    let (id, arn) = (primary.id.clone(), primary.record.clone());
    let (was_rollback, revision) = (primary.is_rollback, primary.revision.clone());
    let text = format!("(deployment {id}) deployment failed: {}", cause.detail());
    service.say(around.ids.uuid(), now, &text);
    let target = service
        .last_completed
        .clone()
        .filter(|target| may_roll_back && !was_rollback && *target != revision);
    let reason = cause.status_reason();
    if let Some(record) = service.record(&arn) {
        match cause {
            Cause::Breaker => record.breaker_triggered = true,
            Cause::Alarms(names) => record.alarms_triggered.clone_from(names),
            Cause::Stopped => {}
        }
        // Nothing to return to: the deployment stalls and starts no more tasks (ECS developer
        // guide, Deployment circuit breaker).
        let status = match &target {
            _ if was_rollback => "ROLLBACK_FAILED",
            Some(_) => "ROLLBACK_REQUESTED",
            None => "STOPPED",
        };
        record.become_(status, Some(reason.clone()), now);
    }
    if let Some(primary) = service.deployments.first_mut() {
        primary.turn_back = target.map(|target| TurnBack {
            at: now + around.timing.rollback_begins,
            target,
            because: cause.because(),
            reason,
        });
    }
}

/// Begins the rollback that the PRIMARY deployment waits for, if it is due.
pub(crate) fn begin_if_due(service: &mut Service, now: Moment, around: &mut Around<'_>) -> bool {
    let waiting = service.deployments.first_mut();
    let due = waiting.and_then(|primary| primary.turn_back.take_if(|back| back.at <= now));
    let Some(due) = due else { return false };
    roll_back(service, now, around, &due);
    true
}

/// Returns the service to an earlier revision: a new PRIMARY deployment with the old revision, within
/// the same service deployment.
fn roll_back(service: &mut Service, now: Moment, around: &mut Around<'_>, back: &TurnBack) {
    let members = service
        .revision(&back.target)
        .map(|revision| revision.members.clone())
        .unwrap_or_default();
    let Some(arn) = service.primary().map(|primary| primary.record.clone()) else {
        return;
    };
    let definition = members
        .get("taskDefinition")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let usable = around.definitions.is_active(definition);
    if let Some(record) = service.record(&arn) {
        record.rollback = Some((back.reason.clone(), now, back.target.clone()));
        let status = if usable {
            "ROLLBACK_IN_PROGRESS"
        } else {
            "ROLLBACK_FAILED"
        };
        record.become_(status, None, now);
    }
    if !usable {
        return;
    }
    service.spec = members;
    service.last_completed = None;
    rollout::push_primary(service, now, around.ids, back.target.clone(), arn, true);
    if let Some(primary) = service.deployments.first_mut() {
        primary.reason = format!(
            "{}: rolling back to deploymentId {}.",
            back.because, primary.id
        );
        let text = format!("rolling back to deployment {}.", primary.id);
        service.say(around.ids.uuid(), now, &text);
    }
}
