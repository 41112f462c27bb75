//! What status remembers of a service's scaling, and what it says after a pass. Pure.

use super::parts::Suspended;
use super::plan::ours;
use super::step::{Outcome, ScalingStep};
use super::whose::{Whose, whose};
use super::{Scaling, pause};
use crate::desired::Desired;
use crate::hash::Hash;
use crate::names;
use crate::observed::Observed;
use crate::plan::Plan;
use crate::step::{self, Step};
use privateservice_api::privateservice::{
    Autoscaling, EffectiveScaling, PausedTasks, PrivateServiceStatus,
};
use std::collections::BTreeSet;

/// In place of a hash of tags: that of no tags at all.
const MIXED: &str = "mixed";

/// What status remembers.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Memory {
    /// True if anything was ever about to be made.
    pub begun: bool,
    /// ARN of the scalable target that is ours.
    pub target: Option<String>,
    /// Names of the scaling policies.
    pub policies: BTreeSet<String>,
    /// Names of the alarms that are ours.
    pub alarms: BTreeSet<String>,
    /// Names of the schedules, as in the spec.
    pub schedules: BTreeSet<String>,
    /// The bounds that were asked for last.
    pub bounds: Option<String>,
    /// Tasks that were wanted last while the service was not paused.
    pub tasks: Option<i32>,
    /// The pause that began and did not end.
    pub paused: Option<PausedTasks>,
    /// Hash of the tags that target and alarms were given last.
    pub tags: Option<Hash>,
    /// Keys of tags, the operator's own aside, that may be on them.
    pub tag_keys: Vec<String>,
}

/// What status remembers.
pub fn memory(status: &PrivateServiceStatus) -> Memory {
    let Some(before) = &status.autoscaling else {
        return Memory::default();
    };
    Memory {
        begun: true,
        target: before.target.clone(),
        policies: before.policies.iter().cloned().collect(),
        alarms: before.alarms.iter().cloned().collect(),
        schedules: before.schedules.iter().cloned().collect(),
        bounds: before.bounds.clone(),
        tasks: before.tasks,
        paused: before.paused,
        tags: before.tags.as_deref().map(Hash::from),
        tag_keys: before.tag_keys.clone(),
    }
}

/// Tasks to create the service with: the fewest, or as many as ran last where that is within the bounds. None during a pause.
pub fn initial_count(desired: &Desired, memory: &Memory) -> i32 {
    if desired.scaling.paused {
        return 0;
    }
    memory
        .tasks
        .filter(|tasks| desired.scaling.bounds.hold(*tasks))
        .unwrap_or(desired.initial_count)
}

/// Every schedule that may be there: those that are wanted and those that were.
pub fn schedule_names(desired: &Desired, memory: &Memory) -> BTreeSet<String> {
    let wanted = desired.scaling.schedules.iter().map(|one| &one.name);
    wanted
        .chain(&memory.schedules)
        .map(|name| {
            names::scheduled_action(&desired.scaling.environment, &desired.scope.service, name)
        })
        .collect()
}

/// What must be in status before the first step of a plan runs: that something may be there, and what a pause begins with. `None` if status
/// says so already.
pub fn announced(
    previous: &PrivateServiceStatus,
    desired: &Desired,
    observed: &Observed,
    memory: &Memory,
    plan: &Plan,
) -> Option<PrivateServiceStatus> {
    if plan.steps.is_empty() {
        return None;
    }
    let mut status = previous.clone();
    let autoscaling = status.autoscaling.get_or_insert_default();
    // What is interrupted now and goes on with other tags leaves no tag behind.
    let keys: BTreeSet<String> = desired.user_tag_keys().collect();
    let before = autoscaling.tag_keys.iter().cloned();
    autoscaling.tag_keys = before
        .chain(keys)
        .collect::<BTreeSet<_>>()
        .into_iter()
        .collect();
    let wanted = desired.tags_hash().0;
    let tags = autoscaling.tags.get_or_insert_with(|| wanted.clone());
    if *tags != wanted {
        // Until all of it is done, some have these and some have those.
        MIXED.clone_into(tags);
    }
    if let Some(service) = ours(desired, observed) {
        autoscaling.paused = pause::announced(&desired.scaling, service, memory);
    }
    (status != *previous).then_some(status)
}

/// What status remembers after a pass in which these steps of the plan were executed.
pub fn remember(
    previous: &PrivateServiceStatus,
    desired: &Desired,
    before: &Observed,
    after: &Observed,
    memory: &Memory,
    plan: &Plan,
    outcomes: &[step::Outcome],
) -> Option<Autoscaling> {
    let Some(service) = ours(desired, before) else {
        return previous.autoscaling.clone();
    };
    let mut now = previous.autoscaling.clone().unwrap_or_default();
    let mut policies: BTreeSet<String> = now.policies.iter().cloned().collect();
    let mut alarms: BTreeSet<String> = now.alarms.iter().cloned().collect();
    let mut schedules: BTreeSet<String> = now.schedules.iter().cloned().collect();
    let mut counted = None;
    let steps = plan.steps.iter().filter_map(|step| match step {
        Step::Scaling(step) => Some(step.as_ref()),
        _ => None,
    });
    for (step, outcome) in steps.zip(outcomes) {
        match step {
            ScalingStep::RegisterTarget { .. } => {
                if let step::Outcome::Scaling(Outcome::TargetRegistered { arn: Some(arn) }) =
                    outcome
                {
                    now.target = Some(arn.clone());
                }
                now.bounds = Some(desired.scaling.bounds.to_string());
            }
            ScalingStep::TagTarget { arn, .. } => now.target = Some(arn.clone()),
            ScalingStep::PutAlarm { name, .. } | ScalingStep::TagAlarm { name, .. } => {
                alarms.insert(name.clone());
            }
            ScalingStep::DeleteAlarms { names } => alarms.retain(|name| !names.contains(name)),
            ScalingStep::PutSchedule { name, .. } => {
                schedules.insert(names::schedule_of(name).to_owned());
            }
            ScalingStep::DeleteSchedule { name } => {
                schedules.remove(names::schedule_of(name));
            }
            ScalingStep::SetCount { count, .. } => counted = Some(*count),
            ScalingStep::DeregisterTarget => now.target = None,
            ScalingStep::PutPolicy { name, .. } => {
                policies.insert(name.clone());
            }
            ScalingStep::DeletePolicy { name } => {
                policies.remove(name);
            }
            ScalingStep::UntagTarget { .. } | ScalingStep::UntagAlarm { .. } => {}
        }
    }
    learn(desired, after, &mut now, &mut policies, &mut alarms);
    let done =
        outcomes.len() == plan.steps.len() && plan.waiting_on.is_empty() && plan.conflict.is_none();
    if done {
        now.tags = Some(desired.tags_hash().0);
        now.tag_keys = desired.user_tag_keys().collect();
    }
    now.policies = policies.into_iter().collect();
    now.alarms = alarms.into_iter().collect();
    now.schedules = schedules.into_iter().collect();
    now.paused = paused(desired, now.paused, counted, service.desired_count, done);
    if memory.paused.is_none() && !desired.scaling.paused {
        now.tasks = Some(service.desired_count);
    }
    (previous.autoscaling.is_some() || now != Autoscaling::default()).then_some(now)
}

/// What status remembers of an object that is being deleted, after these steps of its plan were executed: what was removed is not missing.
pub fn forget(previous: &Autoscaling, plan: &Plan, executed: usize) -> Autoscaling {
    let mut now = previous.clone();
    for step in plan.steps.iter().take(executed) {
        match step {
            Step::Scaling(step) => match step.as_ref() {
                ScalingStep::DeleteAlarms { names } => {
                    now.alarms.retain(|name| !names.contains(name));
                }
                ScalingStep::DeregisterTarget => {
                    (now.target, now.policies, now.schedules) = Default::default();
                }
                _ => {}
            },
            // It takes its target with it.
            Step::DeleteService { .. } => {
                (now.target, now.policies, now.schedules) = Default::default();
            }
            _ => {}
        }
    }
    now
}

/// Status was lost, or an answer was: what tags and a fresh look tell.
fn learn(
    desired: &Desired,
    after: &Observed,
    now: &mut Autoscaling,
    policies: &mut BTreeSet<String>,
    alarms: &mut BTreeSet<String>,
) {
    let Some(seen) = after.scaling.present() else {
        return;
    };
    let by_tags = |arn: &str| whose(Some(arn), false, after, &desired.owner) == Whose::Ours;
    if let Some(target) = &seen.target {
        if let Some(arn) = target.arn.as_ref().filter(|arn| by_tags(arn)) {
            now.target = Some(arn.clone());
        }
        if target.target.bounds == desired.scaling.bounds
            && target.target.suspended == Suspended::NONE
        {
            now.bounds = Some(desired.scaling.bounds.to_string());
        }
    }
    if now.target.is_some() {
        // They belong to the target.
        policies.extend(seen.policies.keys().cloned());
    }
    let ours = seen.alarms.iter().filter(|(_, alarm)| by_tags(&alarm.arn));
    alarms.extend(ours.map(|(name, _)| name.clone()));
}

/// A pause after a pass in which `counted` was sent, or nothing; `done` if everything that was planned was.
fn paused(
    desired: &Desired,
    announced: Option<PausedTasks>,
    counted: Option<i32>,
    tasks: i32,
    done: bool,
) -> Option<PausedTasks> {
    if !desired.scaling.paused {
        // Once the count was sent the pause is over; what is still suspended is mended like any other difference.
        return announced.filter(|_| !done && counted.is_none());
    }
    let in_force = counted == Some(0) || (done && tasks == 0);
    match announced {
        Some(paused) => Some(PausedTasks {
            in_force: paused.in_force || in_force,
            ..paused
        }),
        // It was paused from the beginning, or status was lost.
        None => (done && tasks == 0).then_some(PausedTasks {
            tasks_before: 0,
            in_force: true,
        }),
    }
}

/// The scaling in force, for `status.effective`: what is asked for, with the bounds that one of its schedules has set.
pub fn effective(scaling: &Scaling, observed: &Observed) -> EffectiveScaling {
    let by_schedule = observed
        .scaling
        .present()
        .and_then(|seen| seen.target.as_ref())
        .map(|seen| seen.target)
        .filter(|target| target.bounds != scaling.bounds && target.suspended == Suspended::NONE)
        .and_then(|target| scaling.schedule_of(target.bounds));
    let bounds = by_schedule.map_or(scaling.bounds, |schedule| schedule.bounds);
    let thresholds = scaling.thresholds;
    EffectiveScaling {
        min_tasks: bounds.min,
        max_tasks: bounds.max,
        cpu_threshold: thresholds.cpu.unwrap_or(0),
        memory_threshold: thresholds.memory.unwrap_or(0),
        request_threshold: thresholds.requests.unwrap_or(0),
        cooldown_seconds: scaling.cooldown,
        policy: scaling.policy,
        schedule: by_schedule.map(|schedule| schedule.name.clone()),
    }
}
