//! Differences between an ACTIVE service and what is wanted, on the closed list of members, and the one `UpdateService` that mends them.
//!
//! A member whose rendering changed while the intent did not (the operator was upgraded) is held: what was applied last stays the
//! measure, so that an upgrade restarts nobody's tasks while an edit behind the operator's back is still seen.

use super::dns::registry;
use super::revision::{Choice, choose_revision};
use super::{Need, Plan, WaitingOn};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::hash::Hash;
use crate::memory::Memory;
use crate::observed::{Observed, Service};
use crate::rollout;
use crate::service::Member;
use crate::step::{Step, UpdateService};
use serde::Serialize;

/// One member that differs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Drift {
    /// Which.
    pub member: Member,
    /// True if somebody else changed it (intent and rendering are as applied); false if the spec or its inputs changed.
    pub behind_our_back: bool,
    /// Hash of what is wanted.
    pub want: Hash,
    /// Hash of what AWS shows.
    pub have: Hash,
    /// True if exactly this was mended before and came back: it is left alone for a while, because whoever changes it (or an AWS that does
    /// not keep it) would win again.
    pub futile: bool,
}

/// How one member stands.
enum Standing {
    /// As wanted, or as it was applied last and held so.
    Fine,
    /// To be brought to what is wanted; with the hash of what AWS shows.
    Differs(Hash),
    /// Cannot be told yet.
    Unknown(Need),
}

/// Adds the one update to the plan, if any member needs it.
pub(super) fn plan_update(
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    service: &Service,
    plan: &mut Plan,
) {
    let wanted = desired.members();
    let rollout_failed = rollout::is_held(memory, desired);
    plan.rollout_held = rollout_failed;
    let mut differing = Vec::new();
    for (member, want) in &wanted {
        if rollout_failed && member.rolls() {
            continue;
        }
        let standing = stand(*member, want, desired, observed, memory, service, plan);
        match standing {
            Standing::Fine => {}
            Standing::Differs(have) => {
                let behind_our_back = applied_is(memory, desired, *member, want);
                // While a rollout is held, the intent that failed is not recorded as applied: what does not roll is mended all the same.
                let mended_before = behind_our_back || rollout_failed;
                let futile = mended_before
                    && memory.futile.get(member) == Some(&(want.clone(), have.clone()));
                if !futile {
                    differing.push(*member);
                }
                let want = want.clone();
                plan.drift.push(Drift {
                    member: *member,
                    behind_our_back,
                    want,
                    have,
                    futile,
                });
            }
            Standing::Unknown(need) => plan.waiting_on.push(WaitingOn::Read(need)),
        }
    }
    plan.redeploy = memory.redeploy_due(desired);
    let rolls = plan.redeploy || differing.iter().any(|member| member.rolls());
    if rolls && memory.course.unsure {
        plan.waiting_on.push(WaitingOn::Read(Need::Deployment));
    }
    if rolls && memory.course.going_back {
        plan.waiting_on.push(WaitingOn::Rollback);
    }
    if !rolls && let Some((arn, why)) = &memory.course.stop {
        plan.steps.push(Step::StopServiceDeployment {
            service: service.arn.clone(),
            arn: arn.clone(),
            why: *why,
        });
        return;
    }
    if (differing.is_empty() && !plan.redeploy) || !plan.waiting_on.is_empty() {
        return;
    }
    if differing.contains(&Member::Registries)
        && desired.dns.is_some()
        && matches!(observed.dns, Fact::Absent { .. })
    {
        // It is made first, and alone: it may turn out to be the very one the service is registered with, only missing from a listing.
        registry(desired, observed, memory, plan);
        return;
    }
    let mut update = UpdateService {
        cluster_arn: desired.scope.cluster_arn.clone(),
        arn: service.arn.clone(),
        force_new_deployment: plan.redeploy,
        ..UpdateService::default()
    };
    for member in differing {
        match member {
            Member::TaskDefinition => match choose_revision(desired, observed, plan) {
                Choice::Use(reference) => update.task_definition = Some(reference),
                Choice::Wait => {}
            },
            Member::Network => update.network = Some(desired.network.clone()),
            Member::Connect => update.connect = Some(desired.connect.clone()),
            Member::Capacity => {
                update.capacity = Some(desired.capacity.clone());
                // AWS: a change to the capacity provider strategy of an existing service must force a new deployment.
                update.force_new_deployment = true;
            }
            Member::Registries => {
                update.registries = Some(
                    registry(desired, observed, memory, plan)
                        .into_iter()
                        .collect(),
                );
            }
            Member::Deployment => update.deployment = Some(desired.deployment.clone()),
            Member::Exec => update.exec = Some(desired.exec),
        }
    }
    if plan.waiting_on.is_empty() && plan.conflict.is_none() {
        plan.steps.push(Step::UpdateService(Box::new(update)));
    } else {
        plan.steps.clear();
    }
}

/// True if this member was applied last exactly as it is wanted now.
fn applied_is(memory: &Memory, desired: &Desired, member: Member, want: &Hash) -> bool {
    memory.applied.as_ref().is_some_and(|applied| {
        applied.intent == desired.intent && applied.members.get(&member) == Some(want)
    })
}

fn stand(
    member: Member,
    want: &Hash,
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    service: &Service,
    plan: &mut Plan,
) -> Standing {
    let have = match member {
        Member::TaskDefinition => match serving_content(observed, service) {
            Some(content) => content,
            None => return Standing::Unknown(Need::Revision(service.task_definition.clone())),
        },
        Member::Network => echoed(service.network.as_ref(), want),
        Member::Connect => echoed(service.connect.as_ref(), want),
        Member::Capacity => echoed(service.capacity.as_ref(), want),
        Member::Deployment => echoed(service.deployment.as_ref(), want),
        Member::Exec => echoed(service.exec.as_ref(), want),
        Member::Registries => match registries_stand(desired, observed, service) {
            Some(true) => return Standing::Fine,
            Some(false) => return Standing::Differs(Hash::of(&service.registries)),
            None => return Standing::Unknown(Need::Dns),
        },
    };
    if have == *want {
        return Standing::Fine;
    }
    // Same intent, other rendering: hold what was applied, unless somebody else changed it since.
    let applied = match &memory.applied {
        // A member that an older operator did not know was applied as it is.
        Some(applied) if applied.intent == desired.intent => Some(
            applied
                .members
                .get(&member)
                .cloned()
                .unwrap_or_else(|| have.clone()),
        ),
        // Status is lost: the serving revision's own tags still tell what it was rendered from.
        None if member == Member::TaskDefinition => observed
            .revisions
            .get(&service.task_definition)
            .filter(|revision| revision.intent.as_ref() == Some(&desired.intent))
            .and_then(|revision| revision.hash.clone()),
        Some(_) | None => None,
    };
    if applied.as_ref() == Some(&have) {
        plan.held.insert(member, have);
        return Standing::Fine;
    }
    Standing::Differs(have)
}

/// What the serving revision contains, by its tags. `None` if it must be read first.
fn serving_content(observed: &Observed, service: &Service) -> Option<Hash> {
    let arn = &service.task_definition;
    if let Some(revision) = observed.revisions.get(arn) {
        // A revision without our hash is not ours and equals nothing of ours.
        return Some(revision.hash.clone().unwrap_or_else(|| Hash::of_text(arn)));
    }
    match &observed.newest {
        Fact::Present { value, .. } if value.arn == *arn => {
            Some(value.hash.clone().unwrap_or_else(|| Hash::of_text(arn)))
        }
        Fact::Present { .. } | Fact::Absent { .. } | Fact::Unknown => None,
    }
}

/// The hash of what AWS echoed, or of what is wanted where it echoed nothing: no echo is no evidence.
fn echoed<T: Serialize>(echo: Option<&T>, want: &Hash) -> Hash {
    echo.map_or_else(|| want.clone(), |value| Hash::of(value))
}

/// Whether the registries are as wanted: ours and only ours, or none. `None` if the DNS listing must be read first.
fn registries_stand(desired: &Desired, observed: &Observed, service: &Service) -> Option<bool> {
    let Some(registries) = &service.registries else {
        return Some(true);
    };
    if desired.dns.is_none() {
        return Some(registries.is_empty());
    }
    match &observed.dns {
        Fact::Present { value, .. } => Some(registries.iter().eq([&value.arn])),
        // Registered with something while the listing shows nothing of that name: either it is about to be confirmed
        // gone, or the registry is another one. `registry` decides when its turn comes.
        Fact::Absent { .. } => Some(false),
        Fact::Unknown => None,
    }
}
