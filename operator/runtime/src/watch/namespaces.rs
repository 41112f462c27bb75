//! What a change of a Kubernetes namespace's labels means: its PrivateServices may be allowed elsewhere now. Sends keys; no IO.

use super::Listener;
use crate::context::Context;
use crate::kind;
use k8s_openapi::api::core::v1::Namespace;
use kube::ResourceExt;
use kube::core::PartialObjectMeta;
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// Wakes the PrivateServices of a namespace whose labels changed.
pub(crate) struct NamespaceListener {
    context: Arc<Context>,
    known: HashMap<String, BTreeMap<String, String>>,
}

impl NamespaceListener {
    pub(crate) fn new(context: Arc<Context>) -> Self {
        Self {
            context,
            known: HashMap::new(),
        }
    }

    fn wake_all_of(&self, namespace: &str) {
        for object in self.context.services.state() {
            if object.metadata.namespace.as_deref() == Some(namespace) {
                self.context.wake(kind::key(&*object));
            }
        }
    }
}

impl Listener<PartialObjectMeta<Namespace>> for NamespaceListener {
    fn applied(&mut self, namespace: &PartialObjectMeta<Namespace>) {
        let name = namespace.name_any();
        let labels = namespace.labels().clone();
        if self.known.get(&name) != Some(&labels) {
            self.wake_all_of(&name);
            self.known.insert(name, labels);
        }
    }

    fn gone(&mut self, key: &ObjectKey) {
        // Its PrivateServices go with it, each by an event of its own.
        self.known.remove(&key.name);
    }
}
