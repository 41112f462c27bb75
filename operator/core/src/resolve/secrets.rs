//! How ECS is told about a secret: by name only. Pure.
//!
//! Invariant: what is not granted to the Kubernetes namespace is never rendered.

use crate::grants;
use crate::names;
use crate::place::Place;
use crate::problem::Problem;
use privateservice_api::privateservice::{AwsSecretRef, SsmParameterRef};

/// The `valueFrom` of a secret: its ARN, followed by key, stage and version where there is a key or a version; the stage stays empty (ECS
/// developer guide, Pass Secrets Manager secrets through Amazon ECS environment variables).
///
/// # Errors
/// `NamespaceNotAllowed` for a secret that is not granted.
pub(super) fn value_from(
    field: &str,
    secret: &AwsSecretRef,
    place: &Place,
    namespace: &str,
) -> Result<String, Problem> {
    grants::secret(field, &secret.id, place, namespace)?;
    let AwsSecretRef {
        id,
        key,
        version_id,
    } = secret;
    if key.is_none() && version_id.is_none() {
        return Ok(id.clone());
    }
    let key = key.as_deref().unwrap_or_default();
    let version = version_id.as_deref().unwrap_or_default();
    Ok(format!("{id}:{key}::{version}"))
}

/// The `valueFrom` of a parameter: its ARN in the Environment's account and Region (ECS developer guide, Pass Systems Manager parameters
/// through Amazon ECS environment variables).
///
/// # Errors
/// `NamespaceNotAllowed` for a parameter that is not granted.
pub(super) fn value_from_parameter(
    field: &str,
    parameter: &SsmParameterRef,
    place: &Place,
    namespace: &str,
) -> Result<String, Problem> {
    grants::parameter(field, &parameter.name, place, namespace)?;
    Ok(names::parameter_arn(
        &place.cluster_arn,
        &place.region,
        grants::parameter_path(&parameter.name),
    ))
}
