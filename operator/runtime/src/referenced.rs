//! What is in the objects that PrivateServices refer to. Reads Kubernetes.
//!
//! Invariant: of objects nobody refers to only metadata is kept. A watch of metadata tells when something changed; the content is read when
//! a pass needs it and it is not the version that is kept.

use crate::context::Context;
use crate::index::Index;
use crate::locked::Locked;
use crate::status::{WriteError, within_deadline};
use k8s_openapi::api::core::v1::{ConfigMap, Secret};
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, Resource};
use privateservice_core::owner::ObjectKey;
use privateservice_core::resolve::ObjectData;
use serde::de::DeserializeOwned;
use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::Arc;

/// A kind of objects with content that is referred to.
pub(crate) trait Referable:
    Resource<DynamicType = (), Scope = NamespaceResourceScope>
    + Clone
    + Debug
    + DeserializeOwned
    + Send
    + Sync
    + 'static
{
    /// The content of one.
    fn content(self) -> ObjectData;

    /// The PrivateServices that refer to one.
    fn users(index: &Index, key: &ObjectKey) -> Vec<ObjectKey>;

    /// The kept ones, if this kind is read at all.
    fn of(context: &Context) -> Option<&Referenced<Self>>;
}

impl Referable for ConfigMap {
    fn content(self) -> ObjectData {
        ObjectData {
            text: self.data.unwrap_or_default(),
            binary: self.binary_data.unwrap_or_default().into_keys().collect(),
        }
    }

    fn users(index: &Index, key: &ObjectKey) -> Vec<ObjectKey> {
        index.config_map_users(key)
    }

    fn of(context: &Context) -> Option<&Referenced<Self>> {
        Some(&context.config_maps)
    }
}

impl Referable for Secret {
    /// What is UTF-8 without a NUL is text, as a variable takes it.
    fn content(self) -> ObjectData {
        let mut content = ObjectData::default();
        for (key, bytes) in self.data.unwrap_or_default() {
            match String::from_utf8(bytes.0) {
                Ok(text) if !text.contains('\0') => drop(content.text.insert(key, text)),
                Ok(_) | Err(_) => drop(content.binary.insert(key)),
            }
        }
        content
    }

    fn users(index: &Index, key: &ObjectKey) -> Vec<ObjectKey> {
        index.secret_users(key)
    }

    fn of(context: &Context) -> Option<&Referenced<Self>> {
        context.secrets.as_ref()
    }
}

/// The contents of one kind.
pub(crate) struct Referenced<K: Referable> {
    client: Client,
    seen: Store<PartialObjectMeta<K>>,
    kept: Locked<HashMap<ObjectKey, Kept>>,
}

#[derive(Debug)]
struct Kept {
    version: Option<String>,
    content: Arc<ObjectData>,
}

impl<K: Referable> Debug for Referenced<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Referenced")
            .field("kept", &self.kept.lock().len())
            .finish_non_exhaustive()
    }
}

impl<K: Referable> Referenced<K> {
    /// Nothing kept, beside a cache of metadata.
    pub(crate) fn new(client: Client, seen: Store<PartialObjectMeta<K>>) -> Self {
        Self {
            client,
            seen,
            kept: Locked::default(),
        }
    }

    /// Waits until all metadata is there.
    pub(crate) async fn wait_until_ready(&self) {
        // An error means that the watch ended, which is noticed where it was started.
        let _ = self.seen.wait_until_ready().await;
    }

    /// The content of an object, if there is one of that name.
    ///
    /// # Errors
    /// The API server's.
    pub(crate) async fn read(
        &self,
        key: &ObjectKey,
    ) -> Result<Option<Arc<ObjectData>>, WriteError> {
        let at = ObjectRef::new(&key.name).within(&key.namespace);
        let Some(seen) = self.seen.get(&at) else {
            return Ok(None);
        };
        let known = self.kept.lock().get(key).and_then(|kept| {
            (kept.version == seen.metadata.resource_version).then(|| Arc::clone(&kept.content))
        });
        if known.is_some() {
            return Ok(known);
        }
        let objects: Api<K> = Api::namespaced(self.client.clone(), &key.namespace);
        let Some(object) = within_deadline(objects.get_opt(&key.name)).await? else {
            // It went a moment ago: the watch will say so.
            return Ok(None);
        };
        let version = object.meta().resource_version.clone();
        let content = Arc::new(object.content());
        let kept = Kept {
            version,
            content: Arc::clone(&content),
        };
        self.kept.lock().insert(key.clone(), kept);
        Ok(Some(content))
    }

    /// Forgets the content of one that is gone or that nobody refers to any more.
    pub(crate) fn forget(&self, key: &ObjectKey) {
        self.kept.lock().remove(key);
    }
}
