//! Writing status: server-side apply of the status alone, only when it differs, and remembered until the watch shows it.
//!
//! Invariants: spec, labels and annotations are never part of a request; a status never lands on another object of the same name (the
//! uid goes along); a pass that begins before the watch has caught up with our last write still sees that write.

use crate::kind::{self, Kind};
use kube::api::{Patch, PatchParams};
use kube::{Client, ResourceExt};
use privateservice_api::meta;
use privateservice_core::owner::ObjectKey;
use serde::Serialize;
use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// Time limit of one request to the API server. Its own limit for a mutating request is 60 s; one that takes a fourth of that is better
/// sent again.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(15);

/// Why something could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The API server refused, or could not be reached.
    #[error("the API server refused or could not be reached")]
    Api(#[from] kube::Error),
    /// No answer in time.
    #[error("the API server did not answer within {} s", REQUEST_TIMEOUT.as_secs())]
    Timeout,
}

impl WriteError {
    /// True if the object is gone, or another one of that name is there.
    pub fn is_gone(&self) -> bool {
        self.is_not_found() || self.has_code(409)
    }

    /// True if there is no object of that name.
    pub(crate) fn is_not_found(&self) -> bool {
        self.has_code(404)
    }

    /// True if the operator has no right to it.
    pub(crate) fn is_forbidden(&self) -> bool {
        self.has_code(403)
    }

    fn has_code(&self, code: u16) -> bool {
        matches!(self, Self::Api(kube::Error::Api(status)) if status.code == code)
    }
}

/// The statuses of one kind, as last written.
pub struct Statuses<K: Kind> {
    client: Client,
    written: Mutex<HashMap<ObjectKey, Written<K::Status>>>,
}

#[derive(Clone, Debug)]
struct Written<S> {
    uid: Option<String>,
    resource_version: Option<String>,
    status: S,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a, S> {
    api_version: &'a str,
    kind: &'a str,
    metadata: Identity<'a>,
    status: &'a S,
}

#[derive(Debug, Serialize)]
struct Identity<'a> {
    name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    namespace: Option<&'a str>,
    /// The API server refuses to apply to an object with another uid.
    #[serde(skip_serializing_if = "Option::is_none")]
    uid: Option<&'a str>,
}

impl<K: Kind> std::fmt::Debug for Statuses<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Statuses")
            .field("written", &self.lock().len())
            .finish_non_exhaustive()
    }
}

impl<K: Kind> Statuses<K> {
    /// Nothing written yet.
    pub fn new(client: Client) -> Self {
        Self {
            client,
            written: Mutex::default(),
        }
    }

    /// The newest status of an object that came from the cache: the cached one, or what we wrote since.
    pub fn current(&self, object: &K) -> K::Status {
        newest(&mut self.lock(), object)
    }

    /// Writes a status, if it differs from the current one. True if it was written.
    ///
    /// # Errors
    /// The API server's. [`WriteError::is_gone`] tells those that need no retry.
    pub async fn write(&self, object: &K, status: &K::Status) -> Result<bool, WriteError> {
        if self.current(object) == *status {
            return Ok(false);
        }
        let key = kind::key(object);
        let namespace = object.namespace();
        let uid = object.uid();
        let body = Body {
            api_version: &K::api_version(&()),
            kind: &K::kind(&()),
            metadata: Identity {
                name: &key.name,
                namespace: namespace.as_deref(),
                uid: uid.as_deref(),
            },
            status,
        };
        let api = K::api(self.client.clone(), namespace.as_deref());
        let parameters = PatchParams::apply(meta::FIELD_MANAGER).force();
        let patch = Patch::Apply(&body);
        let answer = within_deadline(api.patch_status(&key.name, &parameters, &patch)).await?;
        let written = Written {
            uid,
            resource_version: answer.resource_version(),
            status: status.clone(),
        };
        self.lock().insert(key, written);
        Ok(true)
    }

    /// Forgets an object that is gone.
    pub fn forget(&self, key: &ObjectKey) {
        self.lock().remove(key);
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<ObjectKey, Written<K::Status>>> {
        // Every change is one call that cannot panic half way.
        self.written.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The newest status of an object; forgets what the cache has caught up with.
fn newest<K: Kind>(written: &mut HashMap<ObjectKey, Written<K::Status>>, object: &K) -> K::Status {
    let key = kind::key(object);
    if let Some(last) = written.get(&key) {
        let cached = object.meta().resource_version.as_deref();
        if last.uid == object.uid() && is_newer(last.resource_version.as_deref(), cached) {
            return last.status.clone();
        }
        written.remove(&key);
    }
    object.status().cloned().unwrap_or_default()
}

/// Waits for a request to the API server, but not for ever.
pub(crate) async fn within_deadline<T>(
    request: impl Future<Output = kube::Result<T>>,
) -> Result<T, WriteError> {
    match tokio::time::timeout(REQUEST_TIMEOUT, request).await {
        Ok(answer) => Ok(answer?),
        Err(_) => Err(WriteError::Timeout),
    }
}

/// True if resource version `a` is newer than `b`. They are decimal numbers that grow, and may be compared as such (Kubernetes: API
/// concepts, Resource versions; guaranteed since 1.35).
fn is_newer(a: Option<&str>, b: Option<&str>) -> bool {
    let number = |version: Option<&str>| version.and_then(|text| text.parse::<u128>().ok());
    match (number(a), number(b)) {
        (Some(a), Some(b)) => a > b,
        _ => false,
    }
}

#[cfg(test)]
mod tests;
