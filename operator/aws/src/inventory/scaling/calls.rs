//! The calls that read what scales the services of one batch: targets, policies, scheduled actions, alarms, in this order, because the middle
//! two need a target.

use super::{Batch, Member, Refusal};
use crate::convert;
use crate::inventory::Inventory;
use crate::inventory::state::ServiceId;
use crate::limits::Priority;
use crate::operations::{
    DESCRIBE_ALARMS, DESCRIBE_SCALABLE_TARGETS, DESCRIBE_SCALING_POLICIES,
    DESCRIBE_SCHEDULED_ACTIONS, Operation,
};
use aws_sdk_applicationautoscaling::types::ServiceNamespace;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::scaling::Observed;
use std::collections::BTreeMap;

/// Names in one call to Application Auto Scaling (API reference, DescribeScalableTargets, DescribeScalingPolicies, DescribeScheduledActions:
/// up to 50).
const NAMES: usize = 50;
/// Names in one call to CloudWatch (API reference, DescribeAlarms).
const ALARMS: usize = 100;
/// More pages than that are an endless loop.
const MOST_PAGES: usize = 100;

impl Inventory {
    /// Everything that scales the members of a batch. The first call has been admitted.
    pub(super) async fn scaling_of(
        &self,
        batch: &Batch,
    ) -> Result<BTreeMap<ServiceId, Observed>, Refusal> {
        let by_resource: BTreeMap<String, &ServiceId> = batch
            .members
            .iter()
            .map(|member| (member.resource(), &member.id))
            .collect();
        let mut seen: BTreeMap<ServiceId, Observed> = batch
            .members
            .iter()
            .map(|member| (member.id.clone(), Observed::default()))
            .collect();
        self.targets(&by_resource, &mut seen).await?;
        // Policies and scheduled actions need a target (AWS: DeregisterScalableTarget deletes them).
        let targeted: Vec<&Member> = batch
            .members
            .iter()
            .filter(|member| seen.get(&member.id).is_some_and(|one| one.target.is_some()))
            .collect();
        let policies: Vec<String> = targeted
            .iter()
            .flat_map(|member| names::scaling_policies(&member.environment, &member.id.1))
            .collect();
        for names in policies.chunks(NAMES) {
            self.policies(names, &by_resource, batch.priority, &mut seen)
                .await?;
        }
        let schedules: Vec<String> = targeted
            .iter()
            .flat_map(|member| member.schedules.iter().cloned())
            .collect();
        for names in schedules.chunks(NAMES) {
            self.schedules(names, &by_resource, batch.priority, &mut seen)
                .await?;
        }
        for member in &batch.members {
            if let Some(one) = seen.get_mut(&member.id) {
                one.asked.clone_from(&member.schedules);
            }
        }
        self.alarms(batch, &mut seen).await?;
        Ok(seen)
    }

    async fn targets(
        &self,
        by_resource: &BTreeMap<String, &ServiceId>,
        seen: &mut BTreeMap<ServiceId, Observed>,
    ) -> Result<(), Refusal> {
        let call = self
            .clients
            .scaling
            .describe_scalable_targets()
            .service_namespace(ServiceNamespace::Ecs)
            .set_resource_ids(Some(by_resource.keys().cloned().collect()))
            .send();
        // 25 targets are on one page of 50.
        let answer = self.calls.send(DESCRIBE_SCALABLE_TARGETS, call).await?;
        if answer.next_token().is_some() {
            return Err(incomplete(DESCRIBE_SCALABLE_TARGETS));
        }
        for found in answer.scalable_targets() {
            if let Some(id) = by_resource.get(found.resource_id())
                && let Some(one) = seen.get_mut(*id)
            {
                one.target = Some(convert::observed_target(found));
            }
        }
        Ok(())
    }

    async fn policies(
        &self,
        names: &[String],
        by_resource: &BTreeMap<String, &ServiceId>,
        priority: Priority,
        seen: &mut BTreeMap<ServiceId, Observed>,
    ) -> Result<(), Refusal> {
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = self
                .clients
                .scaling
                .describe_scaling_policies()
                .service_namespace(ServiceNamespace::Ecs)
                .set_policy_names(Some(names.to_vec()))
                .set_next_token(token.take());
            let answer = self
                .further(DESCRIBE_SCALING_POLICIES, priority, || {
                    request.clone().send()
                })
                .await?;
            for found in answer.scaling_policies() {
                // A service of another cluster may have the same names.
                if let Some(id) = by_resource.get(found.resource_id())
                    && let Some(one) = seen.get_mut(*id)
                {
                    let policy = convert::observed_policy(found);
                    one.policies.insert(found.policy_name().to_owned(), policy);
                }
            }
            token = answer.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
        Err(incomplete(DESCRIBE_SCALING_POLICIES))
    }

    async fn schedules(
        &self,
        names: &[String],
        by_resource: &BTreeMap<String, &ServiceId>,
        priority: Priority,
        seen: &mut BTreeMap<ServiceId, Observed>,
    ) -> Result<(), Refusal> {
        let mut token: Option<String> = None;
        for _ in 0..MOST_PAGES {
            let request = self
                .clients
                .scaling
                .describe_scheduled_actions()
                .service_namespace(ServiceNamespace::Ecs)
                .set_scheduled_action_names(Some(names.to_vec()))
                .set_next_token(token.take());
            let answer = self
                .further(DESCRIBE_SCHEDULED_ACTIONS, priority, || {
                    request.clone().send()
                })
                .await?;
            for found in answer.scheduled_actions() {
                if let Some(id) = by_resource.get(found.resource_id())
                    && let Some(one) = seen.get_mut(*id)
                {
                    let action = convert::observed_schedule(found);
                    let name = found.scheduled_action_name().to_owned();
                    one.schedules.insert(name, action);
                }
            }
            token = answer.next_token;
            if token.is_none() {
                return Ok(());
            }
        }
        Err(incomplete(DESCRIBE_SCHEDULED_ACTIONS))
    }

    async fn alarms(
        &self,
        batch: &Batch,
        seen: &mut BTreeMap<ServiceId, Observed>,
    ) -> Result<(), Refusal> {
        let mut by_name: BTreeMap<String, Vec<&ServiceId>> = BTreeMap::new();
        for member in &batch.members {
            for name in names::scaling_alarms(&member.environment, &member.id.1) {
                by_name.entry(name).or_default().push(&member.id);
            }
        }
        let names: Vec<String> = by_name.keys().cloned().collect();
        for names in names.chunks(ALARMS) {
            let mut token: Option<String> = None;
            for page in 0.. {
                if page == MOST_PAGES {
                    return Err(incomplete(DESCRIBE_ALARMS));
                }
                let request = self
                    .clients
                    .cloudwatch
                    .describe_alarms()
                    .set_alarm_names(Some(names.to_vec()))
                    .set_next_token(token.take());
                let answer = self
                    .further(DESCRIBE_ALARMS, batch.priority, || request.clone().send())
                    .await?;
                for (name, alarm) in answer
                    .metric_alarms()
                    .iter()
                    .filter_map(convert::observed_alarm)
                {
                    for id in by_name.get(&name).into_iter().flatten() {
                        if let Some(one) = seen.get_mut(*id) {
                            one.alarms.insert(name.clone(), alarm.clone());
                        }
                    }
                }
                token = answer.next_token;
                if token.is_none() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn incomplete(operation: Operation) -> Refusal {
    Refusal {
        failure: Failure::Ambiguous {
            operation: operation.name,
            message: "the answer does not end".to_owned(),
        },
        unsupported: false,
    }
}
