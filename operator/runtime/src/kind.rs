//! What both kinds of objects have in common, as far as the runtime treats them alike. No IO.

use k8s_openapi::apimachinery::pkg::apis::meta::v1::{Condition, ObjectMeta};
use kube::core::PartialObjectMeta;
use kube::{Api, Client, Resource, ResourceExt};
use privateservice_api::{Environment, EnvironmentStatus, PrivateService, PrivateServiceStatus};
use privateservice_core::owner::ObjectKey;
use serde::Serialize;
use serde::de::DeserializeOwned;
use std::fmt::Debug;

/// A kind the operator reconciles.
pub trait Kind:
    Resource<DynamicType = ()> + DeserializeOwned + Clone + Debug + Send + Sync + 'static
{
    /// Its status.
    type Status: Clone + Debug + Default + PartialEq + Serialize + DeserializeOwned + Send + Sync;

    /// The kind's name, for logs and metrics.
    const NAME: &'static str;

    /// The status as read.
    fn status(&self) -> Option<&Self::Status>;

    /// The conditions in a status.
    fn conditions(status: &Self::Status) -> &[Condition];

    /// A status with other conditions, about this generation.
    fn with_conditions(
        status: Self::Status,
        conditions: Vec<Condition>,
        generation: Option<i64>,
    ) -> Self::Status;

    /// What is left of an object whose spec cannot be read.
    fn salvaged(metadata: ObjectMeta, status: Option<Self::Status>) -> Self;

    /// The object with this deletion policy, if it is one this version knows.
    fn with_deletion_policy(self, policy: &serde_json::Value) -> Option<Self>;

    /// The API of objects in this namespace (ignored where the kind has none). Answers are read as metadata alone: writing needs no
    /// more, and works for objects this version cannot read.
    fn api(client: Client, namespace: Option<&str>) -> Api<PartialObjectMeta<Self>>;
}

/// What reads alike for both kinds although no trait of kube's names the fields.
macro_rules! same_for_both_kinds {
    () => {
        fn status(&self) -> Option<&Self::Status> {
            self.status.as_ref()
        }

        fn conditions(status: &Self::Status) -> &[Condition] {
            &status.conditions
        }

        fn with_conditions(
            status: Self::Status,
            conditions: Vec<Condition>,
            generation: Option<i64>,
        ) -> Self::Status {
            Self::Status {
                conditions,
                observed_generation: generation,
                ..status
            }
        }

        fn salvaged(metadata: ObjectMeta, status: Option<Self::Status>) -> Self {
            Self {
                metadata,
                status,
                ..Self::default()
            }
        }
    };
}

impl Kind for PrivateService {
    type Status = PrivateServiceStatus;
    const NAME: &'static str = "PrivateService";

    same_for_both_kinds!();

    fn with_deletion_policy(mut self, policy: &serde_json::Value) -> Option<Self> {
        self.spec.deletion_policy = serde_json::from_value(policy.clone()).ok()?;
        Some(self)
    }

    fn api(client: Client, namespace: Option<&str>) -> Api<PartialObjectMeta<Self>> {
        match namespace {
            Some(namespace) => Api::namespaced(client, namespace),
            None => Api::default_namespaced(client),
        }
    }
}

impl Kind for Environment {
    type Status = EnvironmentStatus;
    const NAME: &'static str = "Environment";

    same_for_both_kinds!();

    fn with_deletion_policy(mut self, policy: &serde_json::Value) -> Option<Self> {
        self.spec.deletion_policy = serde_json::from_value(policy.clone()).ok()?;
        Some(self)
    }

    fn api(client: Client, _namespace: Option<&str>) -> Api<PartialObjectMeta<Self>> {
        Api::all(client)
    }
}

/// Namespace and name of an object; the namespace is empty where the kind has none.
pub fn key(object: &impl Resource) -> ObjectKey {
    ObjectKey {
        namespace: object.namespace().unwrap_or_default(),
        name: object.name_any(),
    }
}
