//! Reading objects such that one that cannot be read does not stop the watch of all others. No IO.
//!
//! An object can be unreadable although the API server took it: it was stored under another version of the schema. Its metadata and, if
//! possible, its status are salvaged, so that it can be reported and deleted.

use crate::kind::Kind;
use k8s_openapi::apimachinery::pkg::apis::meta::v1::ObjectMeta;
use kube::Resource;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};
use std::borrow::Cow;

/// An object of a watch, read or not.
#[derive(Clone, Debug)]
pub enum Guarded<K: Kind> {
    /// It could be read.
    Valid(Box<K>),
    /// It could not.
    Malformed(Box<Malformed<K>>),
}

/// An object that cannot be read.
#[derive(Clone, Debug)]
pub struct Malformed<K: Kind> {
    /// Its metadata.
    pub metadata: ObjectMeta,
    /// Its status: an error if that is unreadable too.
    pub status: Result<Option<K::Status>, ()>,
    /// `spec.deletionPolicy` as it stands there; null if it does not.
    pub deletion_policy: serde_json::Value,
    /// What is wrong with it.
    pub error: String,
}

impl<K: Kind> Malformed<K> {
    /// The object with nothing but its deletion policy in the spec, if it is being deleted and its status and that policy can be read:
    /// deleting needs no more.
    pub fn deletable(&self) -> Option<K> {
        let status = self.status.clone().ok()?;
        self.metadata.deletion_timestamp.as_ref()?;
        K::salvaged(self.metadata.clone(), status).with_deletion_policy(&self.deletion_policy)
    }
}

impl<'de, K: Kind> Deserialize<'de> for Guarded<K> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut value = serde_json::Value::deserialize(deserializer)?;
        if let Some(metadata) = value
            .get_mut("metadata")
            .and_then(|value| value.as_object_mut())
        {
            // Often larger than all the rest, and never looked at.
            metadata.remove("managedFields");
        }
        match K::deserialize(&value) {
            Ok(object) => Ok(Self::Valid(Box::new(object))),
            Err(error) => {
                let metadata = value.get("metadata").cloned().unwrap_or_default();
                let status = match value.get("status") {
                    None | Some(serde_json::Value::Null) => Ok(None),
                    Some(status) => K::Status::deserialize(status).map(Some).map_err(drop),
                };
                Ok(Self::Malformed(Box::new(Malformed {
                    metadata: ObjectMeta::deserialize(metadata).map_err(D::Error::custom)?,
                    status,
                    deletion_policy: value
                        .pointer("/spec/deletionPolicy")
                        .cloned()
                        .unwrap_or_default(),
                    error: error.to_string(),
                })))
            }
        }
    }
}

impl<K: Kind> Resource for Guarded<K> {
    type DynamicType = ();
    type Scope = K::Scope;

    fn kind(dt: &()) -> Cow<'_, str> {
        K::kind(dt)
    }

    fn group(dt: &()) -> Cow<'_, str> {
        K::group(dt)
    }

    fn version(dt: &()) -> Cow<'_, str> {
        K::version(dt)
    }

    fn plural(dt: &()) -> Cow<'_, str> {
        K::plural(dt)
    }

    fn meta(&self) -> &ObjectMeta {
        match self {
            Self::Valid(object) => object.meta(),
            Self::Malformed(malformed) => &malformed.metadata,
        }
    }

    fn meta_mut(&mut self) -> &mut ObjectMeta {
        match self {
            Self::Valid(object) => object.meta_mut(),
            Self::Malformed(malformed) => &mut malformed.metadata,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use privateservice_api::PrivateService;
    use privateservice_api::privateservice::DeletionPolicy;
    use serde_json::{Value, json};

    fn read(mut object: Value) -> Guarded<PrivateService> {
        object["metadata"]["name"] = "cache".into();
        object["metadata"]["managedFields"] = json!([{"manager": "kubectl"}]);
        serde_json::from_value(object).unwrap()
    }

    fn malformed(object: Value) -> Malformed<PrivateService> {
        match read(object) {
            Guarded::Malformed(malformed) => *malformed,
            Guarded::Valid(object) => panic!("{object:?} is valid"),
        }
    }

    #[test]
    fn a_valid_object_is_read_without_its_managed_fields() {
        let read = read(json!({"spec": {"source": {"image": {"name": "redis:alpine"}}}}));
        assert!(matches!(read, Guarded::Valid(_)));
        assert_eq!(read.meta().managed_fields, None);
    }

    #[test]
    fn a_malformed_object_keeps_its_name_and_status_and_says_what_is_wrong() {
        let found = malformed(json!({"spec": {"source": 5}, "status": {"serviceArn": "arn"}}));
        assert_eq!(found.metadata.name.as_deref(), Some("cache"));
        assert_eq!(
            found
                .status
                .clone()
                .unwrap()
                .unwrap()
                .service_arn
                .as_deref(),
            Some("arn")
        );
        assert!(!found.error.is_empty());
        assert!(found.deletable().is_none());
    }

    #[test]
    fn a_malformed_object_can_be_deleted_only_if_its_status_is_known() {
        let deleted = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let with_status =
            malformed(json!({"metadata": deleted, "spec": 5, "status": {"serviceArn": "arn"}}));
        let object = with_status.deletable().unwrap();
        assert_eq!(object.status.unwrap().service_arn.as_deref(), Some("arn"));
        let without =
            malformed(json!({"metadata": deleted, "spec": 5, "status": {"conditions": 5}}));
        assert!(without.deletable().is_none());
    }

    #[test]
    fn the_deletion_policy_of_a_malformed_object_is_kept_or_nothing_is_deleted() {
        let deleted = json!({"deletionTimestamp": "2026-01-01T00:00:00Z"});
        let with = |policy: &str| {
            let spec = json!({"architecture": "Quantum", "deletionPolicy": policy});
            malformed(json!({"metadata": deleted, "spec": spec})).deletable()
        };
        let retained = with("Retain").unwrap();
        assert_eq!(retained.spec.deletion_policy, Some(DeletionPolicy::Retain));
        assert!(with("Archive").is_none());
    }
}
