//! From an object, its place and its neighbours to the complete [`Desired`] state. Pure. Everything that can be wrong with a spec ends
//! here, as a [`Problem`] that says what to write; after this, nobody looks at the spec for configuration.

mod capacity;
mod health_check;
mod logging;
mod ports;
mod scaling;
mod secrets;
mod size;
mod variables;

pub use variables::{Neighbours, ObjectData, SecretLookup};

use crate::defaults;
use crate::desired::Desired;
use crate::grants::{self, Granted};
use crate::hash::Hash;
use crate::names;
use crate::observed::Scope;
use crate::owner::Owner;
use crate::place::Place;
use crate::problem::Problem;
use crate::service::{Connect, Deployment, DnsService, Network};
use crate::stored_secret::{SecretValues, Stored};
use crate::task_definition::{Container, TaskDefinition};
use crate::watched_secret::Watched;
use privateservice_api::conditions::Reason;
use privateservice_api::privateservice::{
    Effective, Endpoint, Logs, PrivateService, SecretRollout,
};
use serde::Serialize;
use std::collections::{BTreeMap, BTreeSet};
use variables::Variables;

/// What resolving yields.
#[derive(Clone, Debug, PartialEq)]
pub struct Resolved {
    /// The wanted state.
    pub desired: Desired,
    /// Defaults and clamps, for `status.effective`.
    pub effective: Effective,
    /// Where its output goes, for `status.logs`.
    pub logs: Logs,
    /// Where others reach it, for `status.endpoints`.
    pub endpoints: Vec<Endpoint>,
    /// What is to be stored in Secrets Manager first; `desired` is complete with a version of it ([`Desired::with_secret`]).
    pub stored: Option<Stored>,
    /// The secrets of others that it names; `desired` names no version of them ([`Desired::with_watched`]).
    pub watched: Watched,
    /// Whether a changed value of a secret rolls the service; otherwise it waits for the next rollout.
    pub automatic: bool,
    /// What the user should know although nothing is wrong, for Warning Events.
    pub notices: Vec<Notice>,
}

/// Something worth a Warning Event when it first holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notice {
    /// Event reason.
    pub reason: &'static str,
    /// One sentence.
    pub message: String,
}

/// Resolves one object.
///
/// # Errors
/// `InvalidSpec` for what no schema rule could refuse; `NamespaceNotAllowed` for a reference that is not granted; `ReferenceNotFound` and
/// `SecretNotFound` for a reference to something that is not there; `AccessDenied` for a secret that cannot be looked up by its name.
pub fn resolve(
    object: &PrivateService,
    place: &Place,
    cluster_id: &str,
    neighbours: &dyn Neighbours,
) -> Result<Resolved, Problem> {
    let name = object.metadata.name.clone().unwrap_or_default();
    let owner = Owner {
        cluster_id: cluster_id.into(),
        namespace: object.metadata.namespace.clone().unwrap_or_default(),
        name: name.clone(),
    };
    let spec = &object.spec;
    let image = spec
        .source
        .image
        .as_ref()
        .map(|image| image.name.clone())
        .ok_or_else(|| {
            Problem::new(
                Reason::InvalidSpec,
                "source.image is required: write source: {image: {name: \"redis:alpine\"}}",
            )
        })?;
    let Granted {
        task_role_arn,
        security_groups,
        registry_credentials,
    } = grants::granted(spec, place, &owner.namespace)?;
    let exec = spec.exec.unwrap_or(false);
    if exec && task_role_arn.is_none() {
        return Err(Problem::new(
            Reason::InvalidSpec,
            format!(
                "exec needs a role of the code in the tasks, and Environment {} has none: write taskRoleArn, or leave exec out",
                place.environment
            ),
        ));
    }
    let size = size::size(spec.resources.as_ref())?;
    let ports = ports::ports(spec.ports.as_deref())?;
    let (health_check, clamp) = health_check::health_check(spec.health_check.as_ref())?;
    let (capacity, capacity_word) = capacity::capacity(spec.spot, place.kind);
    let variables = variables::variables(object, place, &place.env, &ports, neighbours)?;
    let own_variables = variables::variables(object, place, &BTreeMap::new(), &ports, neighbours)?;
    let architecture = capacity::architecture(spec.architecture);
    let around = logging::Surroundings {
        place,
        owner: &owner,
        neighbours,
    };
    let output = logging::output(spec.logging.as_ref(), around)?;
    let scaling = scaling::scaling(spec, &name, place, &ports);
    let rollout = spec.rollout.clone().unwrap_or_default();
    let breaker = rollout.circuit_breaker.clone().unwrap_or_default();
    let maximum_percent = rollout.max_percent.unwrap_or(defaults::MAX_PERCENT);
    let deployment = Deployment {
        minimum_healthy_percent: rollout
            .min_healthy_percent
            .unwrap_or(defaults::MIN_HEALTHY_PERCENT),
        maximum_percent,
        circuit_breaker: breaker.enabled.unwrap_or(true),
        rollback: breaker.enabled.unwrap_or(true) && breaker.rollback.unwrap_or(true),
        // ECS refuses zone rebalancing together with a maximum of 100 percent (ECS API reference, CreateService).
        rebalancing: maximum_percent > 100,
        alarms: rollout.alarms.iter().cloned().collect(),
    };
    let task_definition = TaskDefinition {
        family: names::family(&place.environment, &name),
        cpu: size.cpu,
        memory: size.memory,
        ephemeral_storage: (size.storage != defaults::EPHEMERAL_STORAGE_GIB)
            .then_some(size.storage),
        cpu_architecture: architecture,
        execution_role_arn: place.execution_role_arn.clone(),
        task_role_arn,
        container: Container {
            name: names::CONTAINER.into(),
            image: image.clone(),
            registry_credentials,
            command: spec.command.clone(),
            entry_point: spec.entry_point.clone(),
            environment: variables.plain.clone(),
            secrets: variables.secret.clone(),
            port_mappings: ports.iter().map(|port| port.mapping(&name)).collect(),
            health_check: health_check.clone(),
            restart: spec.restart_on_exit.unwrap_or(true),
            init_process: exec,
            stop_timeout: spec
                .stop_timeout_seconds
                .and_then(|seconds| u32::try_from(seconds).ok())
                .unwrap_or(defaults::STOP_TIMEOUT),
            log_driver: output.driver,
            log_options: output.options,
            log_secret_options: output.secret_options,
        },
        log_router: output.router,
    };
    let host = names::host(&name, &place.namespace);
    let mut services: Vec<_> = ports
        .iter()
        .map(|port| port.connect(&name, &host))
        .collect();
    services.sort();
    let dns = spec
        .network
        .as_ref()
        .and_then(|network| network.dns)
        .unwrap_or(true);
    let mut tags = place.tags.clone();
    tags.extend(spec.tags.clone());
    tags.extend(owner.tags(&place.environment));
    let mut values = variables.stored.clone();
    values.extend(output.stored);
    let stored = stored(values, place, &owner, &tags)?;
    let mut own_watched = own_variables.watched.clone();
    own_watched.extend(output.watched.clone());
    let mut watched = variables.watched.clone();
    watched.extend(output.watched);
    let scope = Scope {
        cluster_arn: place.cluster_arn.clone(),
        service: name.clone(),
        namespace_id: place.namespace_id().into(),
        family: task_definition.family.clone(),
    };
    let desired = Desired {
        // A port list that is empty registers no instance: there is nothing to resolve to.
        dns: (dns && !ports.is_empty()).then(|| DnsService {
            namespace_id: scope.namespace_id.clone(),
            name: name.clone(),
            ttl: defaults::DNS_TTL,
            creator_request_id: Hash::of_text(&format!(
                "{}/{}",
                owner.tag_value(),
                object.metadata.uid.as_deref().unwrap_or_default()
            ))
            .0,
        }),
        network: Network {
            subnets: place.subnets.clone(),
            security_groups,
            assign_public_ip: place.assign_public_ip,
        },
        connect: Connect {
            namespace_arn: place.namespace_arn.clone(),
            services,
        },
        own: own_intent(object, &own_variables, stored.as_ref(), &own_watched),
        intent: intent(object, place, &variables, stored.as_ref(), &watched),
        owner,
        scope,
        task_definition,
        capacity,
        deployment,
        exec,
        initial_count: scaling.bounds.min,
        scaling,
        tags,
        adopt: spec.adopt.unwrap_or(false),
        redeploy: None,
        pinned: None,
        progress_deadline: rollout
            .progress_deadline_seconds
            .and_then(|seconds| u32::try_from(seconds).ok())
            .unwrap_or(defaults::PROGRESS_DEADLINE),
    };
    let effective = Effective {
        cpu: i32::try_from(size.cpu).ok(),
        memory_mib: i32::try_from(size.memory).ok(),
        ephemeral_storage_gib: i32::try_from(size.storage).ok(),
        architecture: Some(architecture.to_string()),
        capacity: Some(capacity_word.into()),
        health_check_timeout_seconds: health_check
            .and_then(|check| i32::try_from(check.timeout).ok()),
        port: ports::default_port(&ports).map(|port| i32::from(port.number)),
        // Shown once what is in force is known.
        scaling: None,
    };
    let endpoints = ports
        .iter()
        .map(|port| Endpoint {
            name: port.name.clone(),
            host: host.clone(),
            port: i32::from(port.number),
        })
        .collect();
    let mut notices: Vec<Notice> = clamp.into_iter().collect();
    notices.extend(health_check::missing(
        spec.health_check.as_ref(),
        place.kind,
    ));
    notices.extend(variables::plain_secrets(&spec.env));
    notices.extend(variables.notices);
    notices.extend(output.notices);
    Ok(Resolved {
        desired,
        effective,
        logs: output.shown,
        endpoints,
        stored,
        watched,
        automatic: spec.secret_rollout == Some(SecretRollout::Automatic),
        notices,
    })
}

/// What is to be stored in Secrets Manager, if anything is.
fn stored(
    values: SecretValues,
    place: &Place,
    owner: &Owner,
    tags: &BTreeMap<String, String>,
) -> Result<Option<Stored>, Problem> {
    if values.is_empty() {
        return Ok(None);
    }
    let name = names::secret(&place.environment, &owner.namespace, &owner.name);
    let stored = Stored {
        partial_arn: names::partial_secret_arn(&place.cluster_arn, &place.region, &name),
        name,
        values,
        tags: tags.clone(),
    };
    stored.check()?;
    Ok(Some(stored))
}

/// What the users asked for, as far as it replaces tasks or configures the rollout: the spec's own fields (not how they
/// are rendered) and the inputs resolved from other objects. Fields that were not set are not part of it, so that a new
/// optional field changes no old hash.
fn intent(
    object: &PrivateService,
    place: &Place,
    variables: &Variables,
    stored: Option<&Stored>,
    watched: &Watched,
) -> Hash {
    #[derive(Serialize)]
    struct Intent<'a> {
        spec: serde_json::Value,
        variables: &'a BTreeMap<String, String>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        secrets: &'a BTreeMap<String, String>,
        #[serde(skip_serializing_if = "BTreeSet::is_empty")]
        stored: BTreeSet<String>,
        #[serde(skip_serializing_if = "BTreeMap::is_empty")]
        named_secrets: BTreeMap<String, String>,
        kind: &'static str,
        cluster_arn: &'a str,
        namespace_arn: &'a str,
        subnets: Vec<&'a String>,
        security_groups: Vec<&'a String>,
        assign_public_ip: bool,
        execution_role_arn: &'a str,
        task_role_arn: Option<&'a String>,
        log_group: &'a str,
    }
    Hash::of(&Intent {
        spec: spec_of_intent(object),
        variables: &variables.plain,
        secrets: &variables.secret,
        stored: stored.map(Stored::places).unwrap_or_default(),
        named_secrets: watched.arns_by_name(),
        kind: capacity::kind_word(place.kind),
        cluster_arn: &place.cluster_arn,
        namespace_arn: &place.namespace_arn,
        subnets: place.subnets.iter().collect(),
        security_groups: place.security_groups.iter().collect(),
        assign_public_ip: place.assign_public_ip,
        execution_role_arn: &place.execution_role_arn,
        task_role_arn: place.task_role_arn.as_ref(),
        log_group: &place.log_group,
    })
}

/// The part of the intent that is the service's own: whoever edited it when only this changed, it was not the Environment's owner. Which
/// secrets are named is part of it, and their versions are not.
fn own_intent(
    object: &PrivateService,
    variables: &Variables,
    stored: Option<&Stored>,
    watched: &Watched,
) -> Hash {
    let mut own = Hash::of(&(spec_of_intent(object), &variables.plain));
    if !variables.secret.is_empty() {
        own = Hash::of(&(own, &variables.secret));
    }
    let (stored, named) = (stored.map(Stored::places), watched.arns_by_name());
    if stored.is_some() || !named.is_empty() {
        own = Hash::of(&(own, stored.unwrap_or_default(), named));
    }
    own
}

/// The spec's own fields, as far as they replace tasks or configure the rollout.
fn spec_of_intent(object: &PrivateService) -> serde_json::Value {
    let mut spec = serde_json::to_value(&object.spec).unwrap_or_default();
    if let Some(fields) = spec.as_object_mut() {
        // None of these changes what runs.
        for field in [
            "suspend",
            "adopt",
            "deletionPolicy",
            "tags",
            "environment",
            "env",
            "envFrom",
            "secretRollout",
            "scaling",
            "paused",
        ] {
            fields.remove(field);
        }
        if let Some(rollout) = fields
            .get_mut("rollout")
            .and_then(serde_json::Value::as_object_mut)
        {
            rollout.remove("progressDeadlineSeconds");
        }
    }
    spec
}

#[cfg(test)]
mod tests;
