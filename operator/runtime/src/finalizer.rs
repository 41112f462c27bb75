//! The one finalizer. Writes it to, and removes it from, `metadata.finalizers`; nothing else.
//!
//! Invariant: a write that does not find the very object and the very list it was decided on changes nothing.

use crate::kind::{self, Kind};
use crate::status::{WriteError, within_deadline};
use kube::Client;
use kube::ResourceExt;
use kube::api::{Patch, PatchParams};
use privateservice_api::meta;
use serde_json::{Value, json};

/// True if the object carries the finalizer.
pub fn has(object: &impl ResourceExt) -> bool {
    object
        .finalizers()
        .iter()
        .any(|name| name == meta::FINALIZER)
}

/// Adds the finalizer. Does nothing if it is there.
///
/// # Errors
/// The API server's, a conflict included: the object has changed, and its next event brings it back.
pub async fn add<K: Kind>(client: &Client, object: &K) -> Result<(), WriteError> {
    match addition(object.uid().as_deref(), object.finalizers()) {
        Some(patch) => send(client, object, patch).await,
        None => Ok(()),
    }
}

/// Removes the finalizer. Does nothing if it, or the object, is gone.
///
/// # Errors
/// Like [`add`].
pub async fn remove<K: Kind>(client: &Client, object: &K) -> Result<(), WriteError> {
    let Some(patch) = removal(object.uid().as_deref(), object.finalizers()) else {
        return Ok(());
    };
    match send(client, object, patch).await {
        Err(error) if error.is_not_found() => Ok(()),
        other => other,
    }
}

async fn send<K: Kind>(client: &Client, object: &K, patch: Value) -> Result<(), WriteError> {
    let key = kind::key(object);
    let patch = serde_json::from_value(patch).map_err(kube::Error::SerdeError)?;
    let api = K::api(client.clone(), object.namespace().as_deref());
    let patch = Patch::Json::<()>(patch);
    within_deadline(api.patch(&key.name, &PatchParams::default(), &patch)).await?;
    Ok(())
}

fn addition(uid: Option<&str>, before: &[String]) -> Option<Value> {
    if before.iter().any(|name| name == meta::FINALIZER) {
        return None;
    }
    let mut after = before.to_vec();
    after.push(meta::FINALIZER.into());
    Some(replacement(uid, before, &after))
}

fn removal(uid: Option<&str>, before: &[String]) -> Option<Value> {
    let after: Vec<String> = before
        .iter()
        .filter(|name| *name != meta::FINALIZER)
        .cloned()
        .collect();
    (after.len() < before.len()).then(|| replacement(uid, before, &after))
}

/// Replaces the list if it is still the one that was seen, on the object that was seen.
fn replacement(uid: Option<&str>, before: &[String], after: &[String]) -> Value {
    // The API server keeps no empty list: where there is none, the path is absent, which `test` compares as null.
    let seen = if before.is_empty() {
        Value::Null
    } else {
        json!(before)
    };
    json!([
        {"op": "test", "path": "/metadata/uid", "value": uid},
        {"op": "test", "path": "/metadata/finalizers", "value": seen},
        {"op": "add", "path": "/metadata/finalizers", "value": after},
    ])
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(names: &[&str]) -> Vec<String> {
        names.iter().map(|&name| name.to_owned()).collect()
    }

    #[test]
    fn adding_keeps_the_finalizers_of_others_and_insists_on_the_list_that_was_seen() {
        let patch = addition(Some("u"), &list(&["other"])).unwrap();
        assert_eq!(patch[0]["value"], "u");
        assert_eq!(patch[1]["value"], json!(["other"]));
        assert_eq!(patch[2]["value"], json!(["other", meta::FINALIZER]));
    }

    #[test]
    fn the_first_finalizer_insists_on_there_being_none() {
        assert_eq!(addition(Some("u"), &[]).unwrap()[1]["value"], Value::Null);
    }

    #[test]
    fn removing_takes_out_only_ours() {
        let patch = removal(Some("u"), &list(&["other", meta::FINALIZER])).unwrap();
        assert_eq!(patch[2]["value"], json!(["other"]));
    }

    #[test]
    fn nothing_to_do_writes_nothing() {
        assert_eq!(addition(Some("u"), &list(&[meta::FINALIZER])), None);
        assert_eq!(removal(Some("u"), &list(&["other"])), None);
    }
}
