//! Reads of what scales services: targets, policies, scheduled actions and alarms, of many services at once. All of them are asked for by
//! name, so that nothing is listed and foreign things cost nothing.
//!
//! Where AWS has no Application Auto Scaling at all, that is a finding about the account and no failure of an object.

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::{Seen, Why};
use super::state::{ServiceId, State, service_id};
use super::{Before, Inventory, Need, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Lane, Priority};
use crate::operations::{
    DESCRIBE_ALARMS, DESCRIBE_SCALABLE_TARGETS, DESCRIBE_SCALING_POLICIES,
    DESCRIBE_SCHEDULED_ACTIONS, Operation,
};
use crate::timing::Timing;
use crate::{classify, clock, convert};
use aws_sdk_applicationautoscaling::types::ServiceNamespace;
use aws_sdk_ecs::error::ProvideErrorMetadata;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::Scope;
use privateservice_core::scaling::{Observed, Thing};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Services in one batch of calls: four names of alarms each fill one DescribeAlarms.
const BATCH: usize = 25;
/// Names in one call to Application Auto Scaling (API reference, DescribeScalableTargets, DescribeScalingPolicies, DescribeScheduledActions:
/// up to 50).
const NAMES: usize = 50;
/// Names in one call to CloudWatch (API reference, DescribeAlarms).
const ALARMS: usize = 100;
/// More pages than that are an endless loop.
const MOST_PAGES: usize = 100;

/// Which reads share calls.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Group<'a> {
    /// Whatever has given no trouble.
    Together,
    /// What AWS refused may be the fault of one.
    Alone(&'a ServiceId),
}

#[derive(Debug)]
struct Member {
    id: ServiceId,
    environment: String,
    schedules: BTreeSet<String>,
}

impl Member {
    fn resource(&self) -> String {
        names::scalable_resource(&self.id.0, &self.id.1)
    }

    fn looked_for(&self) -> Vec<Thing> {
        let policies = names::scaling_policies(&self.environment, &self.id.1);
        let alarms = names::scaling_alarms(&self.environment, &self.id.1);
        std::iter::once(Thing::Target)
            .chain(policies.map(Thing::Policy))
            .chain(alarms.map(Thing::Alarm))
            .chain(self.schedules.iter().cloned().map(Thing::Schedule))
            .collect()
    }
}

#[derive(Debug)]
struct Batch {
    start: u64,
    priority: Priority,
    members: Vec<Member>,
}

/// A read that failed.
struct Refusal {
    failure: Failure,
    /// There is no such service of AWS here.
    unsupported: bool,
}

impl<E: ProvideErrorMetadata + Error + 'static> From<CallError<E>> for Refusal {
    fn from(error: CallError<E>) -> Self {
        Self {
            unsupported: classify::is_unknown_service(&error.error),
            failure: error.failure,
        }
    }
}

impl Inventory {
    /// Says which scheduled actions of a service may be there, beside what has a name of its own.
    pub fn follow_schedules(&self, scope: &Scope, names: BTreeSet<String>) {
        let id = service_id(scope);
        let mut state = self.lock();
        if state.scaling.contains_key(&id) {
            state.schedules.insert(id, names);
        }
    }

    /// AWS's answer to a write of ours, sent at `began`, tells what scales the service now, if that was known before it.
    pub(crate) fn scaled(
        &self,
        scope: &Scope,
        before: Option<Before>,
        began: Timestamp,
        change: impl FnOnce(&mut Observed),
    ) {
        let Some(Before::Scaling(fact)) = before else {
            return;
        };
        let Fact::Present {
            value: mut seen, ..
        } = *fact
        else {
            return;
        };
        change(&mut seen);
        let id = service_id(scope);
        if let Some(record) = self.lock().scaling.get_mut(&id) {
            record.learn(seen, began);
        }
    }

    /// Has what scales a service read again some time, in company: nobody waits for it, and only a difference wakes somebody.
    pub fn verify_scaling(&self, scope: &Scope) {
        let priority = Priority {
            lane: Lane::Bulk,
            since: clock::now(),
        };
        self.want(scope, &[Need::Scaling], Why::Sweep, priority);
    }

    /// Why the last read of what scales a service failed, if the last one did.
    pub fn scaling_failure(&self, scope: &Scope) -> Option<Failure> {
        let id = service_id(scope);
        let state = self.lock();
        let of_tags = || {
            state
                .owners
                .iter()
                .find(|((service, _), record)| *service == id && record.failure.is_some())
                .and_then(|(_, record)| record.failure.clone())
        };
        state
            .scaling
            .get(&id)
            .and_then(|record| record.failure.clone())
            .or_else(of_tags)
    }

    /// Reads what is wanted. Never returns.
    pub(super) async fn read_scaling(self: Arc<Self>) {
        self.read_as_admitted(
            Bucket::AutoScalingRead,
            &self.scaling_reads,
            next,
            take_batch,
            |batch| drop(tokio::spawn(Arc::clone(&self).read_scaling_batch(batch))),
        )
        .await;
    }

    async fn read_scaling_batch(self: Arc<Self>, batch: Batch) {
        let began = clock::now();
        // Boxed: the SDK's futures are large.
        let result = Box::pin(self.scaling_of(&batch)).await;
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let unsupported = match &result {
            Ok(_) => Some(false),
            Err(refusal) => refusal.unsupported.then_some(true),
        };
        let changed = unsupported.filter(|unsupported| *unsupported != state.scaling_unsupported);
        state.scaling_unsupported = unsupported.unwrap_or(state.scaling_unsupported);
        for member in &batch.members {
            let Some(record) = state.scaling.get_mut(&member.id) else {
                continue;
            };
            let seen = match &result {
                Ok(seen) => {
                    let mut seen = seen.get(&member.id).cloned().unwrap_or_default();
                    // Whoever makes it again may be somebody else.
                    let mut shown: Vec<&str> =
                        seen.alarms.values().map(|one| one.arn.as_str()).collect();
                    shown.extend(seen.target.iter().filter_map(|one| one.arn.as_deref()));
                    state
                        .owners
                        .retain(|(id, arn), _| *id != member.id || shown.contains(&arn.as_str()));
                    seen.miss(member.looked_for(), record.fact.present(), began);
                    Seen::Present(seen)
                }
                Err(refusal) => Seen::Failed(refusal.failure.clone()),
            };
            let news = record.complete(batch.start, seen, began, now, &self.timing);
            if news || changed.is_some() {
                self.wake(&record.watchers);
            }
            if record.wanted().is_some() {
                state.wanted_scaling.insert(member.id.clone());
            }
        }
        drop(guard);
        match changed {
            Some(true) => tracing::warn!(
                failure = result.err().map(|refusal| refusal.failure.to_string()),
                "there is no Application Auto Scaling here: services are not scaled"
            ),
            Some(false) => tracing::warn!("there is Application Auto Scaling now"),
            None => {}
        }
        self.scaling_reads.notify_one();
    }

    /// Everything that scales the members of a batch. The first call has been admitted.
    async fn scaling_of(&self, batch: &Batch) -> Result<BTreeMap<ServiceId, Observed>, Refusal> {
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
            self.limits.admit(Bucket::AutoScalingRead, priority).await;
            let call = self
                .clients
                .scaling
                .describe_scaling_policies()
                .service_namespace(ServiceNamespace::Ecs)
                .set_policy_names(Some(names.to_vec()))
                .set_next_token(token.take())
                .send();
            let answer = self.calls.send(DESCRIBE_SCALING_POLICIES, call).await?;
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
            self.limits.admit(Bucket::AutoScalingRead, priority).await;
            let call = self
                .clients
                .scaling
                .describe_scheduled_actions()
                .service_namespace(ServiceNamespace::Ecs)
                .set_scheduled_action_names(Some(names.to_vec()))
                .set_next_token(token.take())
                .send();
            let answer = self.calls.send(DESCRIBE_SCHEDULED_ACTIONS, call).await?;
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
                self.limits.admit(Bucket::AlarmRead, batch.priority).await;
                let call = self
                    .clients
                    .cloudwatch
                    .describe_alarms()
                    .set_alarm_names(Some(names.to_vec()))
                    .set_next_token(token.take())
                    .send();
                let answer = self.calls.send(DESCRIBE_ALARMS, call).await?;
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

fn candidates<'a>(state: &'a State, timing: &Timing) -> Vec<Candidate<&'a ServiceId, Group<'a>>> {
    batch::candidates(
        &state.wanted_scaling,
        &state.scaling,
        timing,
        |id, record, at| {
            let group = match &record.failure {
                None | Some(Failure::Ambiguous { .. } | Failure::Throttled { .. }) => {
                    Group::Together
                }
                Some(Failure::Waiting { .. }) => Group::Together,
                Some(_) => Group::Alone(id),
            };
            Some((group, at))
        },
    )
}

fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    batch::forget_unwanted(&mut state.wanted_scaling, &state.scaling);
    batch::when(&candidates(state, timing), BATCH, now, timing)
}

fn take_batch(state: &mut State, now: Instant, timing: &Timing) -> Option<Batch> {
    let (chosen, priority) = batch::choose(candidates(state, timing), BATCH, now, timing)?;
    let members: Vec<Member> = chosen
        .into_iter()
        .map(|id| Member {
            id: id.clone(),
            environment: state.environments.get(id).cloned().unwrap_or_default(),
            schedules: state.schedules.get(id).cloned().unwrap_or_default(),
        })
        .collect();
    let start = state.next();
    for member in &members {
        state.wanted_scaling.remove(&member.id);
        if let Some(record) = state.scaling.get_mut(&member.id) {
            record.begin(start);
        }
    }
    Some(Batch {
        start,
        priority,
        members,
    })
}
