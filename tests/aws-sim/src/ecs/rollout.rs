//! Deployments over time: start, completion, failure, rollback. In: a service and the moment. Out:
//! its changed records. No IO. Invariant: at most one service deployment of a service is open.

use std::time::Duration;

use serde_json::{Map, Value};

use super::service::{Deployment, Revision, Rollout, Service};
use super::service_deployment::ServiceDeployment;
use super::task::{End, Task};
use crate::clock::Moment;
use crate::options::Timing;
use crate::random::Random;

/// The longest wait between failing starts (ECS developer guide, Service throttle logic).
const LONGEST_BACKOFF: Duration = Duration::from_mins(15);

/// Failed starts in a row after which a service starts tasks more slowly.
const FAILURES_BEFORE_BACKOFF: u32 = 3;

/// Why and when a deployment counts as failed: `None` when the circuit breaker is off.
///
/// `BOUNDED_PERCENT` is a percentage of the desired count, rounded up, between 3 and 200; the
/// default is 50 (ECS API reference, ThresholdConfiguration).
pub(crate) fn threshold(settings: &Map<String, Value>, desired: u32) -> Option<u32> {
    let breaker = &settings["deploymentConfiguration"]["deploymentCircuitBreaker"];
    if !breaker["enable"].as_bool().unwrap_or(false) {
        return None;
    }
    let configuration = &breaker["thresholdConfiguration"];
    let value = configuration["value"]
        .as_u64()
        .and_then(|value| u32::try_from(value).ok())
        .unwrap_or(50);
    let share = (desired.saturating_mul(value)).div_ceil(100);
    Some(match configuration["type"].as_str() {
        Some("COUNT") => value.max(1),
        Some("UNBOUNDED_PERCENT") => share.max(1),
        _ => share.clamp(3, 200),
    })
}

/// Puts the service's current `spec` into service: a new revision, a new PRIMARY deployment, a new
/// service deployment. What was PRIMARY becomes ACTIVE; an open service deployment is superseded.
pub(crate) fn begin(service: &mut Service, now: Moment, ids: &mut Random) {
    for open in service
        .history
        .iter_mut()
        .filter(|deployment| deployment.is_open())
    {
        open.become_(
            "STOP_REQUESTED",
            Some("A new service deployment has been started.".to_owned()),
            now,
        );
    }
    let path = service
        .arn
        .split(":service/")
        .nth(1)
        .unwrap_or_default()
        .to_owned();
    let prefix = service
        .arn
        .split(":service/")
        .next()
        .unwrap_or_default()
        .to_owned();
    let revision = Revision {
        arn: format!("{prefix}:service-revision/{path}/{}", ids.digits()),
        created: now,
        members: service.spec.clone(),
    };
    let arn = format!("{prefix}:service-deployment/{path}/{}", &ids.hex32()[..21]);
    let sources = service
        .deployments
        .iter()
        .map(|d| d.revision.clone())
        .collect();
    service.history.push(ServiceDeployment {
        arn: arn.clone(),
        status: "IN_PROGRESS",
        reason: None,
        target: revision.arn.clone(),
        sources,
        created: now,
        updated: now,
        finished: None,
        stopped: None,
        rollback: None,
        breaker_triggered: false,
        failures: 0,
        configuration: service.settings["deploymentConfiguration"].clone(),
    });
    push_primary(service, now, ids, revision.arn.clone(), arn, false);
    service.revisions.push(revision);
}

fn push_primary(
    service: &mut Service,
    now: Moment,
    ids: &mut Random,
    revision: String,
    record: String,
    is_rollback: bool,
) {
    let id = format!("ecs-svc/{}", ids.digits());
    let reason = format!("ECS deployment {id} in progress.");
    let deployment = Deployment {
        id,
        revision,
        record,
        rollout: Rollout::InProgress,
        reason,
        created: now,
        updated: now,
        failed_tasks: 0,
        not_before: now,
        is_rollback,
    };
    service.deployments.insert(0, deployment);
}

/// Takes note that a task of the PRIMARY deployment failed to start or failed its health check.
pub(crate) fn count_failure(service: &mut Service, now: Moment, timing: &Timing, ids: &mut Random) {
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    primary.failed_tasks += 1;
    primary.updated = now;
    let failures = primary.failed_tasks;
    if failures >= FAILURES_BEFORE_BACKOFF {
        let doublings = (failures - FAILURES_BEFORE_BACKOFF).min(16);
        let wait = timing
            .start_backoff
            .saturating_mul(1 << doublings)
            .min(LONGEST_BACKOFF);
        primary.not_before = now + wait;
    }
    let arn = primary.record.clone();
    if let Some(record) = service.record(&arn) {
        record.failures = failures;
        record.updated = now;
    }
    if failures == FAILURES_BEFORE_BACKOFF {
        let text = "is unable to consistently start tasks successfully. For more information, see \
                    the Troubleshooting section of the Amazon ECS Developer Guide.";
        service.say(ids.uuid(), now, text);
    }
}

/// Takes note that a task of the PRIMARY deployment became healthy.
pub(crate) fn count_success(service: &mut Service, now: Moment) {
    let breaker = &service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"];
    let resets = breaker["resetOnHealthyTask"].as_bool().unwrap_or(true);
    if let Some(primary) = service.deployments.first_mut().filter(|_| resets) {
        primary.failed_tasks = 0;
        primary.not_before = now;
    }
}

/// Whether a rollback's task definition can still be started.
pub(crate) type IsUsable<'a> = &'a dyn Fn(&str) -> bool;

/// Ends or turns back deployments whose time has come. Returns whether anything changed.
pub(crate) fn settle(
    service: &mut Service,
    now: Moment,
    ids: &mut Random,
    is_usable: IsUsable<'_>,
) -> bool {
    let mut changed = retire_drained(service, now);
    let Some(primary) = service.deployments.first() else {
        return changed;
    };
    if primary.rollout != Rollout::InProgress {
        return changed;
    }
    if threshold(&service.settings, service.desired)
        .is_some_and(|limit| primary.failed_tasks >= limit)
    {
        trip(service, now, ids, is_usable);
        return true;
    }
    let of_primary = |task: &Task| task.deployment == primary.id && !task.is_stopping();
    let healthy = service
        .count(|task| of_primary(task) && task.phase(now) == super::scheduler::Phase::Healthy);
    let all = service.count(|task| !task.is_stopping());
    if healthy == service.desired as usize && all == healthy && service.deployments.len() == 1 {
        complete(service, now, ids);
        changed = true;
    }
    changed
}

/// ACTIVE deployments disappear once no task of theirs is left.
fn retire_drained(service: &mut Service, now: Moment) -> bool {
    let before = service.deployments.len();
    let tasks = &service.tasks;
    let mut index = 0;
    service.deployments.retain(|deployment| {
        index += 1;
        index == 1
            || tasks
                .values()
                .any(|task| task.deployment == deployment.id && !task.is_stopping())
    });
    let left: Vec<String> = service
        .deployments
        .iter()
        .map(|d| d.record.clone())
        .collect();
    for record in &mut service.history {
        if record.status == "STOP_REQUESTED" && !left.contains(&record.arn) {
            record.become_("STOPPED", None, now);
        }
    }
    service.deployments.len() != before
}

fn complete(service: &mut Service, now: Moment, ids: &mut Random) {
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    primary.rollout = Rollout::Completed;
    primary.reason = format!("ECS deployment {} completed.", primary.id);
    primary.updated = now;
    let (revision, arn) = (primary.revision.clone(), primary.record.clone());
    let (id, is_rollback) = (primary.id.clone(), primary.is_rollback);
    service.last_completed = Some(revision);
    if let Some(record) = service.record(&arn) {
        record.become_(
            if is_rollback {
                "ROLLBACK_SUCCESSFUL"
            } else {
                "SUCCESSFUL"
            },
            None,
            now,
        );
    }
    service.say(
        ids.uuid(),
        now,
        &format!("(deployment {id}) deployment completed."),
    );
    service.say(ids.uuid(), now, "has reached a steady state.");
}

fn trip(service: &mut Service, now: Moment, ids: &mut Random, is_usable: IsUsable<'_>) {
    let breaker = &service.settings["deploymentConfiguration"]["deploymentCircuitBreaker"];
    let may_roll_back = breaker["rollback"].as_bool().unwrap_or(false);
    let Some(primary) = service.deployments.first_mut() else {
        return;
    };
    primary.rollout = Rollout::Failed;
    "ECS deployment circuit breaker: tasks failed to start.".clone_into(&mut primary.reason);
    primary.updated = now;
    let (id, arn) = (primary.id.clone(), primary.record.clone());
    let (was_rollback, revision) = (primary.is_rollback, primary.revision.clone());
    if let Some(record) = service.record(&arn) {
        record.breaker_triggered = true;
    }
    let text = format!("(deployment {id}) deployment failed: tasks failed to start.");
    service.say(ids.uuid(), now, &text);
    let reason = "Service deployment failed because the circuit breaker was triggered.".to_owned();
    if was_rollback {
        if let Some(record) = service.record(&arn) {
            record.become_("ROLLBACK_FAILED", Some(reason), now);
        }
        return;
    }
    let target = service
        .last_completed
        .clone()
        .filter(|target| *target != revision);
    match target {
        Some(target) if may_roll_back => {
            let because = "ECS deployment circuit breaker";
            roll_back(service, now, ids, &target, because, reason, is_usable);
        }
        // Nothing to return to: the deployment stalls and starts no more tasks (ECS developer
        // guide, deployment circuit breaker).
        _ => {
            if let Some(record) = service.record(&arn) {
                record.become_("STOPPED", Some(reason), now);
            }
        }
    }
}

/// Returns the service to an earlier revision: a new PRIMARY deployment with the old revision, within
/// the same service deployment.
pub(crate) fn roll_back(
    service: &mut Service,
    now: Moment,
    ids: &mut Random,
    target: &str,
    because: &str,
    reason: String,
    is_usable: IsUsable<'_>,
) {
    let Some(members) = service
        .revision(target)
        .map(|revision| revision.members.clone())
    else {
        return;
    };
    let Some(arn) = service.primary().map(|primary| primary.record.clone()) else {
        return;
    };
    let definition = members
        .get("taskDefinition")
        .and_then(Value::as_str)
        .unwrap_or_default();
    let usable = is_usable(definition);
    if let Some(record) = service.record(&arn) {
        record.rollback = Some((reason.clone(), now, target.to_owned()));
        let status = if usable {
            "ROLLBACK_IN_PROGRESS"
        } else {
            "ROLLBACK_FAILED"
        };
        record.become_(status, Some(reason), now);
    }
    if !usable {
        return;
    }
    service.spec = members;
    push_primary(service, now, ids, target.to_owned(), arn, true);
    if let Some(primary) = service.deployments.first_mut() {
        primary.reason = format!("{because}: rolling back to deploymentId {}.", primary.id);
        let text = format!("rolling back to deployment {}.", primary.id);
        service.say(ids.uuid(), now, &text);
    }
}

/// How the scheduler ends a task.
pub(crate) fn scheduler_stop(deployment: &str) -> End {
    End {
        code: "ServiceSchedulerInitiated",
        reason: format!("Scaling activity initiated by (deployment {deployment})"),
        exit_code: Some(0),
    }
}
