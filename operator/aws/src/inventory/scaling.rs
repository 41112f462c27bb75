//! Reads of what scales services: targets, policies, scheduled actions and alarms, of many services at once. All of them are asked for by
//! name, so that nothing is listed and foreign things cost nothing.
//!
//! Where AWS has no Application Auto Scaling at all, that is a finding about the account and no failure of an object.

mod calls;

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::{Seen, Why};
use super::state::{ServiceId, State, service_id};
use super::{Before, Inventory, Need, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Lane, Priority};
use crate::timing::Timing;
use crate::{classify, clock};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use k8s_openapi::jiff::Timestamp;
use privateservice_core::fact::Fact;
use privateservice_core::failure::Failure;
use privateservice_core::names;
use privateservice_core::observed::Scope;
use privateservice_core::scaling::{Observed, Thing};
use std::collections::BTreeSet;
use std::error::Error;
use std::sync::Arc;
use std::time::Instant;

/// Services in one batch of calls: four names of alarms each fill one DescribeAlarms.
const BATCH: usize = 25;

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
        self.want(scope, &[Need::Scaling], Why::Verify, priority);
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
}

fn candidates<'a>(state: &'a State, timing: &Timing) -> Vec<Candidate<&'a ServiceId, Group<'a>>> {
    batch::candidates(
        &state.wanted_scaling,
        &state.scaling,
        timing,
        |id, record, at| {
            let group = match &record.failure {
                None | Some(Failure::Waiting { .. }) => Group::Together,
                Some(failure) if failure.may_pass() => Group::Together,
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
