//! What the parts of an Environment look like in AWS: account, cluster, namespace. Three reads, each of which may fail on its own.

use crate::connect::Account;
use crate::limits::Priority;
use crate::operations::{DESCRIBE_CLUSTERS, GET_CALLER_IDENTITY, GET_NAMESPACE, Operation};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_servicediscovery::types::NamespaceType;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use std::collections::BTreeSet;

/// What to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentQuery {
    /// ARN of the ECS cluster.
    pub cluster_arn: String,
    /// ARN of the Cloud Map namespace.
    pub namespace_arn: String,
}

/// What was found. `Ok(None)` means that AWS says there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EnvironmentFacts {
    /// The account the credentials belong to, 12 digits.
    pub account: Result<String, Failure>,
    /// The cluster.
    pub cluster: Result<Option<ClusterFacts>, Failure>,
    /// The namespace.
    pub namespace: Result<Option<NamespaceFacts>, Failure>,
}

/// An ECS cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClusterFacts {
    /// ARN.
    pub arn: String,
    /// Name.
    pub name: String,
    /// Status ACTIVE.
    pub active: bool,
    /// Associated capacity providers.
    pub capacity_providers: BTreeSet<String>,
}

/// A Cloud Map namespace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamespaceFacts {
    /// `ns-...`.
    pub id: String,
    /// ARN.
    pub arn: String,
    /// For instance `flexstack.internal`.
    pub name: String,
    /// How it can be resolved.
    pub kind: NamespaceKind,
    /// Services in it, those of Service Connect included, if AWS said.
    pub service_count: Option<i32>,
}

/// How names in a namespace are resolved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NamespaceKind {
    /// DNS inside a VPC, and API calls.
    DnsPrivate,
    /// Public DNS, and API calls.
    DnsPublic,
    /// API calls only.
    Http,
    /// A kind this version does not know.
    Other,
}

impl Account {
    /// Looks at the parts of an Environment, each read at `priority`. Waits for the rate limits; meant for the few Environments,
    /// not for services.
    pub async fn look_at_environment(
        &self,
        query: &EnvironmentQuery,
        priority: Priority,
    ) -> EnvironmentFacts {
        let (account, cluster, namespace) = tokio::join!(
            self.caller_account(priority),
            self.cluster(&query.cluster_arn, priority),
            self.namespace(&query.namespace_arn, priority),
        );
        EnvironmentFacts {
            account,
            cluster,
            namespace,
        }
    }

    async fn caller_account(&self, priority: Priority) -> Result<String, Failure> {
        self.limits
            .admit(GET_CALLER_IDENTITY.bucket, priority)
            .await;
        let call = self.clients.sts.get_caller_identity().send();
        let answer = self.calls.send(GET_CALLER_IDENTITY, call).await?;
        answer
            .account()
            .map(str::to_owned)
            .ok_or_else(|| silent(GET_CALLER_IDENTITY))
    }

    async fn cluster(
        &self,
        arn: &str,
        priority: Priority,
    ) -> Result<Option<ClusterFacts>, Failure> {
        self.limits.admit(DESCRIBE_CLUSTERS.bucket, priority).await;
        let call = self.clients.ecs.describe_clusters().clusters(arn).send();
        let answer = self.calls.send(DESCRIBE_CLUSTERS, call).await?;
        let Some(found) = answer.clusters().first() else {
            let missing = answer
                .failures()
                .iter()
                .any(|one| one.reason() == Some("MISSING"));
            return if missing {
                Ok(None)
            } else {
                Err(silent(DESCRIBE_CLUSTERS))
            };
        };
        let arn = found.cluster_arn().unwrap_or(arn);
        Ok(Some(ClusterFacts {
            arn: arn.to_owned(),
            name: found
                .cluster_name()
                .unwrap_or(names::last_segment(arn))
                .to_owned(),
            active: found.status() == Some("ACTIVE"),
            capacity_providers: found.capacity_providers().iter().cloned().collect(),
        }))
    }

    async fn namespace(
        &self,
        arn: &str,
        priority: Priority,
    ) -> Result<Option<NamespaceFacts>, Failure> {
        self.limits.admit(GET_NAMESPACE.bucket, priority).await;
        let id = names::last_segment(arn);
        let call = self.clients.discovery.get_namespace().id(id).send();
        let answer = match self.calls.send(GET_NAMESPACE, call).await {
            Ok(answer) => answer,
            Err(error) if error.error.code() == Some("NamespaceNotFound") => return Ok(None),
            Err(error) => return Err(error.failure),
        };
        let Some(found) = answer.namespace() else {
            return Err(silent(GET_NAMESPACE));
        };
        Ok(Some(NamespaceFacts {
            id: found.id().unwrap_or(id).to_owned(),
            arn: found.arn().unwrap_or(arn).to_owned(),
            name: found.name().unwrap_or_default().to_owned(),
            kind: match found.r#type() {
                Some(NamespaceType::DnsPrivate) => NamespaceKind::DnsPrivate,
                Some(NamespaceType::DnsPublic) => NamespaceKind::DnsPublic,
                Some(NamespaceType::Http) => NamespaceKind::Http,
                _ => NamespaceKind::Other,
            },
            service_count: found.service_count(),
        }))
    }
}

/// An answer that lacks what was asked for.
fn silent(operation: Operation) -> Failure {
    Failure::Ambiguous {
        operation: operation.name,
        message: "the answer does not say".to_owned(),
    }
}
