//! The queue that EventBridge sends ECS events to, read all the time: what happened is looked at when it happens and not with the next sweep.
//!
//! In: SQS messages. Out: services of the inventory that are to be read again. Calls SQS; reads of ECS are the inventory's.
//!
//! Invariants: an event says where to look and nothing else (EventBridge delivers at least once, and not in order); its message is deleted only
//! after that look is wanted; a message that is no event of ECS stays in the queue, because somebody else may have put it there for a reason.

mod event;
mod health;

use crate::calls::{CallError, Calls};
use crate::clock;
use crate::inventory::Inventory;
use crate::limits::{Lane, Limits, Priority};
use crate::operations::{DELETE_EVENTS, RECEIVE_EVENTS};
use crate::timing::Timing;
use aws_sdk_sqs::types::DeleteMessageBatchRequestEntry;
use event::{Happened, Message};
use health::Health;
use privateservice_core::failure::Failure;
use std::collections::BTreeSet;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::task::AbortHandle;
use tokio::time::Instant;

/// Messages in one answer and in one deletion (SQS API reference, ReceiveMessage and DeleteMessageBatch).
const MESSAGES: i32 = 10;

/// A queue that is being read, until this is dropped.
#[derive(Debug)]
pub struct EventQueue {
    health: Arc<Mutex<Health>>,
    task: AbortHandle,
}

impl EventQueue {
    /// Why the queue cannot be read, if it cannot; one call that goes wrong for a moment is no trouble.
    pub fn trouble(&self) -> Option<Failure> {
        let health = self.health.lock().unwrap_or_else(PoisonError::into_inner);
        health.trouble().cloned()
    }
}

impl Drop for EventQueue {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What a look into the queue came to.
enum Found {
    /// Events of ECS.
    Events,
    /// Nothing that is for us.
    Nothing,
}

/// Reads one queue.
pub(crate) struct Reader {
    pub(crate) url: String,
    pub(crate) client: aws_sdk_sqs::Client,
    pub(crate) limits: Arc<Limits>,
    pub(crate) calls: Arc<Calls>,
    pub(crate) inventory: Arc<Inventory>,
    pub(crate) timing: Timing,
    /// Called when trouble with the queue begins or ends.
    pub(crate) on_change: Box<dyn Fn() + Send + Sync>,
}

impl fmt::Debug for Reader {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_struct("Reader")
            .field("url", &self.url)
            .finish_non_exhaustive()
    }
}

impl Reader {
    /// Begins to read; must be called on a tokio runtime.
    pub(crate) fn start(self) -> EventQueue {
        let health = Arc::new(Mutex::default());
        let task = tokio::spawn(self.run(Arc::clone(&health))).abort_handle();
        EventQueue { health, task }
    }

    async fn run(self, health: Arc<Mutex<Health>>) {
        loop {
            let began = Instant::now();
            let ended = self.round().await;
            // AWS holds the request open while there is nothing; whoever does not, and a queue of something else, is not asked without pause.
            let rest = match ended {
                Ok(Found::Nothing) => self.timing.event_spacing.saturating_sub(began.elapsed()),
                Ok(Found::Events) | Err(_) => Duration::ZERO,
            };
            let (changed, trouble, pause) = {
                let mut health = health.lock().unwrap_or_else(PoisonError::into_inner);
                let changed = health.note(ended.map(drop));
                (
                    changed,
                    health.trouble().cloned(),
                    health.pause(&self.timing),
                )
            };
            if changed {
                if let Some(failure) = trouble {
                    tracing::warn!(
                        queue = self.url, %failure,
                        "the event queue cannot be read: changes are seen with the next sweep"
                    );
                } else {
                    tracing::info!(queue = self.url, "the event queue is read again");
                }
                (self.on_change)();
            }
            tokio::time::sleep(pause.max(rest)).await;
        }
    }

    /// Waits for messages, has looked at what they are about, and deletes them.
    async fn round(&self) -> Result<Found, Failure> {
        let wait = i32::try_from(self.timing.event_wait.as_secs()).unwrap_or(i32::MAX);
        self.limits.admit(RECEIVE_EVENTS.bucket, priority()).await;
        let call = self
            .client
            .receive_message()
            .queue_url(&self.url)
            .max_number_of_messages(MESSAGES)
            .wait_time_seconds(wait)
            .send();
        let answer = self.calls.send(RECEIVE_EVENTS, Box::pin(call)).await;
        let mut happened = BTreeSet::new();
        let mut done = Vec::new();
        for message in answer.map_err(CallError::into_failure)?.messages() {
            match event::read(message.body().unwrap_or_default()) {
                Message::Of(one) => drop(happened.insert(one)),
                Message::Elsewhere => {}
                Message::Foreign => {
                    tracing::debug!(queue = self.url, "a message is no event of ECS: it stays");
                    continue;
                }
            }
            done.extend(message.receipt_handle().map(str::to_owned));
        }
        for Happened {
            cluster,
            service,
            deployment,
        } in happened
        {
            self.inventory.happened(&cluster, &service, deployment);
        }
        if done.is_empty() {
            return Ok(Found::Nothing);
        }
        self.delete(done).await?;
        Ok(Found::Events)
    }

    /// What is not deleted comes again, and is looked at again.
    async fn delete(&self, receipts: Vec<String>) -> Result<(), Failure> {
        let entries: Vec<DeleteMessageBatchRequestEntry> = receipts
            .into_iter()
            .enumerate()
            .filter_map(|(number, receipt)| {
                DeleteMessageBatchRequestEntry::builder()
                    .id(number.to_string())
                    .receipt_handle(receipt)
                    .build()
                    .ok()
            })
            .collect();
        self.limits.admit(DELETE_EVENTS.bucket, priority()).await;
        let call = self
            .client
            .delete_message_batch()
            .queue_url(&self.url)
            .set_entries(Some(entries))
            .send();
        let sent = self.calls.send(DELETE_EVENTS, Box::pin(call)).await;
        let answer = sent.map_err(CallError::into_failure)?;
        match answer.failed().first() {
            None => Ok(()),
            Some(left) => Err(Failure::Ambiguous {
                operation: DELETE_EVENTS.name,
                message: format!("messages stay in the queue: {}", left.code()),
            }),
        }
    }
}

fn priority() -> Priority {
    Priority {
        lane: Lane::Polling,
        since: clock::now(),
    }
}

/// How long a request for events may take: as long as AWS may hold it open, and an ordinary call after that.
pub(crate) fn patience(timing: &Timing) -> Duration {
    timing.event_wait + timing.call_timeout
}
