//! Reads of the tags of scalable targets and alarms, one at a time: only of those that status does not remember as ours, as after it was
//! lost.

use super::record::{IDLE, Seen};
use super::state::{OwnerId, State};
use super::{Inventory, now};
use crate::calls::CallError;
use crate::limits::{Bucket, Priority};
use crate::operations::{LIST_ALARM_TAGS, LIST_TARGET_TAGS};
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use privateservice_core::failure::Failure;
use privateservice_core::observed::Scope;
use privateservice_core::owner::Owner;
use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

/// What to do next.
enum Next {
    Read(OwnerId, u64, Priority),
    At(Instant),
}

/// Why tags could not be read.
struct Unread {
    failure: Failure,
    /// There is no such thing any more.
    gone: bool,
}

impl<E: ProvideErrorMetadata> From<CallError<E>> for Unread {
    fn from(error: CallError<E>) -> Self {
        Self {
            gone: error.says_gone(),
            failure: error.into_failure(),
        }
    }
}

impl Inventory {
    /// Reads what is wanted. Never returns.
    pub(super) async fn read_owners(self: Arc<Self>) {
        loop {
            let next = next(&mut self.lock(), now(), &self.timing);
            match next {
                Next::At(at) => {
                    tokio::select! {
                        () = tokio::time::sleep_until(at.into()) => {}
                        () = self.owner_reads.notified() => {}
                    }
                }
                Next::Read(id, start, priority) => {
                    tokio::spawn(Arc::clone(&self).read_owner(id, start, priority));
                }
            }
        }
    }

    async fn read_owner(self: Arc<Self>, id: OwnerId, start: u64, priority: Priority) {
        let (_, arn) = &id;
        let is_alarm = arn.split(':').nth(2) == Some("cloudwatch");
        let bucket = if is_alarm {
            Bucket::AlarmTags
        } else {
            Bucket::AutoScalingRead
        };
        self.limits.admit(bucket, priority).await;
        let began = clock::now();
        let tags = if is_alarm {
            Box::pin(self.alarm_tags(arn)).await
        } else {
            Box::pin(self.target_tags(arn)).await
        };
        let (seen, gone) = match tags {
            Ok(tags) => (Seen::Present(convert::owner_in(&tags)), false),
            Err(unread) => (Seen::Failed(unread.failure), unread.gone),
        };
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        if gone {
            // What showed it is older than this answer: it has to be read again before anything is made of it.
            let sequence = state.next();
            if let Some(scaling) = state.scaling.get_mut(&id.0) {
                scaling.touch(sequence);
            }
        }
        if let Some(record) = state.owners.get_mut(&id) {
            if record.complete(start, seen, began, now, &self.timing) {
                self.wake(&record.watchers);
            }
            if record.wanted().is_some() {
                state.wanted_owners.insert(id.clone());
            }
        }
        drop(guard);
        self.owner_reads.notify_one();
    }

    async fn target_tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Unread> {
        let call = self
            .clients
            .scaling
            .list_tags_for_resource()
            .resource_arn(arn)
            .send();
        let answer = self.calls.send(LIST_TARGET_TAGS, call).await;
        let answer = answer.map_err(Unread::from)?;
        Ok(answer
            .tags()
            .cloned()
            .unwrap_or_default()
            .into_iter()
            .collect())
    }

    async fn alarm_tags(&self, arn: &str) -> Result<BTreeMap<String, String>, Unread> {
        let call = self
            .clients
            .cloudwatch
            .list_tags_for_resource()
            .resource_arn(arn)
            .send();
        let answer = self.calls.send(LIST_ALARM_TAGS, call).await;
        let answer = answer.map_err(Unread::from)?;
        Ok(convert::from_alarm(answer.tags()))
    }

    /// Remembers the owner that a write of ours has put into tags, or taken out of them.
    pub(crate) fn learn_owner(&self, scope: &Scope, arn: &str, owner: Option<Owner>) {
        let id = (super::state::service_id(scope), arn.to_owned());
        let mut state = self.lock();
        if let Some(record) = state.owner_record(&id) {
            record.learn(owner, clock::now());
        }
    }
}

/// The most urgent read that is ready; it is marked as under way.
fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    let records = &state.owners;
    state
        .wanted_owners
        .retain(|id| records.get(id).is_some_and(|one| one.wanted().is_some()));
    let mut best: Option<(&OwnerId, Priority)> = None;
    let mut soonest: Option<Instant> = None;
    for id in &state.wanted_owners {
        let wanted = records
            .get(id)
            .and_then(|record| Some((record.wanted()?.priority, record.ready_at(timing)?)));
        let Some((priority, at)) = wanted else {
            continue;
        };
        if at > now {
            soonest = Some(soonest.map_or(at, |other| other.min(at)));
        } else if best.is_none_or(|(_, other)| priority.is_before(other)) {
            best = Some((id, priority));
        }
    }
    let Some((id, priority)) = best else {
        return Next::At(soonest.unwrap_or(now + IDLE));
    };
    let id = id.clone();
    let start = state.next();
    state.wanted_owners.remove(&id);
    if let Some(record) = state.owners.get_mut(&id) {
        record.begin(start);
    }
    Next::Read(id, start, priority)
}
