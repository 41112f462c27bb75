//! Where an object's things are, said in status before they are made: what a crash, a deletion or a moved Environment needs to know. Pure.

use crate::desired::Desired;
use crate::names;
use crate::observed::{Observed, Scope, Service, ServiceStatus};
use crate::owner::Owner;
use crate::place::Place;
use crate::plan::{Plan, Remains};
use crate::problem::Problem;
use crate::rollout;
use crate::scaling;
use crate::step::Step;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::Environment;
use privateservice_api::privateservice::{Attempt, Discovery, PrivateServiceStatus};

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
        // What scales it follows as soon as it is there; what scaled one of that name before went with that, all but the alarms.
        let scaling = status.autoscaling.get_or_insert_default();
        (scaling.target, scaling.policies, scaling.schedules) = Default::default();
    }
    (status != *previous).then_some(status)
}

/// A rollout that the plan is about to send: in status before the call, so that a crash right after it does not forget what was sent.
/// `None` if the plan sends none.
pub fn attempt(
    desired: &Desired,
    plan: &Plan,
    observed: &Observed,
    at: Option<Time>,
) -> Option<Attempt> {
    plan.steps.iter().any(Step::starts_rollout).then(|| {
        let service = observed
            .service
            .present()
            .filter(|service| service.status == ServiceStatus::Active);
        Attempt {
            identity: desired.rollout_identity().0,
            replaces: service
                .and_then(Service::primary)
                .map(|primary| primary.id.clone()),
            replaces_service_deployment: service
                .and_then(|service| rollout::newest_arn(observed, service)),
            redeploy_at: desired.redeploy.clone(),
            forced: plan.steps.iter().any(
                |step| matches!(step, Step::UpdateService(update) if update.force_new_deployment),
            ),
            wave: plan.wave,
            at,
        }
    })
}

/// A stop of the rollout in progress that the plan is about to send: in status before the call, so that it is known whose stop it was.
pub fn stop(previous: &PrivateServiceStatus, plan: &Plan) -> Option<PrivateServiceStatus> {
    let why = plan.steps.iter().find_map(|step| match step {
        Step::StopServiceDeployment { why, .. } => Some(*why),
        _ => None,
    })?;
    let mut status = previous.clone();
    status.rollout.as_mut()?.ended_by = Some(why);
    (status != *previous).then_some(status)
}

/// Says in status where an object's things are.
pub fn locate(status: &mut PrivateServiceStatus, place: &Place) {
    status.environment = Some(place.environment.clone());
    status.region = Some(place.region.clone());
    status.assume_role.clone_from(&place.role);
    status.cluster = Some(place.cluster_arn.clone());
    status
        .discovery
        .get_or_insert_with(Discovery::default)
        .namespace_id = Some(place.namespace_id().to_owned());
}

/// Says in status where an object's things would be, by the Environment's own words, whatever state it is in.
pub fn locate_in(status: &mut PrivateServiceStatus, environment: &Environment) {
    let spec = &environment.spec;
    let existing = spec.existing.as_ref();
    let offered = environment.status.as_ref();
    let namespace = existing
        .and_then(|existing| existing.namespace_arn.as_deref())
        .or_else(|| offered?.namespace_arn.as_deref());
    status.environment.clone_from(&environment.metadata.name);
    status.region = Some(spec.region.clone());
    status.assume_role.clone_from(&spec.assume_role);
    status.cluster = existing
        .and_then(|existing| existing.cluster_arn.clone())
        .or_else(|| offered?.cluster_arn.clone());
    status
        .discovery
        .get_or_insert_with(Discovery::default)
        .namespace_id = namespace.map(|arn| names::last_segment(arn).to_owned());
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

/// What an object that is being deleted may have in AWS, from status alone. `None` if it never got anywhere.
pub fn remains(
    owner: Owner,
    status: &PrivateServiceStatus,
    retain: bool,
) -> Option<(Remains, Scope)> {
    let cluster_arn = status.cluster.clone()?;
    let scope = Scope {
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
    let remains = Remains {
        owner,
        cluster_arn,
        existed: status.service_arn.is_some() || status.create_epoch.is_some(),
        dns_existed: status.create_epoch.is_some()
            || status
                .discovery
                .as_ref()
                .is_some_and(|dns| dns.service_id.is_some()),
        // A status that was lost says nothing; one that is whole knows whether anything was begun.
        scaling: (status.autoscaling.is_some()
            || status.create_epoch.is_none() && status.service_arn.is_none())
        .then(|| scaling::memory(status)),
        retain,
    };
    Some((remains, scope))
}
