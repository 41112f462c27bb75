//! The next status of an object, from the last one and what a pass came to. Pure: the runtime writes it only if it differs.

mod revisions;
mod rollout;
mod secrets;

use crate::claim::locate;
use crate::conditions::{self, Verdict};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::memory::{Applied, Memory};
use crate::names;
use crate::observed::{Observed, Service};
use crate::place::Place;
use crate::plan::{Plan, WaitingOn};
use crate::resolve::Resolved;
use crate::rollout::Judgement;
use crate::secret_versions::InForce;
use crate::step::{Outcome, Step};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::privateservice::{
    Deployed, Discovery, PrivateServiceStatus, RolloutPhase, TaskCounts, TaskFailure,
};
use revisions::revisions;

/// What one pass over a living object came to, as far as status shows it.
#[derive(Debug)]
pub struct Report<'a> {
    /// Its place.
    pub place: &'a Place,
    /// What was resolved.
    pub resolved: &'a Resolved,
    /// AWS, as known at the beginning of the pass.
    pub observed_before: &'a Observed,
    /// AWS, as known at the end of the pass.
    pub observed: &'a Observed,
    /// The service as it was last seen.
    pub service: Option<&'a Service>,
    /// The versions of secrets that its tasks are to have.
    pub secrets: &'a InForce,
    /// The plan.
    pub plan: &'a Plan,
    /// What its executed steps yielded.
    pub outcomes: &'a [Outcome],
    /// True if every step of the plan was executed.
    pub completed: bool,
    /// True if it is not known whether the last call had its effect.
    pub ambiguous: bool,
    /// What was remembered, brought up to date by what AWS shows.
    pub memory: &'a Memory,
    /// The newest failures of tasks.
    pub failures: &'a [TaskFailure],
    /// Where the rollout stands.
    pub judgement: Option<&'a Judgement>,
}

/// The status after a pass over a living object.
pub fn status(
    previous: &PrivateServiceStatus,
    report: &Report<'_>,
    verdict: &Verdict,
    generation: Option<i64>,
    now: Timestamp,
) -> PrivateServiceStatus {
    let desired = &report.resolved.desired;
    let mut status = with_verdict(previous, verdict, generation, now);
    if report.plan.conflict.is_some() {
        // Nothing of what AWS has under this name is ours to show.
        return status;
    }
    locate(&mut status, report.place);
    status.endpoints.clone_from(&report.resolved.endpoints);
    status.effective = Some(report.resolved.effective.clone());
    status.logs = Some(report.resolved.logs.clone());
    if let Some(service) = report.service {
        status.service_arn = Some(service.arn.clone());
        status.task_definition_arn = Some(service.task_definition.clone());
        status.tasks = Some(TaskCounts {
            desired: service.desired_count,
            running: service.running_count,
            pending: service.pending_count,
        });
    }
    for outcome in report.outcomes {
        match outcome {
            Outcome::ServiceCreated { arn } => status.service_arn = Some(arn.clone()),
            Outcome::DnsServiceCreated { id, arn } => dns(&mut status, id, arn),
            Outcome::TaskDefinitionRegistered { .. }
            | Outcome::TaskDefinitionDeregistered { .. }
            | Outcome::ServiceUpdated { .. }
            | Outcome::DeploymentStopped
            | Outcome::NothingToStop { .. }
            | Outcome::Tagged
            | Outcome::ServiceDeleted
            | Outcome::DnsServiceDeleted
            | Outcome::Scaling(_) => {}
        }
    }
    if let Fact::Present { value, .. } = &report.observed.dns
        && value.owner.as_ref() == Some(&desired.owner)
    {
        dns(&mut status, &value.id, &value.arn);
    }
    if desired.dns.is_none()
        && matches!(report.observed.dns, Fact::Absent { .. })
        && let Some(discovery) = &mut status.discovery
    {
        (discovery.service_id, discovery.service_arn) = (None, None);
    }
    status.rollout = rollout::rollout(report, now);
    status.attempt = rollout::attempt(previous, report);
    status
        .last_handled_redeploy_at
        .clone_from(&report.memory.handled_redeploy);
    status.rollback_to = desired
        .pinned
        .as_ref()
        .map(|pinned| names::last_segment(&pinned.arn).to_owned());
    status.failures = report.failures.to_vec();
    let applied = applied(report);
    secrets::show(&mut status, report, applied.is_some());
    if let Some(applied) = applied {
        status.intent = Some(applied.intent.0);
        status.own_intent = applied.own.map(|own| own.0);
        status.rendering = applied
            .members
            .into_iter()
            .map(|(member, hash)| (member.to_string(), hash.0))
            .collect();
        // Whatever redeploy was asked for is part of what was sent.
        status
            .last_handled_redeploy_at
            .clone_from(&desired.redeploy);
    }
    // Tags do not wait for the turn of a rollout.
    let in_order = |waiting: &WaitingOn| matches!(waiting, WaitingOn::Wave(_));
    if report.completed && report.plan.waiting_on.iter().all(in_order) {
        status.tag_keys = desired.user_tag_keys().collect();
    }
    status.revisions = revisions(previous, report);
    let rolls = report.plan.steps.iter().any(Step::starts_rollout)
        || report.plan.drift.iter().any(|drift| drift.member.rolls())
        || !report.plan.waiting_on.is_empty();
    if let (Some(RolloutPhase::Complete), Some(service)) = (
        report.judgement.map(|judgement| judgement.phase),
        report.service,
    ) && !rolls
    {
        status.deployed = Some(deployed(previous, desired, service, now));
    }
    status
}

/// The status after a pass that came to nothing but a verdict.
pub fn with_verdict(
    previous: &PrivateServiceStatus,
    verdict: &Verdict,
    generation: Option<i64>,
    now: Timestamp,
) -> PrivateServiceStatus {
    PrivateServiceStatus {
        observed_generation: generation,
        conditions: conditions::conditions(&previous.conditions, verdict, generation, now),
        ..previous.clone()
    }
}

fn dns(status: &mut PrivateServiceStatus, id: &str, arn: &str) {
    let discovery = status.discovery.get_or_insert_with(Discovery::default);
    discovery.service_id = Some(id.to_owned());
    discovery.service_arn = Some(arn.to_owned());
}

/// What is in force now: as sent, where everything was sent or is as wanted; as before otherwise.
fn applied(report: &Report<'_>) -> Option<Applied> {
    // A later step of the pass may fail, and fail again, without changing what was sent.
    let sent = report.outcomes.iter().any(|outcome| {
        matches!(
            outcome,
            Outcome::ServiceCreated { .. } | Outcome::ServiceUpdated { .. }
        )
    });
    let differs = report.plan.drift.iter().any(|drift| !drift.futile);
    let redeploys = report.plan.redeploy && !sent;
    let as_wanted = report.plan.waiting_on.is_empty() && report.completed && !differs && !redeploys;
    if report.plan.conflict.is_some() || report.plan.rollout_held || !(sent || as_wanted) {
        return None;
    }
    let desired = &report.resolved.desired;
    let mut members = desired.members();
    members.extend(report.plan.held.clone());
    Some(Applied {
        intent: desired.intent.clone(),
        own: Some(desired.own.clone()),
        members,
    })
}

fn deployed(
    previous: &PrivateServiceStatus,
    desired: &Desired,
    service: &Service,
    now: Timestamp,
) -> Deployed {
    let task_definition = names::last_segment(&service.task_definition).to_owned();
    let before = previous
        .deployed
        .as_ref()
        .filter(|before| before.task_definition.as_ref() == Some(&task_definition));
    let image = match &desired.pinned {
        None => Some(desired.task_definition.container.image.clone()),
        Some(pinned) => previous
            .revisions
            .iter()
            .find(|revision| revision.task_definition == pinned.arn)
            .and_then(|revision| revision.image.clone()),
    };
    let at = before
        .and_then(|before| before.at.clone())
        .or_else(|| {
            service
                .primary()
                .and_then(|primary| primary.updated_at)
                .map(Time)
        })
        .unwrap_or(Time(now));
    Deployed {
        image,
        task_definition: Some(task_definition),
        at: Some(at),
    }
}

#[cfg(test)]
mod tests;
