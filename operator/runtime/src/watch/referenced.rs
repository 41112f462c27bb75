//! What a change of an object means that PrivateServices refer to: those that do are looked at again. Sends keys; no IO.

use super::Listener;
use crate::context::Context;
use crate::kind;
use crate::referenced::Referable;
use kube::core::PartialObjectMeta;
use privateservice_core::owner::ObjectKey;
use std::collections::HashMap;
use std::marker::PhantomData;
use std::sync::Arc;

/// Wakes who refers to an object of this kind.
pub(crate) struct ReferencedListener<K> {
    context: Arc<Context>,
    /// Versions of those that somebody refers to.
    known: HashMap<ObjectKey, Option<String>>,
    kind: PhantomData<K>,
}

impl<K: Referable> ReferencedListener<K> {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            known: HashMap::new(),
            kind: PhantomData,
        }
    }

    fn wake_users(&self, key: &ObjectKey) -> bool {
        let users = K::users(&self.context.index, key);
        let any = !users.is_empty();
        for user in users {
            self.context.wake(user);
        }
        any
    }
}

impl<K: Referable> Listener<PartialObjectMeta<K>> for ReferencedListener<K> {
    fn applied(&mut self, object: &PartialObjectMeta<K>) {
        let key = kind::key(object);
        let version = &object.metadata.resource_version;
        if self.known.get(&key) == Some(version) {
            return;
        }
        if self.wake_users(&key) {
            self.known.insert(key, version.clone());
        } else {
            self.known.remove(&key);
        }
    }

    fn gone(&mut self, key: &ObjectKey) {
        self.known.remove(key);
        if let Some(kept) = K::of(&self.context) {
            kept.forget(key);
        }
        self.wake_users(key);
    }
}
