//! Changing a stack. Each call changes AWS once; the SDK repeats nothing.

use crate::connect::Account;
use crate::limits::Priority;
use crate::operations::{
    CREATE_CHANGE_SET, DELETE_CHANGE_SET, DELETE_STACK, EXECUTE_CHANGE_SET, SET_STACK_POLICY,
};
use aws_sdk_cloudformation::types::{Capability, ChangeSetType, Parameter, Tag};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use privateservice_core::failure::Failure;
use privateservice_core::foundation::{ChangeSetKind, Wanted};

impl Account {
    /// Has a change set computed that leads to `wanted`; the ARN of its stack.
    ///
    /// # Errors
    /// AWS's; [`Failure::Conflict`] if there is one of that name already.
    pub async fn create_change_set(
        &self,
        wanted: &Wanted,
        name: &str,
        kind: ChangeSetKind,
        priority: Priority,
    ) -> Result<Option<String>, Failure> {
        let parameters = wanted.parameters.iter().map(|(key, value)| {
            let parameter = Parameter::builder().parameter_key(key);
            parameter.parameter_value(value).build()
        });
        let tags = wanted.tags.iter();
        let tags = tags.map(|(key, value)| Tag::builder().key(key).value(value).build());
        self.limits.admit(CREATE_CHANGE_SET.bucket, priority).await;
        let call = self.clients.cloudformation.create_change_set();
        let call = call
            .stack_name(&wanted.stack)
            .change_set_name(name)
            .change_set_type(match kind {
                ChangeSetKind::Create => ChangeSetType::Create,
                ChangeSetKind::Update => ChangeSetType::Update,
            })
            .template_body(&wanted.template)
            .set_parameters(Some(parameters.collect()))
            .set_tags(Some(tags.collect()))
            .set_role_arn(wanted.role_arn.clone())
            // The roles have no names of their own, so that the weaker one is enough.
            .capabilities(Capability::CapabilityIam);
        let answer = match self.calls.send(CREATE_CHANGE_SET, call.send()).await {
            Ok(answer) => answer,
            Err(error) if error.error.code() == Some("AlreadyExistsException") => {
                return Err(Failure::Conflict {
                    operation: CREATE_CHANGE_SET.name,
                    message: format!("there is a stack or a change set {name} already"),
                });
            }
            Err(error) => return Err(error.failure),
        };
        Ok(answer.stack_id().map(str::to_owned))
    }

    /// Removes a change set; fine if there is none.
    ///
    /// # Errors
    /// AWS's.
    pub async fn delete_change_set(
        &self,
        stack: &str,
        name: &str,
        priority: Priority,
    ) -> Result<(), Failure> {
        self.limits.admit(DELETE_CHANGE_SET.bucket, priority).await;
        let call = self.clients.cloudformation.delete_change_set();
        let call = call.stack_name(stack).change_set_name(name).send();
        self.calls.send(DELETE_CHANGE_SET, call).await?;
        Ok(())
    }

    /// Runs a change set. The same token runs it once.
    ///
    /// # Errors
    /// AWS's.
    pub async fn execute_change_set(
        &self,
        stack: &str,
        name: &str,
        token: &str,
        priority: Priority,
    ) -> Result<(), Failure> {
        self.limits.admit(EXECUTE_CHANGE_SET.bucket, priority).await;
        let call = self.clients.cloudformation.execute_change_set();
        let call = call
            .stack_name(stack)
            .change_set_name(name)
            .client_request_token(token)
            .send();
        self.calls.send(EXECUTE_CHANGE_SET, call).await?;
        Ok(())
    }

    /// Sets what updates of the stack may do.
    ///
    /// # Errors
    /// AWS's.
    pub async fn set_stack_policy(
        &self,
        stack: &str,
        policy: &str,
        priority: Priority,
    ) -> Result<(), Failure> {
        self.limits.admit(SET_STACK_POLICY.bucket, priority).await;
        let call = self.clients.cloudformation.set_stack_policy();
        let call = call.stack_name(stack).stack_policy_body(policy).send();
        self.calls.send(SET_STACK_POLICY, call).await?;
        Ok(())
    }

    /// Begins the deletion of a stack.
    ///
    /// # Errors
    /// AWS's.
    pub async fn delete_stack(
        &self,
        stack: &str,
        role_arn: Option<&str>,
        priority: Priority,
    ) -> Result<(), Failure> {
        self.limits.admit(DELETE_STACK.bucket, priority).await;
        let call = self.clients.cloudformation.delete_stack();
        let call = call
            .stack_name(stack)
            .set_role_arn(role_arn.map(str::to_owned))
            .send();
        self.calls.send(DELETE_STACK, call).await?;
        Ok(())
    }
}
