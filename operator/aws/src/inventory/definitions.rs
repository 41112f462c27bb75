//! Reads of task definition revisions, one at a time. Rare: when it is unsure what was registered last, and for revisions nobody remembers.

use super::batch::{self, Candidate};
use super::reader::Next;
use super::record::Seen;
use super::state::{Definition, State};
use super::{Inventory, now};
use crate::limits::Bucket;
use crate::operations::DESCRIBE_TASK_DEFINITION;
use crate::timing::Timing;
use crate::{clock, convert};
use aws_sdk_ecs::error::ProvideErrorMetadata;
use aws_sdk_ecs::types::TaskDefinitionField;
use privateservice_core::failure::Failure;
use privateservice_core::observed::Revision;
use privateservice_core::owner::Owner;
use std::sync::Arc;
use std::time::Instant;

impl Inventory {
    /// Reads what is wanted. Never returns.
    pub(super) async fn read_definitions(self: Arc<Self>) {
        self.read_as_admitted(
            Bucket::TaskDefinitionRead,
            &self.definition_reads,
            next,
            take,
            |(id, start)| drop(tokio::spawn(Arc::clone(&self).read_definition(id, start))),
        )
        .await;
    }

    async fn read_definition(self: Arc<Self>, id: Definition, start: u64) {
        let began = clock::now();
        let seen = self.describe(&id).await;
        let now = now();
        let mut guard = self.lock();
        let state = &mut *guard;
        let owners: Vec<Owner> = state
            .objects
            .values()
            .filter(|one| one.scope.family == id.family())
            .map(|one| one.owner.clone())
            .collect();
        let Some(record) = state.definitions.get_mut(&id) else {
            return;
        };
        let failed = matches!(seen, Seen::Failed(_));
        let seen = match seen {
            Seen::Present((mut revision, owner)) => {
                // Hashes in somebody else's tags say nothing about what we would send.
                if !owner.is_some_and(|owner| owners.contains(&owner)) {
                    (revision.hash, revision.intent) = (None, None);
                }
                Seen::Present(revision)
            }
            Seen::Absent => Seen::Absent,
            Seen::Failed(failure) => Seen::Failed(failure),
        };
        let found = match (&seen, &id) {
            (Seen::Present(revision), _) => Some(revision.clone()),
            (Seen::Absent, Definition::Revision { arn, .. }) => Some(Revision {
                arn: arn.clone(),
                hash: None,
                intent: None,
                active: false,
            }),
            _ => None,
        };
        if record.complete(start, seen, began, now, &self.timing) {
            self.wake(&record.watchers);
        }
        if record.wanted().is_some() {
            state.wanted_definitions.insert(id.clone());
        } else if matches!(id, Definition::Revision { .. }) && !failed {
            state.definitions.remove(&id);
        }
        if let Some(revision) = found {
            state.learn_revision(id.family(), revision);
        }
        drop(guard);
        self.definition_reads.notify_one();
    }

    async fn describe(&self, id: &Definition) -> Seen<(Revision, Option<Owner>)> {
        let name = match id {
            Definition::Newest(family) => family,
            Definition::Revision { arn, .. } => arn,
        };
        let call = self
            .clients
            .ecs
            .describe_task_definition()
            .task_definition(name)
            .include(TaskDefinitionField::Tags)
            .send();
        match self.calls.send(DESCRIBE_TASK_DEFINITION, call).await {
            Ok(answer) => answer
                .task_definition()
                .and_then(|definition| convert::revision(definition, answer.tags()))
                .map_or_else(|| Seen::Failed(unreadable()), Seen::Present),
            // The one way AWS says that there is none.
            Err(error)
                if error.error.code() == Some("ClientException")
                    && error.error.message().is_some_and(|words| {
                        words
                            .to_lowercase()
                            .contains("unable to describe task definition")
                    }) =>
            {
                Seen::Absent
            }
            Err(error) => Seen::Failed(error.failure),
        }
    }
}

fn unreadable() -> Failure {
    Failure::Ambiguous {
        operation: DESCRIBE_TASK_DEFINITION.name,
        message: "the answer holds no task definition".to_owned(),
    }
}

/// Each read is a call of its own: nothing is gained by waiting for others.
fn candidates<'a>(
    state: &'a State,
    timing: &Timing,
) -> Vec<Candidate<&'a Definition, &'a Definition>> {
    let (wanted, records) = (&state.wanted_definitions, &state.definitions);
    batch::candidates(wanted, records, timing, |id, _, at| Some((id, at)))
}

fn next(state: &mut State, now: Instant, timing: &Timing) -> Next {
    batch::forget_unwanted(&mut state.wanted_definitions, &state.definitions);
    batch::when(&candidates(state, timing), 1, now, timing)
}

fn take(state: &mut State, now: Instant, timing: &Timing) -> Option<(Definition, u64)> {
    let (chosen, _) = batch::choose(candidates(state, timing), 1, now, timing)?;
    let id = chosen.into_iter().next()?.clone();
    let start = state.next();
    state.wanted_definitions.remove(&id);
    state.definitions.get_mut(&id)?.begin(start);
    Some((id, start))
}
