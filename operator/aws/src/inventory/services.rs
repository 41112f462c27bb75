//! Reads of ECS services, ten at a time.

use super::reader::Next;
use super::record::{IDLE, Seen};
use super::state::{ServiceId, State};
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Priority};
use crate::operations::DESCRIBE_SERVICES;
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_ecs::operation::describe_services::DescribeServicesOutput;
use aws_sdk_ecs::types::ServiceField;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::{Service, ServiceStatus};
use std::collections::{HashMap, HashSet};
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
                state.wanted_services.insert(id);
            }
        }
        drop(guard);
        self.service_reads.notify_one();
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

/// What to do next. Forgets marks of what is no longer wanted.
fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    let services = &state.services;
    state
        .wanted_services
        .retain(|id| services.get(id).is_some_and(|one| one.wanted().is_some()));
    let mut full: HashMap<&str, usize> = HashMap::new();
    let mut first: Option<Priority> = None;
    let mut soonest: Option<Instant> = None;
    for id in &state.wanted_services {
        let Some((wanted, at)) = services
            .get(id)
            .and_then(|record| Some((record.wanted()?, record.ready_at(timing)?)))
        else {
            continue;
        };
        // A full batch has nothing to wait for.
        if at <= now + timing.coalesce_window {
            *full.entry(id.0.as_str()).or_default() += 1;
        }
        if at <= now {
            first = Some(match first {
                Some(best) if !wanted.priority.is_before(best) => best,
                _ => wanted.priority,
            });
        } else {
            soonest = Some(soonest.map_or(at, |other| other.min(at)));
        }
    }
    if let Some(priority) = first {
        return Next::Read(priority);
    }
    let is_full = full.values().any(|&count| count >= BATCH);
    match soonest {
        Some(at) if is_full && at <= now + timing.coalesce_window => {
            best_wanted(state, timing, now).map_or(Next::At(at), Next::Read)
        }
        Some(at) => Next::At(at),
        None => Next::At(now + IDLE),
    }
}

/// The most urgent read that could begin within the coalescing window.
fn best_wanted(state: &State, timing: &Timing, now: Instant) -> Option<Priority> {
    state
        .wanted_services
        .iter()
        .filter_map(|id| state.services.get(id))
        .filter(|record| {
            record
                .ready_at(timing)
                .is_some_and(|at| at <= now + timing.coalesce_window)
        })
        .filter_map(|record| record.wanted().map(|wanted| wanted.priority))
        .min_by_key(|priority| priority.order())
}

/// Chooses the members of a batch: the most urgent service that is ready (or nearly), and what else its cluster has.
fn take_batch(state: &mut State, now: Instant, timing: &Timing) -> Option<Batch> {
    let soon = now + timing.coalesce_window;
    let mut ready: Vec<(Priority, Instant, ServiceId)> = state
        .wanted_services
        .iter()
        .filter_map(|id| {
            let record = state.services.get(id)?;
            let at = record.ready_at(timing).filter(|at| *at <= soon)?;
            Some((record.wanted()?.priority, at, id.clone()))
        })
        .collect();
    ready.sort_by(|a, b| a.0.order().cmp(&b.0.order()).then(a.2.cmp(&b.2)));
    let cluster = ready.first()?.2.0.clone();
    let mut names = Vec::with_capacity(BATCH);
    let mut taken = HashSet::new();
    for (_, _, id) in ready
        .into_iter()
        .filter(|(_, _, id)| id.0 == cluster)
        .take(BATCH)
    {
        names.push(id.1.clone());
        taken.insert(id);
    }
    let start = state.next();
    for id in taken {
        state.wanted_services.remove(&id);
        if let Some(record) = state.services.get_mut(&id) {
            record.begin(start);
        }
    }
    Some(Batch {
        start,
        cluster,
        names,
    })
}
