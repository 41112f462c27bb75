//! How requests name an ECS service. In: namespace, resource and dimension of a request. Out: the service's key,
//! or the refusal. Pure.

use serde_json::Value;

use super::refuse;
use crate::ecs::world::ServiceKey;
use crate::errors::AwsError;

pub(super) const NAMESPACE: &str = "ecs";
pub(super) const DIMENSION: &str = "ecs:service:DesiredCount";

/// AWS's text for a combination that does not exist (public report).
const UNSUPPORTED: &str = "Unsupported service namespace, resource type or scalable dimension";

/// `service/<cluster>/<service>`
pub(super) fn resource_id(key: &ServiceKey) -> String {
    format!("service/{}/{}", key.0, key.1)
}

fn key_of(resource: &str) -> Option<ServiceKey> {
    let (cluster, service) = resource.strip_prefix("service/")?.split_once('/')?;
    let is_name = |text: &str| !text.is_empty() && !text.contains(['/', ':']);
    (is_name(cluster) && is_name(service)).then(|| (cluster.to_owned(), service.to_owned()))
}

/// Refuses every namespace but that of ECS.
pub(super) fn check_namespace(body: &Value) -> Result<(), AwsError> {
    match body["ServiceNamespace"].as_str() {
        Some(NAMESPACE) => Ok(()),
        other => Err(AwsError::not_implemented(format!(
            "application-autoscaling: namespace {}",
            other.unwrap_or_default()
        ))),
    }
}

/// The service a request is about.
pub(super) fn required(body: &Value) -> Result<ServiceKey, AwsError> {
    check_namespace(body)?;
    let key = body["ResourceId"].as_str().and_then(key_of);
    let key = key.filter(|_| body["ScalableDimension"] == DIMENSION);
    key.ok_or_else(|| refuse(UNSUPPORTED))
}

/// The service a describing request is restricted to, if it is.
pub(super) fn filter(body: &Value) -> Result<Option<ServiceKey>, AwsError> {
    check_namespace(body)?;
    let dimension = &body["ScalableDimension"];
    if !dimension.is_null() && dimension != DIMENSION {
        return Err(refuse(UNSUPPORTED));
    }
    match body["ResourceId"].as_str() {
        Some(resource) => key_of(resource)
            .map(Some)
            .ok_or_else(|| refuse(UNSUPPORTED)),
        // Application Auto Scaling API reference, DescribeScalingPolicies.
        None if !dimension.is_null() => {
            Err(refuse("ResourceId is required with ScalableDimension."))
        }
        None => Ok(None),
    }
}

/// `No <what> for service namespace: ecs, resource ID: ..., scalable dimension: ...<more>` (public report of the
/// text for targets).
pub(super) fn not_found(what: &str, key: &ServiceKey, more: &str) -> AwsError {
    let resource = resource_id(key);
    AwsError::new(
        "ObjectNotFoundException",
        format!(
            "No {what} for service namespace: {NAMESPACE}, resource ID: {resource}, scalable dimension: \
             {DIMENSION}{more}"
        ),
    )
}

pub(super) fn no_target(key: &ServiceKey) -> AwsError {
    not_found("scalable target registered", key, "")
}
