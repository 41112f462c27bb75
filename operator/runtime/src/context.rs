//! What every pass may use: clients, caches, queues. Holds state, does no IO of its own.

use crate::config::Config;
use crate::environment::Seen;
use crate::events::Events;
use crate::index::{self, Index};
use crate::locked::Locked;
use crate::metrics::Metrics;
use crate::privateservice::{Remembered, Waves};
use crate::referenced::Referenced;
use crate::status::Statuses;
use crate::version_key::VersionKeySource;
use k8s_openapi::api::core::v1::{ConfigMap, Namespace, Secret};
use kube::Client;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::{ObjectRef, Store};
use privateservice_api::environment::AssumeRole;
use privateservice_api::{Environment, PrivateService};
use privateservice_aws::{Account, AccountKey, Connector};
use privateservice_core::owner::ObjectKey;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use tokio::sync::mpsc;

/// What every pass may use.
#[derive(Debug)]
pub struct Context {
    /// Kubernetes.
    pub client: ClientHandle,
    /// The flags.
    pub config: Config,
    /// Name of this installation in the ownership tag.
    pub cluster_id: String,
    /// AWS.
    pub connector: Connector,
    /// Cache of all readable PrivateServices. One that cannot be read is in it only while it is being deleted, with an empty spec.
    pub services: Store<PrivateService>,
    /// Cache of all readable Environments.
    pub environments: Store<Environment>,
    /// Cache of the metadata of all Kubernetes namespaces.
    pub namespaces: Store<PartialObjectMeta<Namespace>>,
    /// The ConfigMaps that PrivateServices refer to.
    pub(crate) config_maps: Referenced<ConfigMap>,
    /// The Secrets that PrivateServices refer to; `None` if the operator reads none.
    pub(crate) secrets: Option<Referenced<Secret>>,
    /// The key of the ids of versions of secrets.
    pub(crate) version_key: VersionKeySource,
    /// Who has to do with whom.
    pub index: Index,
    /// Statuses of PrivateServices, as last written.
    pub service_statuses: Statuses<PrivateService>,
    /// Statuses of Environments, as last written.
    pub environment_statuses: Statuses<Environment>,
    /// Kubernetes Events.
    pub events: Events,
    /// What this process remembers of PrivateServices between passes.
    pub(crate) remembered: Locked<HashMap<ObjectKey, Remembered>>,
    /// Whose turn it is when an Environment was edited.
    pub(crate) waves: Waves,
    /// What this process remembers of Environments between passes, by name.
    pub(crate) environments_seen: Locked<HashMap<String, Seen>>,
    /// Counters.
    pub metrics: Metrics,
    /// PrivateServices sent here are reconciled soon.
    pub wake: mpsc::UnboundedSender<ObjectKey>,
    /// Environments sent here (by name) are reconciled soon.
    pub wake_environment: mpsc::UnboundedSender<String>,
}

/// A Kubernetes client that can be shown by `Debug`.
#[derive(Clone)]
pub struct ClientHandle(pub Client);

impl std::fmt::Debug for ClientHandle {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Client")
    }
}

impl Context {
    /// A PrivateService from the cache.
    pub fn service(&self, key: &ObjectKey) -> Option<Arc<PrivateService>> {
        self.services.get(&service_ref(key))
    }

    /// An Environment from the cache.
    pub fn environment(&self, name: &str) -> Option<Arc<Environment>> {
        self.environments.get(&ObjectRef::new(name))
    }

    /// The Environment an object uses: the one it names, else the one it was first placed in, else the default.
    pub fn environment_name(&self, object: &PrivateService) -> Option<String> {
        index::environment_of(object, self.config.default_environment.as_deref())
    }

    /// Labels of a Kubernetes namespace; `None` if it is not known (yet).
    pub fn namespace_labels(&self, name: &str) -> Option<BTreeMap<String, String>> {
        let namespace = self.namespaces.get(&ObjectRef::new(name))?;
        Some(namespace.metadata.labels.clone().unwrap_or_default())
    }

    /// An AWS account in a Region: that of a role, or of our own credentials.
    pub fn account(&self, region: &str, role: Option<&AssumeRole>) -> Arc<Account> {
        self.connector.account(&AccountKey {
            region: region.to_owned(),
            role: role.cloned(),
        })
    }

    /// Has a PrivateService reconciled soon.
    pub fn wake(&self, key: ObjectKey) {
        // A closed channel means that the process is stopping.
        let _ = self.wake.send(key);
    }

    /// Has an Environment reconciled soon.
    pub fn wake_environment(&self, name: impl Into<String>) {
        // As above.
        let _ = self.wake_environment.send(name.into());
    }
}

/// The key as kube's caches and queues want it.
pub fn service_ref(key: &ObjectKey) -> ObjectRef<PrivateService> {
    ObjectRef::new(&key.name).within(&key.namespace)
}
