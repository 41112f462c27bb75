//! Reads of ECS services, ten at a time.

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::Seen;
use super::state::{ServiceId, State};
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::Bucket;
use crate::operations::DESCRIBE_SERVICES;
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_ecs::operation::describe_services::DescribeServicesOutput;
use aws_sdk_ecs::types::ServiceField;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::{Service, ServiceStatus};
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

/// Services in one call (AWS: ECS API reference, DescribeServices).
const BATCH: usize = 10;

/// Services of one cluster that are read by one call.
#[derive(Debug)]
struct Batch {
    start: u64,
    cluster: String,
    names: Vec<String>,
}

impl Inventory {
    /// Reads what is wanted. The members of a batch are chosen only when its call is admitted, so that the most urgent ones are
    /// in it and it is as full as can be. Never returns.
    pub(super) async fn read_services(self: Arc<Self>) {
        self.read_as_admitted(
            Bucket::ServiceRead,
            &self.service_reads,
            next,
            take_batch,
            |batch| drop(tokio::spawn(Arc::clone(&self).read_batch(batch))),
        )
        .await;
    }

    async fn read_batch(self: Arc<Self>, batch: Batch) {
        let began = clock::now();
        let call = self
            .clients
            .ecs
            .describe_services()
            .cluster(&batch.cluster)
            .set_services(Some(batch.names.clone()))
            .include(ServiceField::Tags)
            .send();
        let mut seen = read(&batch, self.calls.send(DESCRIBE_SERVICES, call).await);
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        for name in &batch.names {
            let id = (batch.cluster.clone(), name.clone());
            let Some(record) = state.services.get_mut(&id) else {
                continue;
            };
            let outcome = seen.remove(name).unwrap_or_else(|| Seen::Failed(silent()));
            if record.complete(batch.start, outcome, began, now, &self.timing) {
                self.wake(&record.watchers);
            }
            if record.wanted().is_some() {
                state.wanted_services.insert(id.clone());
            }
            if let Some(service) = record.fact.present() {
                state.sequence += 1;
                state.rollouts.service_seen(&id, service, state.sequence);
            }
        }
        drop(guard);
        self.service_reads.notify_one();
        // Some may have waited until their service is known.
        self.deployment_reads.notify_one();
    }
}

/// What an answer says about each name in the batch. A name it does not mention at all is left out: an empty page proves nothing.
fn read<E>(
    batch: &Batch,
    result: Result<DescribeServicesOutput, CallError<E>>,
) -> HashMap<String, Seen<Service>> {
    let answer = match result {
        Ok(answer) => answer,
        Err(error) => {
            let failed = |name: &String| (name.clone(), Seen::Failed(error.failure.clone()));
            return batch.names.iter().map(failed).collect();
        }
    };
    let mut seen = HashMap::new();
    for failure in answer.failures() {
        let name = failure
            .arn()
            .map(names::last_segment)
            .unwrap_or_default()
            .to_owned();
        let outcome = match failure.reason() {
            Some("MISSING") => Seen::Absent,
            other => Seen::Failed(Failure::Ambiguous {
                operation: DESCRIBE_SERVICES.name,
                message: other.unwrap_or("a failure without a reason").to_owned(),
            }),
        };
        seen.insert(name, outcome);
    }
    for found in answer.services() {
        let name = found
            .service_name()
            .or(found.service_arn().map(names::last_segment));
        let (Some(name), Some(service)) = (name, convert::observed_service(found)) else {
            continue;
        };
        // Of two with one name (one deleted a while ago) the living one counts.
        let gone = service.status == ServiceStatus::Inactive;
        if !(gone && matches!(seen.get(name), Some(Seen::Present(_)))) {
            seen.insert(name.to_owned(), Seen::Present(service));
        }
    }
    seen
}

fn silent() -> Failure {
    Failure::Ambiguous {
        operation: DESCRIBE_SERVICES.name,
        message: "the answer does not mention the service".to_owned(),
    }
}

/// Services of one cluster share a call.
fn candidates<'a>(state: &'a State, timing: &Timing) -> Vec<Candidate<&'a ServiceId, &'a str>> {
    let (wanted, records) = (&state.wanted_services, &state.services);
    batch::candidates(wanted, records, timing, |id, _, at| {
        Some((id.0.as_str(), at))
    })
}

fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    batch::forget_unwanted(&mut state.wanted_services, &state.services);
    batch::when(&candidates(state, timing), BATCH, now, timing)
}

fn take_batch(state: &mut State, now: Instant, timing: &Timing) -> Option<Batch> {
    let (chosen, _) = batch::choose(candidates(state, timing), BATCH, now, timing)?;
    let chosen: Vec<ServiceId> = chosen.into_iter().cloned().collect();
    let cluster = chosen.first()?.0.clone();
    let start = state.next();
    for id in &chosen {
        state.wanted_services.remove(id);
        if let Some(record) = state.services.get_mut(id) {
            record.begin(start);
        }
    }
    Some(Batch {
        start,
        cluster,
        names: chosen.into_iter().map(|(_, name)| name).collect(),
    })
}
