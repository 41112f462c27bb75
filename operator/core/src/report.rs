//! The next status of an object, from the last one and what a pass came to. Pure: the runtime writes it only if it differs.

use crate::conditions::{self, Verdict};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::hash::Hash;
use crate::names;
use crate::observed::{Observed, Service};
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::{Applied, Memory, Plan};
use crate::problem::Problem;
use crate::resolve::Resolved;
use crate::rollout::Judgement;
use crate::service::{Member, MemberHashes};
use crate::step::{Outcome, Step};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use k8s_openapi::jiff::Timestamp;
use privateservice_api::conditions::Reason;
use privateservice_api::meta;
use privateservice_api::privateservice::{
    Deployed, Discovery, PrivateServiceStatus, Revision, RolloutPhase, RolloutStatus, TaskCounts,
};
use std::str::FromStr;

/// Revisions that status remembers for reuse: the serving one, the last good one and ten more.
const REVISIONS: usize = 12;

/// What planning remembers of earlier passes, read from status.
pub fn memory(uid: &str, status: &PrivateServiceStatus) -> Memory {
    let members: MemberHashes = status
        .rendering
        .iter()
        .filter_map(|(name, hash)| Some((Member::from_str(name).ok()?, Hash(hash.clone()))))
        .collect();
    Memory {
        uid: uid.to_owned(),
        epoch: status.create_epoch.unwrap_or(0),
        existed: status.service_arn.is_some(),
        dns_existed: status
            .discovery
            .as_ref()
            .is_some_and(|discovery| discovery.service_id.is_some()),
        applied: status.intent.as_ref().map(|intent| Applied {
            intent: Hash(intent.clone()),
            members,
        }),
        failed_rollout: status
            .rollout
            .as_ref()
            .and_then(|rollout| rollout.failed_hash.clone())
            .map(Hash),
        tag_keys: status.tag_keys.clone(),
        replaced: None,
        futile: std::collections::BTreeMap::new(),
    }
}

/// The revisions that status remembers, for the inventory.
pub fn remembered_revisions(status: &PrivateServiceStatus) -> Vec<crate::observed::Revision> {
    status
        .revisions
        .iter()
        .map(|revision| crate::observed::Revision {
            arn: revision.task_definition.clone(),
            hash: Some(Hash(revision.hash.clone())),
            intent: None,
            active: true,
        })
        .collect()
}

/// What must be in status before the first step of a plan runs, so that a crash right after it loses nothing: where things are made
/// and with which create token. `None` if status says so already.
pub fn claim(
    previous: &PrivateServiceStatus,
    place: &Place,
    plan: &Plan,
) -> Option<PrivateServiceStatus> {
    let mut status = previous.clone();
    locate(&mut status, place);
    if plan
        .steps
        .iter()
        .any(|step| matches!(step, Step::CreateService(_)))
    {
        if plan.epoch != previous.create_epoch.unwrap_or(0) {
            // The service of the epoch before is gone. Tries of this one keep its token.
            status.service_arn = None;
        }
        // From here on there may be a service, even if no answer ever tells us so.
        status.create_epoch = Some(plan.epoch);
    }
    (status != *previous).then_some(status)
}

/// Says in status where an object's things are.
pub fn locate(status: &mut PrivateServiceStatus, place: &Place) {
    status.environment = Some(place.environment.clone());
    status.region = Some(place.region.clone());
    status.cluster = Some(place.cluster_arn.clone());
    status
        .discovery
        .get_or_insert_with(Discovery::default)
        .namespace_id = Some(place.namespace_id().to_owned());
}

/// Why an object that has something in one place cannot go on in another: what is there would be left behind.
pub fn displaced(status: &PrivateServiceStatus, place: &Place) -> Option<Problem> {
    if status.service_arn.is_none() && status.create_epoch.is_none() {
        return None;
    }
    let cluster = status
        .cluster
        .as_ref()
        .filter(|cluster| **cluster != place.cluster_arn);
    let namespace = status
        .discovery
        .as_ref()
        .and_then(|discovery| discovery.namespace_id.as_ref())
        .filter(|namespace| *namespace != place.namespace_id());
    let there = cluster.or(namespace)?;
    Some(Problem::new(
        Reason::EnvironmentNotReady,
        format!(
            "this service lives in {there}, but Environment {} is somewhere else now: give the Environment back what it named, or delete this object (which removes the service there) and create it again",
            place.environment
        ),
    ))
}

/// What one pass over a living object came to, as far as status shows it.
#[derive(Debug)]
pub struct Report<'a> {
    /// Its place.
    pub place: &'a Place,
    /// What was resolved.
    pub resolved: &'a Resolved,
    /// AWS, as known at the end of the pass.
    pub observed: &'a Observed,
    /// The service as it was last seen.
    pub service: Option<&'a Service>,
    /// The plan.
    pub plan: &'a Plan,
    /// What its executed steps yielded.
    pub outcomes: &'a [Outcome],
    /// True if every step of the plan was executed.
    pub completed: bool,
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
            | Outcome::ServiceUpdated { .. }
            | Outcome::Tagged
            | Outcome::ServiceDeleted
            | Outcome::DnsServiceDeleted => {}
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
    status.rollout = rollout(previous, report, now);
    if let Some(applied) = applied(report) {
        status.intent = Some(applied.intent.0);
        status.rendering = applied
            .members
            .into_iter()
            .map(|(member, hash)| (member.to_string(), hash.0))
            .collect();
    }
    if report.completed && report.plan.waiting_on.is_empty() {
        status.tag_keys = user_tag_keys(desired);
    }
    status.revisions = revisions(previous, report);
    if let (Some(RolloutPhase::Complete), Some(service)) = (
        report.judgement.map(|judgement| judgement.phase),
        report.service,
    ) && report.plan.is_settled()
        && report.plan.drift.is_empty()
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
    let settled = report.plan.waiting_on.is_empty()
        && report.completed
        && report.plan.conflict.is_none()
        && !report.plan.rollout_held;
    if !settled {
        return None;
    }
    let desired = &report.resolved.desired;
    let mut members = desired.members();
    members.extend(report.plan.held.clone());
    Some(Applied {
        intent: desired.intent.clone(),
        members,
    })
}

fn rollout(
    previous: &PrivateServiceStatus,
    report: &Report<'_>,
    now: Timestamp,
) -> Option<RolloutStatus> {
    let before = previous.rollout.clone().unwrap_or_default();
    let started = report
        .plan
        .steps
        .iter()
        .take(report.outcomes.len())
        .any(|step| match step {
            Step::CreateService(_) => true,
            Step::UpdateService(update) => update.starts_deployment(),
            _ => false,
        });
    if started {
        let id = report.outcomes.iter().find_map(|outcome| match outcome {
            Outcome::ServiceUpdated { deployment_id } => deployment_id.clone(),
            _ => None,
        });
        return Some(RolloutStatus {
            phase: Some(RolloutPhase::Progressing),
            id,
            started_at: Some(Time(now)),
            ..RolloutStatus::default()
        });
    }
    let Some(judgement) = report.judgement else {
        return previous.rollout.clone();
    };
    let same = before.id.is_none() || before.id == judgement.id;
    let finished = !matches!(
        judgement.phase,
        RolloutPhase::Progressing | RolloutPhase::RollingBack
    );
    let failed = judgement.failed.is_some();
    Some(RolloutStatus {
        phase: Some(judgement.phase),
        id: judgement.id.clone(),
        reason: failed.then(|| judgement.message.clone()),
        started_at: before
            .started_at
            .clone()
            .filter(|_| same)
            .or_else(|| started_at(report)),
        finished_at: if finished {
            before
                .finished_at
                .filter(|_| same && before.phase == Some(judgement.phase))
                .or(Some(Time(now)))
        } else {
            None
        },
        failed_hash: judgement.failed.clone().map(|hash| hash.0),
    })
}

fn started_at(report: &Report<'_>) -> Option<Time> {
    report
        .service
        .and_then(Service::primary)
        .and_then(|primary| primary.created_at)
        .map(Time)
}

fn deployed(
    previous: &PrivateServiceStatus,
    desired: &Desired,
    service: &Service,
    now: Timestamp,
) -> Deployed {
    let task_definition = names::last_segment(&service.task_definition).to_owned();
    let at = previous
        .deployed
        .as_ref()
        .filter(|before| before.task_definition.as_ref() == Some(&task_definition))
        .and_then(|before| before.at.clone())
        .or_else(|| {
            service
                .primary()
                .and_then(|primary| primary.updated_at)
                .map(Time)
        })
        .unwrap_or(Time(now));
    Deployed {
        image: Some(desired.task_definition.container.image.clone()),
        task_definition: Some(task_definition),
        at: Some(at),
    }
}

/// Revisions worth remembering: newest first, the serving one always among them, none that is known to be gone.
fn revisions(previous: &PrivateServiceStatus, report: &Report<'_>) -> Vec<Revision> {
    let registered = report.outcomes.iter().filter_map(|outcome| match outcome {
        Outcome::TaskDefinitionRegistered { arn, hash } => Some((arn.clone(), hash.0.clone())),
        _ => None,
    });
    let known = report
        .observed
        .revisions
        .values()
        .filter(|revision| revision.active)
        .filter_map(|revision| Some((revision.arn.clone(), revision.hash.clone()?.0)));
    let gone = |arn: &str| {
        report
            .observed
            .revisions
            .get(arn)
            .is_some_and(|known| !known.active)
    };
    let before = previous
        .revisions
        .iter()
        .map(|revision| (revision.task_definition.clone(), revision.hash.clone()))
        .filter(|(arn, _)| !gone(arn));
    let mut all: Vec<(String, String)> = before.chain(known).chain(registered).collect();
    all.sort_by_key(|(arn, _)| std::cmp::Reverse(names::revision_number(arn)));
    all.dedup_by(|a, b| a.0 == b.0);
    let serving = report
        .service
        .map(|service| service.task_definition.clone());
    let mut kept: Vec<(String, String)> = all.iter().take(REVISIONS).cloned().collect();
    if let Some(serving) = serving
        && !kept.iter().any(|(arn, _)| *arn == serving)
        && let Some(found) = all.iter().find(|(arn, _)| *arn == serving)
    {
        kept.truncate(REVISIONS - 1);
        kept.push(found.clone());
    }
    kept.into_iter()
        .map(|(task_definition, hash)| Revision {
            task_definition,
            hash,
        })
        .collect()
}

fn user_tag_keys(desired: &Desired) -> Vec<String> {
    desired
        .tags
        .keys()
        .filter(|key| !key.starts_with(meta::TAG_PREFIX))
        .cloned()
        .collect()
}

/// What an object that is being deleted may have in AWS, from status alone. `None` if it never got anywhere.
pub fn remains(
    owner: Owner,
    status: &PrivateServiceStatus,
    retain: bool,
) -> Option<(crate::plan::Remains, crate::observed::Scope)> {
    let cluster_arn = status.cluster.clone()?;
    let scope = crate::observed::Scope {
        service: owner.name.clone(),
        namespace_id: status
            .discovery
            .as_ref()
            .and_then(|discovery| discovery.namespace_id.clone())
            .unwrap_or_default(),
        family: names::family(
            status.environment.as_deref().unwrap_or_default(),
            &owner.name,
        ),
        cluster_arn: cluster_arn.clone(),
    };
    let remains = crate::plan::Remains {
        owner,
        cluster_arn,
        existed: status.service_arn.is_some() || status.create_epoch.is_some(),
        dns_existed: status.create_epoch.is_some()
            || status
                .discovery
                .as_ref()
                .is_some_and(|dns| dns.service_id.is_some()),
        retain,
    };
    Some((remains, scope))
}

#[cfg(test)]
mod tests;
