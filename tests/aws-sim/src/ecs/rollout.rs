//! Deployments over time: start, completion, failure, rollback. In: a service and the moment. Out:
//! its changed records. No IO. Invariant: at most one service deployment of a service is open.

use std::collections::BTreeSet;

use super::breaker::threshold;
use super::deployment_alarms;
use super::scheduler::Phase;
use super::service::{Deployment, Revision, Rollout, Service};
use super::service_deployment::ServiceDeployment;
use super::surroundings::Surroundings;
use super::task::{End, Task};
use super::task_definition::Definitions;
use super::turn_back::{self, Cause};
use crate::clock::Moment;
use crate::options::Timing;
use crate::random::Random;

/// What deployments depend on besides their service.
pub(crate) struct Around<'a> {
    pub(crate) ids: &'a mut Random,
    pub(crate) timing: &'a Timing,
    pub(crate) surroundings: &'a Surroundings,
    /// Whether a rollback's task definition can still be started.
    pub(crate) definitions: &'a Definitions,
}

/// Puts the service's current `spec` into service: a new revision, a new PRIMARY deployment, a new
/// service deployment. What was PRIMARY becomes ACTIVE; an open service deployment is superseded.
/// Alarms `in_alarm` now are ignored for as long as it lasts.
pub(crate) fn begin(
    service: &mut Service,
    now: Moment,
    ids: &mut Random,
    in_alarm: &BTreeSet<String>,
) {
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
    let mut sources: Vec<String> = Vec::new();
    for deployment in &service.deployments {
        if !sources.contains(&deployment.revision) {
            sources.push(deployment.revision.clone());
        }
    }
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
        alarms_ignored: in_alarm.clone(),
        alarms_triggered: Vec::new(),
        desired: service.desired,
        configuration: service.settings["deploymentConfiguration"].clone(),
    });
    push_primary(service, now, ids, revision.arn.clone(), arn, false);
    service.revisions.push(revision);
}

/// Adds a deployment of `revision` in front, as part of the service deployment `record`.
pub(crate) fn push_primary(
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
        baked: None,
        turn_back: None,
    };
    // A new deployment is tried at once, whatever the one before it waits for.
    service.unplaced_until = None;
    service.deployments.insert(0, deployment);
}

/// Ends or turns back deployments whose time has come. Returns whether anything changed.
pub(crate) fn settle(service: &mut Service, now: Moment, around: &mut Around<'_>) -> bool {
    let mut changed = retire_drained(service);
    stop_superseded(service, now, around.timing);
    refresh_record(service);
    changed |= turn_back::begin_if_due(service, now, around);
    let Some(primary) = service.primary() else {
        return changed;
    };
    if primary.rollout != Rollout::InProgress {
        return changed;
    }
    let (id, is_rollback, baked) = (primary.id.clone(), primary.is_rollback, primary.baked);
    let configuration = &service.settings["deploymentConfiguration"];
    if threshold(configuration, service.desired).is_some_and(|limit| primary.failed_tasks >= limit)
    {
        turn_back::fail(service, now, around, &Cause::Breaker);
        return true;
    }
    // What rolls back is not watched: the alarm that caused it still stands.
    let watches = !is_rollback && deployment_alarms::is_enabled(configuration);
    let record = service
        .history
        .iter()
        .find(|record| record.arn == primary.record);
    if let Some(record) = record.filter(|_| watches) {
        let in_alarm = &around.surroundings.in_alarm;
        let triggered = deployment_alarms::triggered(configuration, record, in_alarm);
        if !triggered.is_empty() {
            turn_back::fail(service, now, around, &Cause::Alarms(triggered));
            return true;
        }
    }
    let of_primary = |task: &Task| task.deployment == id && !task.is_stopping();
    let healthy = service.count(|task| of_primary(task) && task.phase(now) == Phase::Healthy);
    let all = service.count(|task| !task.is_stopping());
    let is_steady =
        healthy == service.desired as usize && all == healthy && service.deployments.len() == 1;
    if is_steady {
        let baked = baked.unwrap_or(if watches {
            now + around.timing.alarm_bake
        } else {
            now
        });
        if let Some(primary) = service.deployments.first_mut() {
            primary.baked = Some(baked);
        }
        if baked <= now {
            complete(service, now, around.ids);
            changed = true;
        }
    }
    changed
}

/// An open service deployment follows the settings in force; a closed one keeps its last.
fn refresh_record(service: &mut Service) {
    let desired = service.desired;
    let in_force = &service.settings["deploymentConfiguration"];
    for record in service.history.iter_mut().filter(|record| record.is_open()) {
        record.desired = desired;
        if record.configuration != *in_force {
            record.configuration = in_force.clone();
        }
    }
}

/// ACTIVE deployments disappear once no task of theirs is left.
fn retire_drained(service: &mut Service) -> bool {
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
    service.deployments.len() != before
}

/// A superseded service deployment is STOPPED a little later; its tasks may serve for longer.
fn stop_superseded(service: &mut Service, now: Moment, timing: &Timing) {
    for record in &mut service.history {
        if record.stops_at(timing).is_some_and(|at| at <= now) {
            record.become_("STOPPED", None, now);
        }
    }
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

/// How the scheduler ends a task.
pub(crate) fn scheduler_stop(deployment: &str) -> End {
    End {
        code: "ServiceSchedulerInitiated",
        reason: format!("Scaling activity initiated by (deployment {deployment})"),
        exit_code: Some(0),
        container_reason: None,
    }
}
