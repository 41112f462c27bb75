//! The calls that change scaling policies and scheduled actions.

use super::{COUNT, Caller, resource, unless_gone};
use crate::connect::Account;
use crate::convert;
use crate::execute::unsendable;
use crate::operations::{
    DELETE_SCALING_POLICY, DELETE_SCHEDULED_ACTION, PUT_SCALING_POLICY, PUT_SCHEDULED_ACTION,
};
use aws_sdk_applicationautoscaling::operation::put_scaling_policy::builders::PutScalingPolicyInputBuilder;
use aws_sdk_applicationautoscaling::types::ServiceNamespace;
use privateservice_core::failure::Failure;
use privateservice_core::scaling::{ObservedPolicy, Outcome, Policy, ScheduledAction, Thing};

impl Account {
    pub(super) async fn put_scaling_policy(
        &self,
        caller: Caller<'_>,
        name: &str,
        policy: &Policy,
    ) -> Result<Outcome, Failure> {
        let operation = PUT_SCALING_POLICY;
        let input = PutScalingPolicyInputBuilder::default()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .policy_name(name);
        let input = convert::put_policy(input, policy).map_err(unsendable(operation))?;
        self.admit(caller, operation)?;
        let call = input.send_with(&self.clients.scaling);
        let answer = self
            .write_scaling(caller, operation, call, |answer, seen| {
                let made = ObservedPolicy {
                    arn: answer.policy_arn().to_owned(),
                    policy: policy.clone(),
                };
                seen.missing.remove(&Thing::Policy(name.to_owned()));
                seen.policies.insert(name.to_owned(), made);
            })
            .await?;
        Ok(Outcome::PolicyPut {
            arn: answer.policy_arn().to_owned(),
        })
    }

    pub(super) async fn delete_scaling_policy(
        &self,
        caller: Caller<'_>,
        name: &str,
    ) -> Result<Outcome, Failure> {
        let operation = DELETE_SCALING_POLICY;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .delete_scaling_policy()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .policy_name(name)
            .send();
        let result = self
            .write_scaling(caller, operation, call, |_, seen| {
                seen.policies.remove(name);
            })
            .await;
        unless_gone(result.map(drop))
    }

    pub(super) async fn put_schedule(
        &self,
        caller: Caller<'_>,
        name: &str,
        action: &ScheduledAction,
    ) -> Result<Outcome, Failure> {
        let operation = PUT_SCHEDULED_ACTION;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .put_scheduled_action()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .scheduled_action_name(name)
            .schedule(&action.expression)
            // A zone that is left out keeps its value (AWS: PutScheduledAction updates what is given).
            .set_timezone(
                ScheduledAction::has_zone(&action.expression)
                    .then(|| action.timezone.clone().unwrap_or_else(|| "UTC".to_owned())),
            )
            .scalable_target_action(convert::sets(action))
            .send();
        self.write_scaling(caller, operation, call, |_, seen| {
            seen.missing.remove(&Thing::Schedule(name.to_owned()));
            seen.asked.insert(name.to_owned());
            seen.schedules.insert(name.to_owned(), action.clone());
        })
        .await?;
        Ok(Outcome::Done)
    }

    pub(super) async fn delete_schedule(
        &self,
        caller: Caller<'_>,
        name: &str,
    ) -> Result<Outcome, Failure> {
        let operation = DELETE_SCHEDULED_ACTION;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .delete_scheduled_action()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .scheduled_action_name(name)
            .send();
        let result = self
            .write_scaling(caller, operation, call, |_, seen| {
                seen.schedules.remove(name);
                seen.asked.insert(name.to_owned());
            })
            .await;
        unless_gone(result.map(drop))
    }
}
