//! What a change of a PrivateService means to others. Sends keys to queues; no IO.

use super::Listener;
use crate::context::Context;
use crate::index::{self, Entry};
use crate::kind;
use crate::privateservice::wave_without;
use crate::referenced::Referable;
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use kube::ResourceExt;
use privateservice_api::{PrivateService, meta};
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeSet, HashMap};
use std::sync::Arc;

/// Wakes the object itself and everybody it matters to.
pub(crate) struct ServiceListener {
    context: Arc<Context>,
    known: HashMap<ObjectKey, Fingerprint>,
}

/// What a pass depends on, without the status: our own writes wake nobody.
#[derive(Clone, Debug, PartialEq)]
struct Fingerprint {
    uid: Option<String>,
    generation: Option<i64>,
    deleted: Option<Time>,
    finalizers: Vec<String>,
    asked: [Option<String>; 5],
}

/// Annotations by which a user asks for something.
const ASKING: [&str; 5] = [
    meta::RECONCILE_AT,
    meta::FLUX_REQUESTED_AT,
    meta::REDEPLOY_AT,
    meta::ABORT_AT,
    meta::ROLLBACK_TO,
];

impl Fingerprint {
    fn of(object: &PrivateService) -> Self {
        let asked = ASKING.map(|name| object.annotations().get(name).cloned());
        Self {
            uid: object.uid(),
            generation: object.metadata.generation,
            deleted: object.metadata.deletion_timestamp.clone(),
            finalizers: object.finalizers().to_vec(),
            asked,
        }
    }
}

impl ServiceListener {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            known: HashMap::new(),
        }
    }

    /// What is in objects that it referred to is kept only for as long as somebody else does, or it still does.
    fn forget_unused(&self, key: &ObjectKey, before: Option<&Entry>) {
        if let Some(before) = before {
            self.forget_unused_of::<ConfigMap>(key, &before.config_maps);
            self.forget_unused_of::<Secret>(key, &before.secrets);
        }
    }

    fn forget_unused_of<K: Referable>(&self, key: &ObjectKey, names: &BTreeSet<String>) {
        let Some(kept) = K::of(&self.context) else {
            return;
        };
        for name in names {
            let referenced = index::beside(key, name);
            if K::users(&self.context.index, &referenced).is_empty() {
                kept.forget(&referenced);
            }
        }
    }

    /// Those whose own state depends on this object being there and on its ports: who refers to it, and who wants its name.
    fn wake_others(&self, key: &ObjectKey) {
        let index = &self.context.index;
        for other in index
            .dependents(&key.name)
            .into_iter()
            .chain(index.namesakes(&key.name))
        {
            if other != *key {
                self.context.wake(other);
            }
        }
    }
}

impl Listener<PrivateService> for ServiceListener {
    fn applied(&mut self, object: &PrivateService) {
        let key = kind::key(object);
        let entry = Entry::of(object, self.context.config.default_environment.as_deref());
        let environment = entry.environment.clone();
        let before = self.context.index.put(&key, entry);
        self.forget_unused(&key, before.as_ref());
        let moved = before
            .as_ref()
            .is_none_or(|before| before.environment != environment);
        if moved {
            // It counts its services.
            let old = before.and_then(|before| before.environment);
            for name in old.into_iter().chain(environment) {
                self.context.wake_environment(name);
            }
        }
        let fingerprint = Fingerprint::of(object);
        if self.known.get(&key) == Some(&fingerprint) {
            return;
        }
        self.known.insert(key.clone(), fingerprint);
        self.wake_others(&key);
        self.context.wake(key);
    }

    fn gone(&mut self, key: &ObjectKey) {
        let uid = self.known.remove(key).and_then(|known| known.uid);
        self.wake_others(key);
        let entry = self.context.index.remove(key);
        self.forget_unused(key, entry.as_ref());
        if let Some(environment) = entry.and_then(|entry| entry.environment) {
            wave_without(&self.context, Some(&environment), key);
            self.context.wake_environment(environment);
        }
        for (_, account) in self.context.connector.accounts() {
            account.forget(key);
        }
        self.context.service_statuses.forget(key);
        self.context.remembered.lock().remove(key);
        if let Some(uid) = uid {
            self.context.events.forget(&uid);
        }
    }
}
