//! Reads of stopped tasks, one service at a time, on demand only: evidence of why something fails, while ECS still keeps it.

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::Seen;
use super::state::{ServiceId, State};
use super::{Inventory, now};
use crate::limits::{Bucket, Priority};
use crate::operations::{DESCRIBE_TASKS, LIST_TASKS};
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::DesiredStatus;
use privateservice_api::conditions::Reason;
use privateservice_core::failure::Failure;
use privateservice_core::observed::StoppedTasks;
use std::sync::Arc;
use std::time::Instant;

/// Pages of 100 ARNs that are read: 300 tasks stopped within the hour tell enough. ListTasks has no order, so all of them are described.
const MOST_PAGES: usize = 3;

/// Tasks in one call (AWS: ECS API reference, DescribeTasks), and ARNs on a page (ListTasks).
const BATCH: usize = 100;

/// A read that begins.
#[derive(Debug)]
struct Read {
    id: ServiceId,
    start: u64,
    priority: Priority,
}

impl Inventory {
    /// Reads what is wanted. Never returns.
    pub(super) async fn read_stopped(self: Arc<Self>) {
        self.read_as_admitted(
            Bucket::ClusterResourceRead,
            &self.stopped_reads,
            next,
            take,
            |read| drop(tokio::spawn(Arc::clone(&self).read_stopped_of(read))),
        )
        .await;
    }

    async fn read_stopped_of(self: Arc<Self>, read: Read) {
        let began = clock::now();
        let seen = match self.stopped_tasks(&read).await {
            Ok(Some(tasks)) => Seen::Present(tasks),
            Ok(None) => Seen::Absent,
            Err(failure) => Seen::Failed(failure),
        };
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        if let Some(record) = state.stopped.get_mut(&read.id) {
            if let Seen::Failed(failure) = &seen
                && failure.reason() == Reason::AccessDenied
                && record.failure.is_none()
            {
                tracing::warn!(%failure, "stopped tasks cannot be read: failures are told without their evidence");
            }
            if record.complete(read.start, seen, began, now, &self.timing) {
                self.wake(&record.watchers);
            }
            if record.wanted().is_some() {
                state.wanted_stopped.insert(read.id);
            }
        }
        drop(guard);
        self.stopped_reads.notify_one();
    }

    /// The stopped tasks of a service; `None` if there is no such service. The first call is admitted already.
    async fn stopped_tasks(&self, read: &Read) -> Result<Option<StoppedTasks>, Failure> {
        let (cluster, service) = &read.id;
        let mut arns = Vec::new();
        let mut token: Option<String> = None;
        for page in 0..MOST_PAGES {
            let request = self
                .clients
                .ecs
                .list_tasks()
                .cluster(cluster)
                .service_name(service)
                .desired_status(DesiredStatus::Stopped)
                .set_next_token(token.take());
            let call = || request.clone().send();
            match self.page(page, LIST_TASKS, read.priority, call).await {
                Ok(answer) => {
                    arns.extend_from_slice(answer.task_arns());
                    token = answer.next_token;
                }
                Err(error) if error.error.code() == Some("ServiceNotFoundException") => {
                    return Ok(None);
                }
                Err(error) => return Err(error.failure),
            }
            if token.is_none() {
                break;
            }
        }
        let mut tasks = Vec::new();
        for portion in arns.chunks(BATCH) {
            let request = self
                .clients
                .ecs
                .describe_tasks()
                .cluster(cluster)
                .set_tasks(Some(portion.to_vec()));
            // A task that is MISSING was forgotten by ECS in between.
            let answer = self
                .further(DESCRIBE_TASKS, read.priority, || request.clone().send())
                .await?;
            tasks.extend(answer.tasks.unwrap_or_default());
        }
        Ok(Some(convert::stopped_tasks(&tasks)))
    }
}

/// Each read is a call of its own: nothing is gained by waiting for others.
fn candidates<'a>(
    state: &'a State,
    timing: &Timing,
) -> Vec<Candidate<&'a ServiceId, &'a ServiceId>> {
    let (wanted, records) = (&state.wanted_stopped, &state.stopped);
    batch::candidates(wanted, records, timing, |id, _, at| Some((id, at)))
}

fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    batch::forget_unwanted(&mut state.wanted_stopped, &state.stopped);
    batch::when(&candidates(state, timing), 1, now, timing)
}

fn take(state: &mut State, now: Instant, timing: &Timing) -> Option<Read> {
    let (chosen, priority) = batch::choose(candidates(state, timing), 1, now, timing)?;
    let id = chosen.into_iter().next()?.clone();
    let start = state.next();
    state.wanted_stopped.remove(&id);
    state.stopped.get_mut(&id)?.begin(start);
    Some(Read {
        id,
        start,
        priority,
    })
}
