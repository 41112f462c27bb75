//! What the parts of an Environment look like in AWS: account, cluster, namespace. Three reads, each of which may fail on its own.

use crate::connect::Account;
use crate::limits::Priority;
use crate::operations::{DESCRIBE_CLUSTERS, GET_CALLER_IDENTITY, GET_NAMESPACE, Operation};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_servicediscovery::types::NamespaceType;
use privateservice_core::environment::{
    ClusterFacts, EnvironmentFacts, EnvironmentQuery, NamespaceFacts,
};
use privateservice_core::failure::Failure;
use privateservice_core::names;

impl Account {
    /// Looks at the parts of an Environment, each read at `priority`. Waits for the rate limits; meant for the few Environments,
    /// not for services.
    pub async fn look_at_environment(
        &self,
        query: &EnvironmentQuery,
        priority: Priority,
    ) -> EnvironmentFacts {
        let (account, cluster, namespace) = tokio::join!(
            Box::pin(self.caller_account(priority)),
            Box::pin(self.cluster(&query.cluster_arn, priority)),
            Box::pin(self.namespace(&query.namespace_arn, priority)),
        );
        EnvironmentFacts {
            account,
            cluster,
            namespace,
        }
    }

    /// The account of our credentials.
    ///
    /// # Errors
    /// That AWS did not say.
    pub async fn caller_account(&self, priority: Priority) -> Result<String, Failure> {
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
            active: found.status() == Some("ACTIVE"),
            capacity_providers: found.capacity_providers().to_vec(),
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
            arn: found.arn().unwrap_or(arn).to_owned(),
            name: found.name().unwrap_or_default().to_owned(),
            dns_private: found.r#type() == Some(&NamespaceType::DnsPrivate),
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
