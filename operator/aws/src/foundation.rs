//! CloudFormation: reading and changing the stack of an Environment.
//!
//! In: names and what is wanted. Out: plain facts, or a [`Failure`]. Calls wait for the rate limits: Environments are few. Invariant: what
//! is not there is told from what could not be read.

mod convert;
mod write;

use crate::connect::Account;
use crate::limits::Priority;
use crate::operations::{DESCRIBE_CHANGE_SET, DESCRIBE_STACK_EVENTS, DESCRIBE_STACKS};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use privateservice_core::failure::Failure;
use privateservice_core::foundation::{ChangeSet, Stack, failure};

/// Pages of a change set that are read; one of ours has some ten changes, and a page holds many more.
const PAGE_LIMIT: usize = 10;

impl Account {
    /// The stack of that name or ARN. One that was deleted is found by its ARN only.
    ///
    /// # Errors
    /// That it could not be read.
    pub async fn stack(&self, name: &str, priority: Priority) -> Result<Option<Stack>, Failure> {
        self.limits.admit(DESCRIBE_STACKS.bucket, priority).await;
        let call = self.clients.cloudformation.describe_stacks();
        let call = call.stack_name(name).send();
        match self.calls.send(DESCRIBE_STACKS, call).await {
            Ok(answer) => Ok(answer.stacks().first().map(convert::stack)),
            // CloudFormation has no code of its own for it (API reference, DescribeStacks: "If the stack does not exist, a
            // ValidationError is returned").
            Err(error) if is_missing(error.error.code(), error.error.message()) => Ok(None),
            Err(error) => Err(error.failure),
        }
    }

    /// A change set of a stack, with all it changes.
    ///
    /// # Errors
    /// That it could not be read.
    pub async fn change_set(
        &self,
        stack: &str,
        name: &str,
        priority: Priority,
    ) -> Result<Option<ChangeSet>, Failure> {
        let mut found: Option<ChangeSet> = None;
        let mut token = None;
        for _ in 0..PAGE_LIMIT {
            self.limits
                .admit(DESCRIBE_CHANGE_SET.bucket, priority)
                .await;
            let call = self.clients.cloudformation.describe_change_set();
            let call = call.stack_name(stack).change_set_name(name);
            let call = call.set_next_token(token.take()).send();
            let answer = match self.calls.send(DESCRIBE_CHANGE_SET, call).await {
                Ok(answer) => answer,
                Err(error) if is_missing(error.error.code(), error.error.message()) => {
                    return Ok(None);
                }
                Err(error) => return Err(error.failure),
            };
            let page = convert::change_set(&answer);
            match &mut found {
                Some(found) => found.changes.extend(page.changes),
                None => found = Some(page),
            }
            token = answer.next_token().map(str::to_owned);
            if token.is_none() {
                return Ok(found);
            }
        }
        Err(Failure::Ambiguous {
            operation: DESCRIBE_CHANGE_SET.name,
            message: format!("the change set {name} has more than {PAGE_LIMIT} pages"),
        })
    }

    /// Why the last operation of a stack failed, by its newest events (100, more than one of ours makes).
    ///
    /// # Errors
    /// That they could not be read.
    pub async fn stack_failure(
        &self,
        stack: &str,
        priority: Priority,
    ) -> Result<Option<String>, Failure> {
        self.limits
            .admit(DESCRIBE_STACK_EVENTS.bucket, priority)
            .await;
        let call = self.clients.cloudformation.describe_stack_events();
        let call = call.stack_name(stack).send();
        let answer = self.calls.send(DESCRIBE_STACK_EVENTS, call).await?;
        let events: Vec<_> = answer.stack_events().iter().map(convert::event).collect();
        Ok(failure(&events))
    }
}

/// True for the answers that mean "there is none".
fn is_missing(code: Option<&str>, message: Option<&str>) -> bool {
    match code {
        Some("ChangeSetNotFound" | "ChangeSetNotFoundException") => true,
        Some("ValidationError") => message.is_some_and(|text| text.contains("does not exist")),
        _ => false,
    }
}
