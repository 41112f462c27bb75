//! Which task definition revision to run: an existing one with the same content if there is one, since registering is the scarcest
//! call (1 a second, burst 20; ECS developer guide, Request throttling).

use super::{Need, Plan, WaitingOn};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::names;
use crate::observed::Observed;
use crate::step::{Reference, Step};
use privateservice_api::meta;

/// Outcome of the choice.
pub(super) enum Choice {
    /// Run this one.
    Use(Reference),
    /// The newest revision of the family must be read first.
    Wait,
}

/// Chooses a revision, adding the registration to the plan where none can be reused.
///
/// RegisterTaskDefinition has no idempotency token, so the newest revision is looked at before registering: it may be
/// ours from before a crash or a lost answer.
pub(super) fn choose_revision(desired: &Desired, observed: &Observed, plan: &mut Plan) -> Choice {
    if let Some(pinned) = &desired.pinned {
        return Choice::Use(Reference::Known(pinned.arn.clone()));
    }
    let want = desired.task_definition.hash();
    let known = observed
        .revisions
        .values()
        .filter(|revision| revision.active && revision.hash.as_ref() == Some(&want))
        .max_by_key(|revision| names::revision_number(&revision.arn));
    if let Some(revision) = known {
        return Choice::Use(Reference::Known(revision.arn.clone()));
    }
    match &observed.newest {
        Fact::Unknown => {
            plan.waiting_on.push(WaitingOn::Read(Need::Newest));
            Choice::Wait
        }
        Fact::Present { value, .. } if value.active && value.hash.as_ref() == Some(&want) => {
            Choice::Use(Reference::Known(value.arn.clone()))
        }
        Fact::Present { .. } | Fact::Absent { .. } => {
            let mut tags = desired.owner.tags(
                desired
                    .tags
                    .get(meta::TAG_ENVIRONMENT)
                    .map_or("", String::as_str),
            );
            tags.insert(meta::TAG_INTENT.into(), desired.intent.0.clone());
            tags.insert(meta::TAG_RENDERING.into(), want.0.clone());
            plan.steps.push(Step::RegisterTaskDefinition {
                task_definition: Box::new(desired.task_definition.clone()),
                tags,
                hash: want,
                intent: desired.intent.clone(),
            });
            Choice::Use(Reference::FromEarlierStep)
        }
    }
}
