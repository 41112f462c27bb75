//! What is in the objects that PrivateServices refer to. Reads Kubernetes.
//!
//! Invariant: of objects nobody refers to only metadata is kept. A watch of metadata tells when something changed; the content is read when
//! a pass needs it and it is not the version that is kept.

use crate::index::Index;
use crate::locked::Locked;
use crate::status::{WriteError, within_deadline};
use k8s_openapi::api::core::v1::ConfigMap;
use kube::core::{NamespaceResourceScope, PartialObjectMeta};
use kube::runtime::reflector::{ObjectRef, Store};
use kube::{Api, Client, Resource};
use privateservice_core::owner::ObjectKey;
use privateservice_core::resolve::ConfigMapData;
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
    /// Its content.
    type Content: Send + Sync;

    /// The content of one.
    fn content(self) -> Self::Content;

    /// The PrivateServices that refer to one.
    fn users(index: &Index, key: &ObjectKey) -> Vec<ObjectKey>;

    /// The kept ones.
    fn of(context: &crate::context::Context) -> &Referenced<Self>;
}

impl Referable for ConfigMap {
    type Content = ConfigMapData;

    fn content(self) -> ConfigMapData {
        ConfigMapData {
            text: self.data.unwrap_or_default(),
            binary: self.binary_data.unwrap_or_default().into_keys().collect(),
        }
    }

    fn users(index: &Index, key: &ObjectKey) -> Vec<ObjectKey> {
        index.config_map_users(key)
    }

    fn of(context: &crate::context::Context) -> &Referenced<Self> {
        &context.config_maps
    }
}

/// The contents of one kind.
pub(crate) struct Referenced<K: Referable> {
    client: Client,
    seen: Store<PartialObjectMeta<K>>,
    kept: Locked<HashMap<ObjectKey, Kept<K::Content>>>,
}

#[derive(Debug)]
struct Kept<C> {
    version: Option<String>,
    content: Arc<C>,
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
    ) -> Result<Option<Arc<K::Content>>, WriteError> {
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
