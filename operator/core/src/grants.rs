//! What a service may name in AWS beyond what the operator makes. In: the references of a spec, and the Environment's grants. Out: the
//! references, each of which the service's Kubernetes namespace may use, or a [`Problem`]. Pure.
//!
//! Invariants: nothing reaches a rendering that is not granted to the namespace; a secret that the operator makes for one namespace is
//! never another's, whatever is granted; the code in a task never has the execution role.

mod secret;

pub(crate) use secret::namespace_of_name;
pub use secret::{SecretArn, secret};

use crate::place::Place;
use crate::problem::Problem;
use privateservice_api::conditions::Reason;
use privateservice_api::environment::Grant;
use privateservice_api::privateservice::PrivateServiceSpec;
use std::collections::BTreeSet;

/// Security groups of a task (AWS: ECS API reference, AwsVpcConfiguration).
const GROUP_LIMIT: usize = 5;

/// What a service's own references add to its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Granted {
    /// Role of the code in tasks: the service's own, else the Environment's.
    pub task_role_arn: Option<String>,
    /// The Environment's security groups and the service's own, 1 to 5.
    pub security_groups: BTreeSet<String>,
    /// ARN of the secret that the image's registry asks for.
    pub registry_credentials: Option<String>,
}

/// A field of the spec and what it refers to.
struct Reference<'a> {
    field: &'a str,
    /// List of a grant that it is looked up in.
    list: &'static str,
    id: &'a str,
}

/// The references of a spec, if all of them are granted to the Kubernetes namespace.
///
/// # Errors
/// `NamespaceNotAllowed` for the first that is not, in words that say what the Environment's owners would have to add; `InvalidSpec` for
/// the execution role as task role, and for too many security groups.
pub fn granted(
    spec: &PrivateServiceSpec,
    place: &Place,
    namespace: &str,
) -> Result<Granted, Problem> {
    let registry_credentials = spec
        .source
        .image
        .as_ref()
        .and_then(|image| image.credentials_secret_arn.as_deref());
    if let Some(arn) = registry_credentials {
        let whole = SecretArn::Whole(arn);
        secret("source.image.credentialsSecretArn", whole, place, namespace)?;
    }
    if let Some(role) = spec.task_role_arn.as_deref() {
        let reference = Reference {
            field: "taskRoleArn",
            list: "taskRoles",
            id: role,
        };
        check_role(&reference, place, namespace)?;
    }
    let extra: &[String] = spec
        .network
        .as_ref()
        .map_or(&[], |network| &network.extra_security_group_ids);
    for group in extra {
        let reference = Reference {
            field: "network.extraSecurityGroupIds",
            list: "securityGroups",
            id: group,
        };
        // Its tasks have the Environment's own groups anyway.
        if !place.security_groups.contains(group)
            && !has(place, namespace, |grant| {
                grant.security_groups.contains(group)
            })
        {
            return Err(reference.refused(place, namespace));
        }
    }
    if spec.adopt.unwrap_or(false) && !has(place, namespace, |grant| grant.adopt.unwrap_or(false)) {
        return Err(Problem::new(
            Reason::NamespaceNotAllowed,
            format!(
                "adopt: Environment {} does not let the Kubernetes namespace {namespace} take over what is there: ask its owners to add \
                 {{namespaces: [{namespace}], adopt: true}} to its spec.grants, or leave adopt out",
                place.environment
            ),
        ));
    }
    let security_groups: BTreeSet<String> =
        place.security_groups.iter().chain(extra).cloned().collect();
    if !extra.is_empty() && security_groups.len() > GROUP_LIMIT {
        return Err(Problem::new(
            Reason::InvalidSpec,
            format!(
                "network.extraSecurityGroupIds: a task has at most {GROUP_LIMIT} security groups, and with the {} of Environment {} it would have {}: write fewer",
                place.security_groups.len(),
                place.environment,
                security_groups.len()
            ),
        ));
    }
    Ok(Granted {
        task_role_arn: spec
            .task_role_arn
            .clone()
            .or_else(|| place.task_role_arn.clone()),
        security_groups,
        registry_credentials: registry_credentials.map(str::to_owned),
    })
}

/// All secrets that are granted to anybody, sorted: what the execution role of an Environment has to be able to read.
pub fn secrets(grants: &[Grant]) -> Vec<&str> {
    let all: BTreeSet<&str> = grants
        .iter()
        .flat_map(|grant| grant.secrets.iter().map(String::as_str))
        .collect();
    all.into_iter().collect()
}

/// Whether a Kubernetes namespace may name a parameter in a field. `/flag` and `flag` are one parameter to AWS: both have the ARN
/// `...:parameter/flag`.
///
/// # Errors
/// `NamespaceNotAllowed`, in words that say what the Environment's owners would have to add.
pub fn parameter(field: &str, name: &str, place: &Place, namespace: &str) -> Result<(), Problem> {
    let wanted = parameter_path(name);
    let granted = has(place, namespace, |grant| {
        grant
            .parameters
            .iter()
            .any(|pattern| matches(parameter_path(pattern), wanted))
    });
    if granted {
        return Ok(());
    }
    let reference = Reference {
        field,
        list: "parameters",
        id: name,
    };
    Err(reference.refused(place, namespace))
}

/// All parameters that are granted to anybody, sorted, as in their ARNs behind `:parameter/`.
pub fn parameters(grants: &[Grant]) -> Vec<&str> {
    let all: BTreeSet<&str> = grants
        .iter()
        .flat_map(|grant| grant.parameters.iter())
        .map(|name| parameter_path(name))
        .collect();
    all.into_iter().collect()
}

/// A parameter's name as it stands in its ARN behind `:parameter/`.
pub fn parameter_path(name: &str) -> &str {
    name.strip_prefix('/').unwrap_or(name)
}

fn check_role(reference: &Reference<'_>, place: &Place, namespace: &str) -> Result<(), Problem> {
    if reference.id == place.execution_role_arn {
        return Err(Problem::new(
            Reason::InvalidSpec,
            format!(
                "{}: {} is the execution role of Environment {}, which reads the secrets of all its services and is never given to their code: \
                 name another role",
                reference.field, reference.id, place.environment
            ),
        ));
    }
    // Its tasks have the Environment's default role anyway, if they name none.
    let default = place.task_role_arn.as_deref() == Some(reference.id);
    if default
        || has(place, namespace, |grant| {
            matches_any(&grant.task_roles, reference.id)
        })
    {
        return Ok(());
    }
    Err(reference.refused(place, namespace))
}

fn has(place: &Place, namespace: &str, holds: impl Fn(&Grant) -> bool) -> bool {
    place
        .grants
        .iter()
        .filter(|grant| grant.namespaces.iter().any(|name| name == namespace))
        .any(holds)
}

fn matches_any(patterns: &[String], arn: &str) -> bool {
    patterns.iter().any(|pattern| matches(pattern, arn))
}

/// A `*` at the end of a pattern stands for any rest; anywhere else it is a character like others, which no ARN of ours holds.
fn matches(pattern: &str, arn: &str) -> bool {
    pattern
        .strip_suffix('*')
        .map_or(pattern == arn, |start| arn.starts_with(start))
}

impl Reference<'_> {
    fn refused(&self, place: &Place, namespace: &str) -> Problem {
        let Self { field, list, id } = self;
        Problem::new(
            Reason::NamespaceNotAllowed,
            format!(
                "{field}: Environment {} does not grant {id} to the Kubernetes namespace {namespace}: ask its owners to add \
                 {{namespaces: [{namespace}], {list}: [\"{id}\"]}} to its spec.grants",
                place.environment
            ),
        )
    }
}

#[cfg(test)]
mod tests;
