//! The calls that change an ECS service.

use super::{Caller, Outputs, resolve, unsendable};
use crate::connect::Account;
use crate::convert;
use crate::inventory::{Need, What};
use crate::operations::{
    CREATE_SERVICE, DELETE_SERVICE, TAG_RESOURCE, UNTAG_RESOURCE, UPDATE_SERVICE,
};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use privateservice_core::failure::Failure;
use privateservice_core::step::{CreateService, Outcome, UpdateService};
use std::collections::BTreeMap;

impl Account {
    pub(super) async fn create_service(
        &self,
        caller: Caller<'_>,
        step: &CreateService,
        outputs: &Outputs,
    ) -> Result<Outcome, Failure> {
        let operation = CREATE_SERVICE;
        let revision = resolve(
            &step.task_definition,
            outputs.task_definition.as_deref(),
            operation,
        )?;
        let registry = step
            .registry
            .as_ref()
            .map(|reference| resolve(reference, outputs.registry.as_deref(), operation))
            .transpose()?;
        let input =
            convert::create_service(step, revision, registry).map_err(unsendable(operation))?;
        self.admit(caller, operation)?;
        let call = Box::pin(input.send_with(&self.clients.ecs));
        let result = self.write(caller, operation, What::Service, call).await;
        let answer = result.map_err(|error| self.without(caller, revision, error.failure))?;
        // Whatever scaled a service of that name before went with it.
        self.inventory.touch(caller.scope, What::Scaling);
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        match answer.service().and_then(|service| service.service_arn()) {
            Some(arn) => Ok(Outcome::ServiceCreated {
                arn: arn.to_owned(),
            }),
            None => Err(Failure::Ambiguous {
                operation: operation.name,
                message: "the answer names no service".to_owned(),
            }),
        }
    }

    pub(super) async fn update_service(
        &self,
        caller: Caller<'_>,
        step: &UpdateService,
        outputs: &Outputs,
    ) -> Result<Outcome, Failure> {
        let operation = UPDATE_SERVICE;
        let revision = step
            .task_definition
            .as_ref()
            .map(|reference| resolve(reference, outputs.task_definition.as_deref(), operation))
            .transpose()?;
        let registries = step
            .registries
            .as_ref()
            .map(|references| {
                references
                    .iter()
                    .map(|reference| resolve(reference, outputs.registry.as_deref(), operation))
                    .collect::<Result<Vec<_>, _>>()
            })
            .transpose()?;
        let input = convert::update_service(step, revision, registries.as_deref())
            .map_err(unsendable(operation))?;
        self.admit(caller, operation)?;
        let call = Box::pin(input.send_with(&self.clients.ecs));
        let result = self.write(caller, operation, What::Service, call).await;
        let answer = result
            .map_err(|error| self.without(caller, revision.unwrap_or_default(), error.failure))?;
        self.inventory.look_again(
            caller.scope,
            &[Need::Service, Need::Deployment],
            caller.priority,
        );
        let primary = answer.service().and_then(|service| {
            service
                .deployments()
                .iter()
                .find(|one| one.status() == Some("PRIMARY"))
        });
        let deployment_id = primary.and_then(|one| one.id()).map(str::to_owned);
        Ok(Outcome::ServiceUpdated { deployment_id })
    }

    pub(super) async fn delete_service(
        &self,
        caller: Caller<'_>,
        cluster_arn: &str,
        arn: &str,
    ) -> Result<Outcome, Failure> {
        self.admit(caller, DELETE_SERVICE)?;
        let call = self
            .clients
            .ecs
            .delete_service()
            .cluster(cluster_arn)
            .service(arn)
            .force(true)
            .send();
        let result = self
            .write(caller, DELETE_SERVICE, What::Service, call)
            .await;
        match result {
            Ok(_) => {}
            // Somebody was faster, or this is the second time: gone, or going, is what we want.
            Err(error)
                if matches!(
                    error.error.code(),
                    Some("ServiceNotFoundException" | "ServiceNotActiveException")
                ) => {}
            Err(error) => return Err(error.failure),
        }
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        Ok(Outcome::ServiceDeleted)
    }

    pub(super) async fn tag_service(
        &self,
        caller: Caller<'_>,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        self.admit(caller, TAG_RESOURCE)?;
        let tags = Some(convert::ecs_tags(tags));
        let call = self
            .clients
            .ecs
            .tag_resource()
            .resource_arn(arn)
            .set_tags(tags)
            .send();
        self.write(caller, TAG_RESOURCE, What::Service, call)
            .await?;
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        Ok(Outcome::Tagged)
    }

    pub(super) async fn untag_service(
        &self,
        caller: Caller<'_>,
        arn: &str,
        keys: &[String],
    ) -> Result<Outcome, Failure> {
        self.admit(caller, UNTAG_RESOURCE)?;
        let keys = Some(keys.to_vec());
        let call = self
            .clients
            .ecs
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(keys)
            .send();
        self.write(caller, UNTAG_RESOURCE, What::Service, call)
            .await?;
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        Ok(Outcome::Tagged)
    }

    /// Remembers that a revision is gone, if that is what a failure says.
    fn without(&self, caller: Caller<'_>, revision: &str, failure: Failure) -> Failure {
        if matches!(failure, Failure::RevisionGone { .. }) {
            self.inventory.revision_gone(caller.scope, revision);
        }
        failure
    }
}
