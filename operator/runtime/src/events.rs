//! Kubernetes Events: which transitions are worth one (pure), and a queue from which one task publishes them.
//!
//! Invariants: publishing never delays or fails a pass; nothing is told that did not change.

use crate::kind::Kind;
use k8s_openapi::api::core::v1::ObjectReference;
use kube::runtime::events::{Event as KubeEvent, EventType, Recorder, Reporter};
use kube::{Client, ResourceExt};
use privateservice_api::meta;
use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

mod transitions;

pub use transitions::{environment_events, transition_events};

/// Events that may wait to be published; more are dropped. A mass creation makes some thousands, and the API server takes hundreds a
/// second.
const QUEUE: usize = 4096;
/// Longest note (Kubernetes: events.k8s.io/v1, `note` is limited to 1 kB).
const NOTE_LIMIT: usize = 1000;
/// Time limit of publishing one.
const PUBLISH_TIMEOUT: Duration = Duration::from_secs(10);

/// Something worth telling about an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// True for type Warning.
    pub warning: bool,
    /// CamelCase, from a closed set.
    pub reason: String,
    /// One sentence.
    pub message: String,
    /// What was being done: one word, from a closed set.
    pub action: &'static str,
}

impl Event {
    /// An Event of type Normal.
    pub fn normal(reason: &str, message: impl Into<String>, action: &'static str) -> Self {
        Self {
            warning: false,
            reason: reason.into(),
            message: message.into(),
            action,
        }
    }

    /// An Event of type Warning.
    pub fn warning(reason: &str, message: impl Into<String>, action: &'static str) -> Self {
        Self {
            warning: true,
            ..Self::normal(reason, message, action)
        }
    }
}

/// Where Events are handed in.
#[derive(Clone, Debug)]
pub struct Events {
    queue: mpsc::Sender<(ObjectReference, Event)>,
    closed: CancellationToken,
    seen: Arc<Mutex<HashSet<Seen>>>,
}

/// A notice is told once per object and generation.
type Seen = (String, i64, String, String);

impl Events {
    /// The queue, and the future that publishes from it; that one ends once the queue is closed and empty.
    pub fn new(client: Client) -> (Self, impl Future<Output = ()>) {
        let (queue, mut waiting) = mpsc::channel::<(ObjectReference, Event)>(QUEUE);
        let closed = CancellationToken::new();
        let close = closed.clone();
        let publishing = async move {
            let recorder = Recorder::new(client, Reporter::from(meta::FIELD_MANAGER));
            loop {
                let next = tokio::select! {
                    biased;
                    next = waiting.recv() => next,
                    () = close.cancelled() => None,
                };
                let Some((object, event)) = next else { break };
                let event = kube_event(&event);
                let publish = recorder.publish(&event, &object);
                let error = match tokio::time::timeout(PUBLISH_TIMEOUT, publish).await {
                    Ok(Ok(())) => continue,
                    Ok(Err(error)) => error.to_string(),
                    Err(_) => "no answer in time".to_owned(),
                };
                tracing::debug!(error, reason = event.reason, "event not published");
            }
        };
        (
            Self {
                queue,
                closed,
                seen: Arc::default(),
            },
            publishing,
        )
    }

    /// Takes no more Events; those that wait are still published.
    pub fn close(&self) {
        self.closed.cancel();
    }

    /// Publishes an Event about an object, soon.
    pub fn publish<K: Kind>(&self, object: &K, event: Event) {
        if self
            .queue
            .try_send((object.object_ref(&()), event))
            .is_err()
        {
            tracing::debug!("event dropped: too many are waiting");
        }
    }

    /// Publishes a Warning the first time it holds for this generation of the object in this process.
    pub fn notice<K: Kind>(&self, object: &K, reason: &str, message: &str) {
        let seen = (
            object.uid().unwrap_or_default(),
            object.meta().generation.unwrap_or_default(),
            reason.to_owned(),
            message.to_owned(),
        );
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        // Notices of older generations are over.
        if all.insert(seen.clone()) {
            all.retain(|(uid, generation, ..)| *uid != seen.0 || *generation == seen.1);
            drop(all);
            self.publish(object, Event::warning(reason, message, "Resolve"));
        }
    }

    /// Forgets the notices of an object that is gone.
    pub fn forget(&self, uid: &str) {
        let mut all = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|(known, ..)| known != uid);
    }
}

fn kube_event(event: &Event) -> KubeEvent {
    KubeEvent {
        type_: if event.warning {
            EventType::Warning
        } else {
            EventType::Normal
        },
        reason: event.reason.clone(),
        note: Some(shortened(&event.message)),
        action: event.action.into(),
        secondary: None,
    }
}

fn shortened(message: &str) -> String {
    if message.len() <= NOTE_LIMIT {
        return message.to_owned();
    }
    let end = (0..=NOTE_LIMIT - '…'.len_utf8())
        .rev()
        .find(|&index| message.is_char_boundary(index))
        .unwrap_or(0);
    format!("{}…", message.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_note_is_cut_between_characters() {
        let note = shortened(&"ä".repeat(NOTE_LIMIT));
        assert!(note.len() <= NOTE_LIMIT && note.ends_with('…'));
        assert_eq!(shortened("short"), "short");
    }
}
