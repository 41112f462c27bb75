//! Where an object belongs: its Environment, whether it may use it, and whether its name there is its own. Reads caches only.

use super::neighbours::key_of;
use crate::context::Context;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::LabelSelector;
use kube::ResourceExt;
use kube::core::Selector;
use kube::runtime::reflector::ObjectRef;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::Port;
use privateservice_api::{Environment, PrivateService};
use privateservice_core::place::Place;
use privateservice_core::problem::Problem;
use privateservice_core::resolve::Neighbours;
use std::sync::Arc;

/// The name of an object's Environment: what the spec says, else what was used first, else the operator's default.
pub(super) fn environment_name(object: &PrivateService, default: Option<&str>) -> Option<String> {
    let used = object.status.as_ref().and_then(|status| status.environment.clone());
    object.spec.environment.clone().or(used).or_else(|| default.map(str::to_owned))
}

/// The place of an object.
pub(super) fn place(object: &PrivateService, ctx: &Context) -> Result<Place, Problem> {
    let default = ctx.config.default_environment.as_deref();
    let name = environment_name(object, default).ok_or_else(|| {
        Problem::new(
            Reason::EnvironmentNotFound,
            "no Environment is named and the operator has no default: write spec.environment",
        )
    })?;
    let environment = environment(&name, ctx)?;
    let namespace = object.namespace().unwrap_or_default();
    if !admits(&environment, &namespace, ctx)? {
        return Err(Problem::new(
            Reason::NamespaceNotAllowed,
            format!(
                "Environment {name} does not allow the Kubernetes namespace {namespace}: ask its owners to label the namespace as spec.allowedNamespaces says"
            ),
        ));
    }
    Place::of(&environment)
}

fn environment(name: &str, ctx: &Context) -> Result<Arc<Environment>, Problem> {
    let guarded = ctx.environments.get(&ObjectRef::new(name)).ok_or_else(|| {
        Problem::new(
            Reason::EnvironmentNotFound,
            format!("there is no Environment {name}: create it, or name another one"),
        )
    })?;
    match &guarded.0 {
        Ok(environment) => Ok(Arc::new(environment.clone())),
        Err(invalid) => Err(Problem::new(
            Reason::EnvironmentNotReady,
            format!("Environment {name} cannot be read: {}", invalid.error),
        )),
    }
}

/// Whether the Environment's selector matches the namespace's labels. No selector, or an empty one, allows all.
fn admits(environment: &Environment, namespace: &str, ctx: &Context) -> Result<bool, Problem> {
    let Some(selector) = &environment.spec.allowed_namespaces else { return Ok(true) };
    if *selector == LabelSelector::default() {
        return Ok(true);
    }
    let selector = Selector::try_from(selector.clone()).map_err(|error| {
        Problem::new(
            Reason::EnvironmentNotReady,
            format!("spec.allowedNamespaces of Environment {}: {error}", environment.name_any()),
        )
    })?;
    let labels = ctx
        .namespaces
        .get(&ObjectRef::new(namespace))
        .map(|namespace| namespace.labels().clone())
        .unwrap_or_default();
    Ok(selector.matches(&labels))
}

/// The object that has this name in the Environment by age, if it is another one: the older wins, then the one whose namespace comes
/// first.
pub(super) fn elder(object: &PrivateService, place: &Place, ctx: &Context) -> Option<String> {
    let mine = rank(object);
    ctx.neighbourhood
        .lock()
        .named(&object.name_any())
        .into_iter()
        .filter(|key| *key != key_of(object))
        .filter_map(|key| {
            let reference = ObjectRef::new(&key.name).within(&key.namespace);
            ctx.services.get(&reference)
        })
        .filter_map(|guarded| guarded.0.as_ref().ok().cloned())
        .filter(|other| {
            let default = ctx.config.default_environment.as_deref();
            environment_name(other, default).as_deref() == Some(&place.environment)
        })
        .filter(|other| rank(other) < mine)
        .min_by_key(rank)
        .map(|other| key_of(&other).to_string())
}

fn rank(object: &PrivateService) -> (i64, String) {
    let created = object
        .metadata
        .creation_timestamp
        .as_ref()
        .map_or(i64::MAX, |time| time.0.as_second());
    (created, object.namespace().unwrap_or_default())
}

/// The services of the caches, for references between them.
pub(super) struct CachedNeighbours<'a>(pub(super) &'a Context);

impl Neighbours for CachedNeighbours<'_> {
    fn ports_of(&self, environment: &str, name: &str) -> Option<Option<Vec<Port>>> {
        let default = self.0.config.default_environment.as_deref();
        let keys = self.0.neighbourhood.lock().named(name);
        keys.into_iter()
            .filter_map(|key| {
                self.0.services.get(&ObjectRef::new(&key.name).within(&key.namespace))
            })
            .filter_map(|guarded| guarded.0.as_ref().ok().cloned())
            .filter(|other| environment_name(other, default).as_deref() == Some(environment))
            .min_by_key(rank)
            .map(|other| other.spec.ports)
    }
}
