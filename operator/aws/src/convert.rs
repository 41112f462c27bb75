//! Between AWS's types and ours, the only place where the two meet. Pure.
//!
//! Invariant: what comes out of AWS is normalised (sorted, sets, PRIMARY first), so that comparing it with what we want is `==`; what AWS did
//! not say stays `None`.

mod dns;
mod observed;
mod revision;
mod service;
mod service_deployment;
mod stopped;
mod tags;
mod task_definition;
mod trouble;

use aws_sdk_ecs::error::BuildError;
use k8s_openapi::jiff::Timestamp;

pub(crate) use dns::{arn_of, create_dns, description_owner};
pub(crate) use observed::service as observed_service;
pub(crate) use revision::revision;
pub(crate) use service::{create_service, update_service};
pub(crate) use service_deployment::service_deployment;
pub(crate) use stopped::stopped_tasks;
pub(crate) use tags::{
    discovery_tags, ecs_tags, from_discovery, from_ecs, from_secret, secret_tags,
};
pub(crate) use task_definition::register;

/// An SDK builder refused our input: a required member is missing, which is a mistake in the plan.
#[derive(Debug, thiserror::Error)]
#[error("the request lacks a required member")]
pub(crate) struct Incomplete;

impl From<BuildError> for Incomplete {
    fn from(_: BuildError) -> Self {
        Self
    }
}

/// AWS's time as ours.
pub(crate) fn timestamp(time: &aws_sdk_ecs::primitives::DateTime) -> Option<Timestamp> {
    Timestamp::new(time.secs(), i32::try_from(time.subsec_nanos()).ok()?).ok()
}
