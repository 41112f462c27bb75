//! RegisterTaskDefinition and DeregisterTaskDefinition.

use super::{Caller, unsendable};
use crate::connect::Account;
use crate::inventory::What;
use crate::operations::{DEREGISTER_TASK_DEFINITION, REGISTER_TASK_DEFINITION};
use crate::{clock, convert};
use privateservice_core::failure::Failure;
use privateservice_core::hash::Hash;
use privateservice_core::observed::Revision;
use privateservice_core::step::Outcome;
use privateservice_core::task_definition::TaskDefinition;
use std::collections::BTreeMap;

impl Account {
    /// Registers a revision; its ARN.
    pub(super) async fn register(
        &self,
        caller: Caller<'_>,
        definition: &TaskDefinition,
        tags: &BTreeMap<String, String>,
        hash: &Hash,
        intent: &Hash,
    ) -> Result<String, Failure> {
        let operation = REGISTER_TASK_DEFINITION;
        let input = convert::register(definition, tags).map_err(unsendable(operation))?;
        self.admit(caller, operation)?;
        let began = clock::now();
        let call = Box::pin(input.send_with(&self.clients.ecs));
        let answer = self.write(caller, operation, What::Newest, call).await?;
        let arn = answer
            .task_definition()
            .and_then(|made| made.task_definition_arn());
        let Some(arn) = arn.map(str::to_owned) else {
            return Err(Failure::Ambiguous {
                operation: operation.name,
                message: "the answer names no revision".to_owned(),
            });
        };
        let revision = Revision {
            arn: arn.clone(),
            hash: Some(hash.clone()),
            intent: Some(intent.clone()),
            active: true,
        };
        self.inventory.registered(caller.scope, revision, began);
        Ok(arn)
    }

    /// Makes a revision unusable for new deployments; that it is so already is as good.
    pub(super) async fn deregister(
        &self,
        caller: Caller<'_>,
        arn: &str,
    ) -> Result<Outcome, Failure> {
        let operation = DEREGISTER_TASK_DEFINITION;
        self.admit(caller, operation)?;
        // No fence: if its answer is lost, a later use of the revision finds out.
        let call = self
            .clients
            .ecs
            .deregister_task_definition()
            .task_definition(arn)
            .send();
        match self.calls.send(operation, call).await {
            Ok(_) => {}
            Err(error) if matches!(error.failure, Failure::RevisionGone { .. }) => {}
            Err(error) => return Err(error.failure),
        }
        self.inventory.revision_gone(caller.scope, arn);
        Ok(Outcome::TaskDefinitionDeregistered {
            arn: arn.to_owned(),
        })
    }
}
