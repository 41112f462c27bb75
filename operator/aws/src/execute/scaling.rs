//! The calls that change what scales a service. What is gone already when it is to be removed is as wanted. What a call has made is known from
//! its answer, so that making many services does not cost a read for each of its calls.

mod alarms;
mod policies;

use super::{Caller, Outputs};
use crate::calls::CallError;
use crate::connect::Account;
use crate::inventory::{Need, What};
use crate::operations::{
    DEREGISTER_SCALABLE_TARGET, Operation, PUT_METRIC_ALARM, REGISTER_SCALABLE_TARGET, TAG_TARGET,
    UNTAG_TARGET, UPDATE_SERVICE,
};
use crate::{clock, convert};
use aws_sdk_applicationautoscaling::types::{ScalableDimension, ServiceNamespace};
use aws_sdk_ecs::error::{ProvideErrorMetadata, SdkError};
use privateservice_api::meta;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::scaling::{
    Observed, ObservedTarget, Outcome, PolicyReference, ScalingStep, Target, Thing,
};
use std::collections::BTreeMap;
use std::collections::HashMap;
use std::error::Error;

/// The one dimension of an ECS service that scales.
const COUNT: ScalableDimension = ScalableDimension::EcsServiceDesiredCount;

impl Account {
    pub(super) async fn scale(
        &self,
        caller: Caller<'_>,
        step: &ScalingStep,
        outputs: &mut Outputs,
    ) -> Result<Outcome, Failure> {
        match step {
            ScalingStep::RegisterTarget { target, tags } => {
                self.register_target(caller, *target, tags.as_ref()).await
            }
            ScalingStep::TagTarget { arn, tags } => self.tag_target(caller, arn, tags).await,
            ScalingStep::UntagTarget { arn, keys } => self.untag_target(caller, arn, keys).await,
            ScalingStep::DeregisterTarget => self.deregister_target(caller).await,
            ScalingStep::PutPolicy { name, policy } => {
                let outcome = self.put_scaling_policy(caller, name, policy).await?;
                if let Outcome::PolicyPut { arn } = &outcome {
                    outputs.policies.insert(name.clone(), arn.clone());
                }
                Ok(outcome)
            }
            ScalingStep::DeletePolicy { name } => self.delete_scaling_policy(caller, name).await,
            ScalingStep::PutSchedule { name, action } => {
                self.put_schedule(caller, name, action).await
            }
            ScalingStep::DeleteSchedule { name } => self.delete_schedule(caller, name).await,
            ScalingStep::PutAlarm {
                name,
                alarm,
                calls,
                tags,
            } => {
                let policy = match calls {
                    PolicyReference::Known(arn) => arn,
                    PolicyReference::FromEarlierStep(policy) => {
                        // The step that would have made it did not run in this pass: plan again.
                        outputs
                            .policies
                            .get(policy)
                            .ok_or_else(|| Failure::Conflict {
                                operation: PUT_METRIC_ALARM.name,
                                message: "an earlier step has not yielded what this one needs"
                                    .to_owned(),
                            })?
                    }
                };
                self.put_alarm(caller, name, alarm, policy, tags).await
            }
            ScalingStep::TagAlarm { arn, tags, .. } => self.tag_alarm(caller, arn, tags).await,
            ScalingStep::UntagAlarm { arn, keys } => self.untag_alarm(caller, arn, keys).await,
            ScalingStep::DeleteAlarms { names } => self.delete_alarms(caller, names).await,
            ScalingStep::SetCount {
                cluster_arn,
                arn,
                count,
            } => self.set_count(caller, cluster_arn, arn, *count).await,
        }
    }

    /// Sends a call about scaling that has been admitted; `change` is what it has made of what was known before.
    async fn write_scaling<T, E>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        call: impl Future<Output = Result<T, SdkError<E>>>,
        change: impl FnOnce(&T, &mut Observed),
    ) -> Result<T, CallError<E>>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let began = clock::now();
        // Boxed: the SDK's futures are large.
        let call = Box::pin(call);
        let (result, before) = self
            .write_and_keep(caller, operation, What::Scaling, call)
            .await;
        if let Ok(answer) = &result {
            self.inventory
                .scaled(caller.scope, before, began, |seen| change(answer, seen));
        }
        result
    }

    /// Sends a call that puts our tags on a target or an alarm.
    async fn make_ours<T, E>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        arn: &str,
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<Outcome, Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        self.write_scaling(caller, operation, call, |_, _| {})
            .await?;
        let owner = Some(caller.owner.clone());
        self.inventory.learn_owner(caller.scope, arn, owner);
        Ok(Outcome::Done)
    }

    /// Sends a call that takes these tags away, ours among them if the thing is given up.
    async fn untag<T, E>(
        &self,
        caller: Caller<'_>,
        operation: Operation,
        arn: &str,
        keys: &[String],
        call: impl Future<Output = Result<T, SdkError<E>>>,
    ) -> Result<Outcome, Failure>
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let result = self.write_scaling(caller, operation, call, |_, _| {}).await;
        unless_gone(result.map(drop))?;
        if keys.iter().any(|key| key == meta::TAG_OWNER) {
            self.inventory.learn_owner(caller.scope, arn, None);
        }
        Ok(Outcome::Done)
    }

    async fn register_target(
        &self,
        caller: Caller<'_>,
        target: Target,
        tags: Option<&BTreeMap<String, String>>,
    ) -> Result<Outcome, Failure> {
        let operation = REGISTER_SCALABLE_TARGET;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .register_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .min_capacity(target.bounds.min)
            .max_capacity(target.bounds.max)
            .suspended_state(convert::suspended(target.suspended))
            .set_tags(tags.map(|tags| tags.clone().into_iter().collect::<HashMap<_, _>>()))
            .send();
        let answer = self
            .write_scaling(caller, operation, call, |answer, seen| {
                let known = seen.target.take().and_then(|known| known.arn);
                let arn = answer.scalable_target_arn().map(str::to_owned).or(known);
                seen.missing.remove(&Thing::Target);
                seen.target = Some(ObservedTarget { arn, target });
            })
            .await?;
        // It moves the count into the bounds.
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        let arn = answer.scalable_target_arn().map(str::to_owned);
        if let Some(arn) = arn.as_ref().filter(|_| tags.is_some()) {
            let owner = Some(caller.owner.clone());
            self.inventory.learn_owner(caller.scope, arn, owner);
        }
        Ok(Outcome::TargetRegistered { arn })
    }

    async fn deregister_target(&self, caller: Caller<'_>) -> Result<Outcome, Failure> {
        let operation = DEREGISTER_SCALABLE_TARGET;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .deregister_scalable_target()
            .service_namespace(ServiceNamespace::Ecs)
            .resource_id(resource(caller))
            .scalable_dimension(COUNT)
            .send();
        let result = self
            .write_scaling(caller, operation, call, |_, seen| {
                seen.target = None;
                seen.policies.clear();
                seen.schedules.clear();
            })
            .await;
        unless_gone(result.map(drop))
    }

    async fn tag_target(
        &self,
        caller: Caller<'_>,
        arn: &str,
        tags: &BTreeMap<String, String>,
    ) -> Result<Outcome, Failure> {
        let operation = TAG_TARGET;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .tag_resource()
            .resource_arn(arn)
            .set_tags(Some(tags.clone().into_iter().collect()))
            .send();
        self.make_ours(caller, operation, arn, call).await
    }

    async fn untag_target(
        &self,
        caller: Caller<'_>,
        arn: &str,
        keys: &[String],
    ) -> Result<Outcome, Failure> {
        let operation = UNTAG_TARGET;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .scaling
            .untag_resource()
            .resource_arn(arn)
            .set_tag_keys(Some(keys.to_vec()))
            .send();
        self.untag(caller, operation, arn, keys, call).await
    }

    async fn set_count(
        &self,
        caller: Caller<'_>,
        cluster_arn: &str,
        arn: &str,
        count: i32,
    ) -> Result<Outcome, Failure> {
        let operation = UPDATE_SERVICE;
        self.admit(caller, operation)?;
        let call = self
            .clients
            .ecs
            .update_service()
            .cluster(cluster_arn)
            .service(arn)
            .desired_count(count)
            .send();
        self.write(caller, operation, What::Service, Box::pin(call))
            .await?;
        self.inventory
            .look_again(caller.scope, &[Need::Service], caller.priority);
        Ok(Outcome::Done)
    }
}

fn resource(caller: Caller<'_>) -> String {
    names::scalable_resource(&caller.scope.cluster_arn, &caller.scope.service)
}

/// A removal of what is not there has done what it was for.
fn unless_gone<E: ProvideErrorMetadata>(
    result: Result<(), CallError<E>>,
) -> Result<Outcome, Failure> {
    match result {
        Ok(()) => Ok(Outcome::Done),
        Err(error) if error.says_gone() => Ok(Outcome::Done),
        Err(error) => Err(error.failure),
    }
}
