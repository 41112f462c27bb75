//! RegisterTaskDefinition.

use super::{Caller, unsendable};
use crate::connect::Account;
use crate::inventory::What;
use crate::operations::REGISTER_TASK_DEFINITION;
use crate::{clock, convert};
use privateservice_core::failure::Failure;
use privateservice_core::hash::Hash;
use privateservice_core::observed::Revision;
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
}
