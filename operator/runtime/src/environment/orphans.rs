//! Counts ECS services that carry our ownership tag and that no PrivateService stands for: left behind by a restored backup, or by objects
//! that were removed by force. Reads AWS, rarely; changes nothing there.
//!
//! Invariant: what could not be looked at is not counted as nothing.

use crate::context::Context;
use k8s_openapi::jiff::Timestamp;
use kube::ResourceExt;
use privateservice_api::{Environment, meta};
use privateservice_aws::{Account, Lane, Priority};
use privateservice_core::failure::Failure;
use privateservice_core::observed::{Service, ServiceStatus};
use std::collections::BTreeSet;

/// How many names that no object has are described in one look: ten calls. The rest follows with the next looks.
const LIMIT: usize = 100;
/// How many orphans a message names.
const NAMED: usize = 5;

/// What is remembered of a cluster between looks.
#[derive(Debug, Default)]
pub(super) struct Strangers {
    /// Names of services of somebody else. They become ours by nobody but us.
    known: BTreeSet<String>,
}

/// The orphans of an Environment, as `namespace/name`. `None` while there are names that were not looked at yet.
///
/// # Errors
/// What AWS did not answer.
pub(super) async fn find(
    object: &Environment,
    context: &Context,
    account: &Account,
    cluster_arn: &str,
    strangers: &mut Strangers,
) -> Result<Option<Vec<String>>, Failure> {
    if context.config.watch_selector.is_some() {
        // Objects that are not watched are there all the same.
        return Ok(None);
    }
    let environment = object.name_any();
    let priority = Priority {
        lane: Lane::Garbage,
        since: Timestamp::now(),
    };
    let listed = account.services_of_cluster(cluster_arn, priority).await?;
    let users = context.index.users(&environment);
    let ours: BTreeSet<&str> = users.iter().map(|key| key.name.as_str()).collect();
    strangers.known.retain(|name| listed.contains(name));
    let mut unknown: Vec<String> = listed
        .into_iter()
        .filter(|name| !ours.contains(name.as_str()) && !strangers.known.contains(name))
        .collect();
    let complete = unknown.len() <= LIMIT;
    unknown.truncate(LIMIT);
    let found = account
        .describe_others(cluster_arn, &unknown, priority)
        .await?;
    let mut orphans = Vec::new();
    for service in &found {
        if let Some(orphan) = orphan(service, context, &environment) {
            orphans.push(orphan);
        } else if service.is_unowned()
            || service
                .owner()
                .is_some_and(|owner| owner.cluster_id != context.cluster_id)
        {
            strangers
                .known
                .insert(privateservice_core::names::last_segment(&service.arn).to_owned());
        }
    }
    orphans.sort();
    Ok(complete.then_some(orphans))
}

/// The object that a service names as its owner, if that is one of ours, of this Environment, and there is none.
fn orphan(service: &Service, context: &Context, environment: &str) -> Option<String> {
    let owner = service
        .owner()
        .filter(|owner| owner.cluster_id == context.cluster_id)?;
    let tags = service.tags.as_ref()?;
    let watched = &context.config.watch_namespaces;
    let here = tags.get(meta::TAG_ENVIRONMENT).map(String::as_str) == Some(environment)
        && service.status == ServiceStatus::Active
        && (watched.is_empty() || watched.contains(&owner.namespace));
    here.then(|| format!("{}/{}", owner.namespace, owner.name))
}

/// What to tell about them.
pub(super) fn message(orphans: &[String]) -> String {
    let named: Vec<&str> = orphans.iter().take(NAMED).map(String::as_str).collect();
    let more = if orphans.len() > NAMED { ", ..." } else { "" };
    format!(
        "{} ECS services belong to PrivateServices that are not there: {}{more}. Create the objects again, or delete the services in AWS; they \
         are left alone",
        orphans.len(),
        named.join(", ")
    )
}
