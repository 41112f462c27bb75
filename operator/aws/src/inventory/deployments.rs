//! Reads of service deployments, twenty at a time, across services and clusters.
//!
//! A read waits until its service is known, because only that shows which service deployment is the newest; where it does not, a listing
//! does. Permission and support may be missing without harm: then the service deployment is unreadable, and no failure of the object.

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::Seen;
use super::state::{ServiceId, State};
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Priority};
use crate::operations::{DESCRIBE_SERVICE_DEPLOYMENTS, LIST_SERVICE_DEPLOYMENTS};
use crate::timing::Timing;
use crate::{classify, clock, convert};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use privateservice_api::conditions::Reason;
use privateservice_core::failure::Failure;
use privateservice_core::observed::ServiceDeployment;
use std::collections::HashMap;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Service deployments in one call (AWS: ECS API reference, DescribeServiceDeployments).
const BATCH: usize = 20;

/// Entries of a listing that are looked at: AWS's own default. Its order is not documented, so the youngest of them counts.
const LISTED: i32 = 20;

/// Which reads share a call.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    /// Whatever has given no trouble.
    Together,
    /// What was denied shares calls with its own cluster only: policies differ by cluster, and one denial refuses the whole call.
    Cluster(&'a str),
    /// What AWS refused may be the fault of one; what must be listed takes calls of its own.
    Alone(&'a ServiceId),
}

#[derive(Debug)]
struct Member {
    id: ServiceId,
    /// `None` if a listing has to tell.
    arn: Option<String>,
    /// PRIMARY deployment of the service by which the ARN was chosen.
    primary: String,
}

#[derive(Debug)]
struct Batch {
    start: u64,
    priority: Priority,
    members: Vec<Member>,
}

/// A call that was refused.
struct Refusal {
    failure: Failure,
    /// It will not mend itself soon.
    lasting: bool,
    /// There is no such service.
    gone: bool,
}

impl<E: ProvideErrorMetadata + Error + 'static> From<CallError<E>> for Refusal {
    fn from(error: CallError<E>) -> Self {
        let denied = matches!(
            error.failure,
            Failure::Waiting {
                reason: Reason::AccessDenied,
                ..
            }
        );
        Self {
            lasting: denied || classify::is_unsupported(&error.error),
            gone: error.error.code() == Some("ServiceNotFoundException"),
            failure: error.failure,
        }
    }
}

impl Inventory {
    /// Reads what is wanted. Never returns.
    pub(super) async fn read_deployments(self: Arc<Self>) {
        self.read_as_admitted(
            Bucket::ServiceDeploymentRead,
            &self.deployment_reads,
            next,
            take_batch,
            |batch| drop(tokio::spawn(Arc::clone(&self).read_deployment_batch(batch))),
        )
        .await;
    }

    async fn read_deployment_batch(self: Arc<Self>, mut batch: Batch) {
        let began = clock::now();
        let answer = match self.list_if_needed(&mut batch).await {
            Ok(()) => self.describe_deployments(&batch).await,
            Err(refusal) => Err(refusal),
        };
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let mut changed = 0;
        for member in &batch.members {
            let Some(record) = state.rollouts.records.get_mut(&member.id) else {
                continue;
            };
            let seen = seen(member, batch.members.len(), &answer);
            let mut news = record.complete(batch.start, seen, began, now, &self.timing);
            let watchers = record.watchers.clone();
            if record.wanted().is_some() {
                state.rollouts.wanted.insert(member.id.clone());
            }
            let readable = match &answer {
                Ok(_) => Some(true),
                Err(refusal) => refusal.lasting.then_some(false),
            };
            // A passing failure tells nothing about it.
            if readable.is_some_and(|readable| state.rollouts.set_readable(&member.id, readable)) {
                changed += 1;
                news = true;
            }
            if news {
                self.wake(&watchers);
            }
        }
        drop(guard);
        match &answer {
            Err(refusal) if changed > 0 => tracing::warn!(
                services = changed,
                failure = %refusal.failure,
                "service deployments cannot be read: rollouts are judged by the services alone"
            ),
            Ok(_) if changed > 0 => {
                tracing::warn!(services = changed, "service deployments can be read again");
            }
            Ok(_) | Err(_) => {}
        }
        self.deployment_reads.notify_one();
    }

    /// Finds the newest service deployment of a service that shows none; it is then alone in its batch.
    async fn list_if_needed(&self, batch: &mut Batch) -> Result<(), Refusal> {
        let [member] = batch.members.as_mut_slice() else {
            return Ok(());
        };
        if member.arn.is_some() {
            return Ok(());
        }
        let (cluster, service) = &member.id;
        let call = self
            .clients
            .ecs
            .list_service_deployments()
            .cluster(cluster)
            .service(service)
            .max_results(LISTED)
            .send();
        let answer = self.calls.send(LIST_SERVICE_DEPLOYMENTS, call).await?;
        let newest = answer
            .service_deployments()
            .iter()
            .max_by_key(|one| one.created_at().and_then(convert::timestamp));
        member.arn = newest
            .and_then(|one| one.service_deployment_arn())
            .map(str::to_owned);
        if let Some(arn) = &member.arn {
            self.lock()
                .rollouts
                .listed(&member.id, &member.primary, arn);
            let bucket = DESCRIBE_SERVICE_DEPLOYMENTS.bucket;
            self.limits.admit(bucket, batch.priority).await;
        }
        Ok(())
    }

    /// What AWS says about each ARN in the batch.
    async fn describe_deployments(
        &self,
        batch: &Batch,
    ) -> Result<HashMap<String, Seen<ServiceDeployment>>, Refusal> {
        let arns: Vec<String> = batch
            .members
            .iter()
            .filter_map(|member| member.arn.clone())
            .collect();
        if arns.is_empty() {
            return Ok(HashMap::new());
        }
        let call = self
            .clients
            .ecs
            .describe_service_deployments()
            .set_service_deployment_arns(Some(arns))
            .send();
        let answer = self.calls.send(DESCRIBE_SERVICE_DEPLOYMENTS, call).await?;
        let mut seen = HashMap::new();
        for failure in answer.failures() {
            let outcome = match failure.reason() {
                Some("MISSING") => Seen::Absent,
                other => Seen::Failed(unclear(other.unwrap_or("a failure without a reason"))),
            };
            seen.insert(failure.arn().unwrap_or_default().to_owned(), outcome);
        }
        for found in answer.service_deployments() {
            if let Some(deployment) = convert::service_deployment(found) {
                seen.insert(deployment.arn.clone(), Seen::Present(deployment));
            }
        }
        Ok(seen)
    }
}

fn seen(
    member: &Member,
    members: usize,
    answer: &Result<HashMap<String, Seen<ServiceDeployment>>, Refusal>,
) -> Seen<ServiceDeployment> {
    match (answer, &member.arn) {
        // Only alone is it clear which service is meant.
        (Err(refusal), _) if refusal.gone && members == 1 => Seen::Absent,
        (Err(refusal), _) => Seen::Failed(refusal.failure.clone()),
        (Ok(_), None) => Seen::Absent,
        (Ok(seen), Some(arn)) => seen.get(arn).cloned().unwrap_or_else(|| {
            Seen::Failed(unclear(
                "the answer does not describe the service deployment",
            ))
        }),
    }
}

fn unclear(message: &str) -> Failure {
    Failure::Ambiguous {
        operation: DESCRIBE_SERVICE_DEPLOYMENTS.name,
        message: message.to_owned(),
    }
}

fn candidates<'a>(state: &'a State, timing: &Timing) -> Vec<Candidate<&'a ServiceId, Group<'a>>> {
    let rollouts = &state.rollouts;
    batch::candidates(
        &rollouts.wanted,
        &rollouts.records,
        timing,
        |id, record, at| {
            let service = state.services.get(id)?;
            // After a write it is Unknown: the ARN it last had is the old one.
            let known = service
                .fact
                .present()
                .filter(|one| one.primary().is_some())?;
            let group = match &record.failure {
                _ if rollouts.arn(id, known).is_none() => Group::Alone(id),
                None => Group::Together,
                Some(failure) if failure.may_pass() => Group::Together,
                Some(failure) if failure.reason() == Reason::AccessDenied => Group::Cluster(&id.0),
                Some(_) => Group::Alone(id),
            };
            // Services come ten at a time; the others of the round are about to be known too.
            let settled = service.read_at().map(|read| read + timing.coalesce_window);
            Some((group, settled.map_or(at, |settled| at.max(settled))))
        },
    )
}

fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    batch::forget_unwanted(&mut state.rollouts.wanted, &state.rollouts.records);
    batch::when(&candidates(state, timing), BATCH, now, timing)
}

fn take_batch(state: &mut State, now: Instant, timing: &Timing) -> Option<Batch> {
    let (chosen, priority) = batch::choose(candidates(state, timing), BATCH, now, timing)?;
    let members: Vec<Member> = chosen
        .into_iter()
        .filter_map(|id| {
            let service = state.services.get(id)?.fact.present()?;
            Some(Member {
                id: id.clone(),
                arn: state.rollouts.arn(id, service).map(str::to_owned),
                primary: service.primary()?.id.clone(),
            })
        })
        .collect();
    let start = state.next();
    for member in &members {
        state.rollouts.wanted.remove(&member.id);
        if let Some(record) = state.rollouts.records.get_mut(&member.id) {
            record.begin(start);
        }
    }
    Some(Batch {
        start,
        priority,
        members,
    })
}

#[cfg(test)]
mod tests;
