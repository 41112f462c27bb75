//! Executes one step of a plan: one admitted call, classified, with the inventory told before and after.
//!
//! In: a step, and the ARNs earlier steps of its plan yielded. Out: the outcome, or the one [`Failure`]. Nothing is decided here beyond what
//! AWS's answers mean; nothing is retried. What carries somebody else's tag in Cloud Map is never deleted or untagged.

mod discovery;
mod rollout;
pub mod secrets;
mod services;
mod task_definition;
mod writing;

use crate::connect::Account;
use crate::convert::Incomplete;
use crate::limits::Priority;
use crate::operations::Operation;
use privateservice_api::conditions::Reason;
use privateservice_core::failure::Failure;
use privateservice_core::observed::Scope;
use privateservice_core::owner::{ObjectKey, Owner};
use privateservice_core::step::{Outcome, Reference, Step};

/// What earlier steps of the same plan yielded. Start each plan with an empty one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outputs {
    /// ARN of the revision that was registered.
    pub task_definition: Option<String>,
    /// ARN of the Cloud Map service that was created.
    pub registry: Option<String>,
}

/// Who a call is made for.
#[derive(Clone, Copy, Debug)]
struct Caller<'a> {
    key: &'a ObjectKey,
    owner: &'a Owner,
    scope: &'a Scope,
    priority: Priority,
}

impl Account {
    /// Executes a step for an object that the inventory follows. [`Failure::Queued`] means that the limits had no call to
    /// spare: the object is woken when its turn comes.
    ///
    /// Dropping the future while a call is under way leaves what it touches Unknown.
    pub async fn execute(
        &self,
        step: &Step,
        outputs: &mut Outputs,
        owner: &Owner,
        key: &ObjectKey,
        priority: Priority,
    ) -> Result<Outcome, Failure> {
        let Some((scope, _)) = self.inventory.place_of(key) else {
            return Err(Failure::Conflict {
                operation: step.operation(),
                message: "the object is not followed by the inventory".to_owned(),
            });
        };
        let caller = Caller {
            key,
            owner,
            scope: &scope,
            priority,
        };
        match step {
            Step::CreateDnsService { dns, tags } => {
                let outcome = self.create_dns(caller, dns, tags).await?;
                if let Outcome::DnsServiceCreated { arn, .. } = &outcome {
                    outputs.registry = Some(arn.clone());
                }
                Ok(outcome)
            }
            Step::RegisterTaskDefinition {
                task_definition,
                tags,
                hash,
                intent,
            } => {
                let arn = self
                    .register(caller, task_definition, tags, hash, intent)
                    .await?;
                outputs.task_definition = Some(arn.clone());
                Ok(Outcome::TaskDefinitionRegistered {
                    arn,
                    hash: hash.clone(),
                })
            }
            Step::CreateService(create) => self.create_service(caller, create, outputs).await,
            Step::UpdateService(update) => self.update_service(caller, update, outputs).await,
            Step::StopServiceDeployment { arn, .. } => self.stop_deployment(caller, arn).await,
            Step::DeregisterTaskDefinition { arn } => self.deregister(caller, arn).await,
            Step::TagService { arn, tags } => self.tag_service(caller, arn, tags).await,
            Step::UntagService { arn, keys } => self.untag_service(caller, arn, keys).await,
            Step::DeleteService { cluster_arn, arn } => {
                self.delete_service(caller, cluster_arn, arn).await
            }
            Step::TagDnsService { arn, tags } => self.tag_dns(caller, arn, tags).await,
            Step::UntagDnsService { arn, keys } => self.untag_dns(caller, arn, keys).await,
            Step::DeleteDnsService { id } => self.delete_dns(caller, id).await,
        }
    }
}

/// The ARN a reference stands for.
fn resolve<'a>(
    reference: &'a Reference,
    output: Option<&'a str>,
    operation: Operation,
) -> Result<&'a str, Failure> {
    match reference {
        Reference::Known(arn) => Ok(arn),
        // The step that would have made it did not run in this pass: plan again.
        Reference::FromEarlierStep => output.ok_or_else(|| Failure::Conflict {
            operation: operation.name,
            message: "an earlier step has not yielded what this one needs".to_owned(),
        }),
    }
}

/// The plan's step cannot be sent as it is.
fn unsendable(operation: Operation) -> impl Fn(Incomplete) -> Failure {
    move |error| Failure::Refused {
        operation: operation.name,
        message: error.to_string(),
        reason: Reason::InvalidSpec,
    }
}
