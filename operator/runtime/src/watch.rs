//! From watches to caches: keeps a store equal to what the API server has, and tells a listener what changed, after the store has it.
//!
//! Reads Kubernetes. Invariants: an object that cannot be read stops nothing; a listener hears of an object that vanished while the
//! watch was interrupted; a failing watch backs off.

mod environments;
mod merge;
mod namespaces;
mod referenced;
mod services;

pub(crate) use environments::EnvironmentListener;
pub(crate) use namespaces::NamespaceListener;
pub(crate) use referenced::ReferencedListener;
pub(crate) use services::ServiceListener;

use crate::guarded::{Guarded, Malformed};
use crate::kind::{self, Kind};
use crate::readiness::Readiness;
use crate::telemetry::chain;
use futures::stream::BoxStream;
use futures::{Stream, StreamExt};
use k8s_openapi::api::core::v1::Namespace;
use kube::core::PartialObjectMeta;
use kube::runtime::reflector::store::Writer;
use kube::runtime::watcher::{Config, Error, Event};
use kube::runtime::{WatchStreamExt, watcher};
use kube::{Api, Client, Resource};
use privateservice_core::owner::ObjectKey;
use serde::de::DeserializeOwned;
use std::collections::HashSet;
use std::fmt::Debug;
use tokio::sync::mpsc;

/// Hears what changed in a cache.
pub(crate) trait Listener<K> {
    /// The object is new, or may have changed.
    fn applied(&mut self, object: &K);
    /// The object is gone from the cache.
    fn gone(&mut self, key: &ObjectKey);
}

/// What a watch yields: an object for the cache, or why it is none.
pub(crate) trait Cacheable: Resource<DynamicType = ()> + Clone {
    /// What the cache holds.
    type Cached: Resource<DynamicType = ()> + Clone + Send + Sync + 'static;
    /// What cannot be cached.
    type Refused: Send;
    /// Sorts one out.
    fn sort(self) -> Sorted<Self::Cached, Self::Refused>;
    /// Something with the same name, to delete by.
    fn namesake(&self) -> Self::Cached;
}

/// See [`Cacheable::sort`].
pub(crate) struct Sorted<C, R> {
    /// For the cache.
    pub(crate) cached: Option<C>,
    /// For a report.
    pub(crate) refused: Option<R>,
}

impl<K: Kind> Cacheable for Guarded<K> {
    type Cached = K;
    type Refused = Malformed<K>;

    fn sort(self) -> Sorted<K, Malformed<K>> {
        match self {
            Self::Valid(object) => Sorted {
                cached: Some(*object),
                refused: None,
            },
            Self::Malformed(malformed) => Sorted {
                cached: malformed.deletable(),
                refused: Some(*malformed),
            },
        }
    }

    fn namesake(&self) -> K {
        K::salvaged(self.meta().clone(), None)
    }
}

impl<K> Cacheable for PartialObjectMeta<K>
where
    K: Resource<DynamicType = ()> + Clone + Send + Sync + 'static,
{
    type Cached = Self;
    type Refused = std::convert::Infallible;

    fn sort(mut self) -> Sorted<Self, Self::Refused> {
        self.metadata.managed_fields = None;
        self.metadata.annotations = None;
        Sorted {
            cached: Some(self),
            refused: None,
        }
    }

    fn namesake(&self) -> Self {
        self.clone()
    }
}

/// The events of one watch or several.
pub(crate) type Events<T> = BoxStream<'static, Result<Event<T>, Error>>;

/// Watches a kind in the whole cluster, or in some Kubernetes namespaces: what the API server has, or, of a
/// [`PartialObjectMeta`], metadata only.
pub(crate) fn objects<T>(
    client: &Client,
    namespaces: &[String],
    selector: Option<&str>,
) -> Events<T>
where
    T: Resource<DynamicType = (), Scope = kube::core::NamespaceResourceScope>
        + Clone
        + Debug
        + DeserializeOwned
        + Send
        + 'static,
{
    let config = selector.map_or_else(Config::default, |selector| {
        Config::default().labels(selector)
    });
    let watch = |api| watcher(api, config.clone()).default_backoff().boxed();
    if namespaces.is_empty() {
        return watch(Api::all(client.clone()));
    }
    let streams = namespaces
        .iter()
        .collect::<HashSet<_>>()
        .into_iter()
        .map(|namespace| watch(Api::namespaced(client.clone(), namespace)))
        .collect();
    merge::merge(streams)
}

/// Watches a kind that has no namespace.
pub(crate) fn cluster_objects<K: Kind>(client: &Client) -> Events<Guarded<K>> {
    watcher(Api::all(client.clone()), Config::default())
        .default_backoff()
        .boxed()
}

/// Watches the metadata of Kubernetes namespaces.
pub(crate) fn kubernetes_namespaces(client: &Client) -> Events<PartialObjectMeta<Namespace>> {
    watcher(Api::all(client.clone()), Config::default())
        .default_backoff()
        .boxed()
}

/// Keeps a cache until the stream of events ends. What cannot be cached goes to `refused`.
pub(crate) async fn follow<T>(
    part: &'static str,
    mut events: impl Stream<Item = Result<Event<T>, Error>> + Unpin,
    mut store: Writer<T::Cached>,
    mut listener: impl Listener<T::Cached>,
    refused: mpsc::UnboundedSender<T::Refused>,
    readiness: Readiness,
) where
    T: Cacheable,
    T::Cached: Debug,
{
    readiness.waits(part, "waiting for the first list");
    let reader = store.as_reader();
    let mut known: HashSet<ObjectKey> = HashSet::new();
    let refuse = |reason: Option<T::Refused>| {
        if let Some(reason) = reason {
            // A closed channel means that the process is stopping.
            let _ = refused.send(reason);
        }
    };
    while let Some(event) = events.next().await {
        match event {
            Ok(Event::Apply(object)) => {
                let key = kind::key(&object);
                let namesake = object.namesake();
                let sorted = object.sort();
                refuse(sorted.refused);
                if let Some(object) = sorted.cached {
                    known.insert(key);
                    let event = Event::Apply(object);
                    store.apply_watcher_event(&event);
                    if let Event::Apply(object) = &event {
                        listener.applied(object);
                    }
                } else if known.remove(&key) {
                    store.apply_watcher_event(&Event::Delete(namesake));
                    listener.gone(&key);
                }
            }
            Ok(Event::Delete(object)) => {
                let key = kind::key(&object);
                store.apply_watcher_event(&Event::Delete(object.namesake()));
                known.remove(&key);
                listener.gone(&key);
            }
            Ok(Event::Init) => store.apply_watcher_event(&Event::Init),
            Ok(Event::InitApply(object)) => {
                let sorted = object.sort();
                refuse(sorted.refused);
                if let Some(object) = sorted.cached {
                    store.apply_watcher_event(&Event::InitApply(object));
                }
            }
            Ok(Event::InitDone) => {
                store.apply_watcher_event(&Event::InitDone);
                let objects = reader.state();
                let now: HashSet<ObjectKey> =
                    objects.iter().map(|object| kind::key(&**object)).collect();
                for key in known.difference(&now) {
                    listener.gone(key);
                }
                for object in &objects {
                    listener.applied(object);
                }
                known = now;
                readiness.is_up(part);
            }
            Err(error) => {
                tracing::warn!(part, error = chain(&error), "watch interrupted");
            }
        }
    }
}

#[cfg(test)]
mod tests;
