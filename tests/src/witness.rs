//! A witness of every version of every object of ours: it watches from the start of a world and holds each version against the
//! rules. Does IO.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures::StreamExt;
use kube::api::{ApiResource, DynamicObject};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, ResourceExt};
use privateservice_api::{Environment, PrivateService};
use serde_json::json;
use tokio::task::JoinHandle;

use crate::rules;

/// See the top of this file. Dropping it ends the watch.
#[derive(Debug)]
pub(crate) struct Witness {
    seen: Arc<Mutex<Seen>>,
    tasks: Vec<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Seen {
    objects: BTreeMap<String, DynamicObject>,
    violations: Vec<String>,
    versions: usize,
    /// Values of Secrets, which no object of ours may hold.
    marked: Vec<String>,
}

impl Witness {
    pub(crate) fn start(client: &Client) -> Self {
        let mut witness = Self {
            seen: Arc::default(),
            tasks: Vec::new(),
        };
        witness.start_again(client);
        witness
    }

    /// Goes on with another client, after [`Witness::stop`].
    pub(crate) fn start_again(&mut self, client: &Client) {
        let kinds = [
            ApiResource::erase::<PrivateService>(&()),
            ApiResource::erase::<Environment>(&()),
        ];
        for kind in kinds {
            let api: Api<DynamicObject> = Api::all_with(client.clone(), &kind);
            let seen = Arc::clone(&self.seen);
            self.tasks.push(tokio::spawn(async move {
                let mut events = watcher(api, watcher::Config::default())
                    .default_backoff()
                    .boxed();
                while let Some(event) = events.next().await {
                    // Deletions leave nothing to look at; a broken watch starts again by itself.
                    if let Ok(watcher::Event::Apply(object) | watcher::Event::InitApply(object)) =
                        event
                    {
                        locked(&seen).look_at(object);
                    }
                }
            }));
        }
    }

    pub(crate) fn stop(&mut self) {
        for task in self.tasks.drain(..) {
            task.abort();
        }
    }

    /// Takes note of a value of a Secret: an object that holds it from now on breaks a rule.
    pub(crate) fn mark(&self, value: &str) {
        locked(&self.seen).marked.push(value.to_owned());
    }

    /// The values of Secrets that there were.
    pub(crate) fn marked(&self) -> Vec<String> {
        locked(&self.seen).marked.clone()
    }

    /// What was wrong so far, each thing once.
    pub(crate) fn violations(&self) -> Vec<String> {
        locked(&self.seen).violations.clone()
    }

    /// How many versions of objects were looked at.
    pub(crate) fn versions(&self) -> usize {
        locked(&self.seen).versions
    }

    /// The conditions of every object when it was last seen, for messages.
    pub(crate) fn last_seen(&self) -> String {
        let seen = locked(&self.seen);
        let lines = seen.objects.values().map(|object| {
            let conditions = rules::conditions(object);
            let words: Vec<String> = conditions
                .iter()
                .map(|one| {
                    format!(
                        "{}={} {}: {}",
                        one.type_, one.status, one.reason, one.message
                    )
                })
                .collect();
            let rollout = object
                .data
                .pointer("/status/rollout")
                .cloned()
                .unwrap_or(json!(null));
            format!(
                "  {}: {}; rollout {rollout}",
                object.name_any(),
                words.join("; ")
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    }
}

impl Seen {
    fn look_at(&mut self, object: DynamicObject) {
        self.versions += 1;
        let uid = object.uid().unwrap_or_default();
        let mut violations = rules::violations(&object, self.objects.get(&uid));
        let text = object.data.to_string();
        if self
            .marked
            .iter()
            .any(|value| text.contains(value.as_str()))
        {
            violations.push(format!("{} holds a value of a Secret", object.name_any()));
        }
        for violation in violations {
            if !self.violations.contains(&violation) {
                self.violations.push(violation);
            }
        }
        self.objects.insert(uid, object);
    }
}

impl Drop for Witness {
    fn drop(&mut self) {
        self.stop();
    }
}

fn locked(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap_or_else(PoisonError::into_inner)
}
