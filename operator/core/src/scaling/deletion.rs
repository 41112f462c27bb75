//! Removing what scales a service, or letting go of it. Pure. The service's own deletion follows.

use super::Thing;
use super::step::ScalingStep;
use super::whose::{Whose, owner_tag_keys, whose};
use crate::fact::Fact;
use crate::observed::{Observed, Service};
use crate::plan::{Need, Plan, Remains, WaitingOn};
use crate::step::Step;

/// Adds to the plan of a deletion what is left to do about scaling: alarms first, since nothing else removes them, then the target, which takes
/// policies and scheduled actions with it (AWS: DeregisterScalableTarget).
pub fn plan_deletion(remains: &Remains, observed: &Observed, plan: &mut Plan) {
    // Without a word of it in status there never was any; where there is no Application Auto Scaling there is none either.
    let Some(memory) = &remains.scaling else {
        return;
    };
    if observed.scaling_unsupported {
        return;
    }
    let (seen, at) = match &observed.scaling {
        Fact::Present { value, at } => (value, *at),
        Fact::Unknown | Fact::Absent { .. } => {
            plan.waiting_on.push(WaitingOn::Read(Need::Scaling));
            return;
        }
    };
    // What is missing is gone if a second look does not show it either; what was removed by us, status no longer remembers.
    let doubtful = |thing: Thing, remembered: bool| {
        let may_be_there = remembered || !memory.begun;
        may_be_there && !seen.shows(&thing) && !seen.is_surely_gone(&thing, at)
    };
    let alarm_doubtful = memory
        .alarms
        .iter()
        .any(|name| doubtful(Thing::Alarm(name.clone()), true));
    if alarm_doubtful || doubtful(Thing::Target, memory.target.is_some()) {
        plan.waiting_on
            .push(WaitingOn::AbsenceConfirmation(Need::Scaling));
    }
    let mut push = |step| plan.steps.push(Step::Scaling(Box::new(step)));
    let mut unread = Vec::new();
    let mut alarms = Vec::new();
    for (name, alarm) in &seen.alarms {
        let remembered = memory.alarms.contains(name);
        match whose(Some(&alarm.arn), remembered, observed, &remains.owner) {
            Whose::Ours if remains.retain => push(ScalingStep::UntagAlarm {
                arn: alarm.arn.clone(),
                keys: owner_tag_keys(),
            }),
            Whose::Ours => alarms.push(name.clone()),
            Whose::Unread(arn) => unread.push(arn),
            Whose::Nobodys | Whose::Somebodys(_) => {}
        }
    }
    if !alarms.is_empty() {
        push(ScalingStep::DeleteAlarms { names: alarms });
    }
    if let Some(target) = &seen.target {
        let arn = target.arn.as_deref();
        let remembered = target.arn.is_some() && memory.target == target.arn;
        let service_is_ours = observed
            .service
            .present()
            .and_then(Service::owner)
            .is_some_and(|owner| owner == remains.owner);
        match (whose(arn, remembered, observed, &remains.owner), arn) {
            (Whose::Ours, Some(arn)) if remains.retain => push(ScalingStep::UntagTarget {
                arn: arn.to_owned(),
                keys: owner_tag_keys(),
            }),
            (Whose::Ours | Whose::Nobodys, None) if remains.retain => {}
            // One without an ARN cannot be told apart but by its service.
            (Whose::Ours, Some(_)) => push(ScalingStep::DeregisterTarget),
            (Whose::Ours | Whose::Nobodys, _) if service_is_ours && !remains.retain => {
                push(ScalingStep::DeregisterTarget);
            }
            (Whose::Unread(arn), _) => unread.push(arn),
            (Whose::Ours | Whose::Nobodys | Whose::Somebodys(_), _) => {}
        }
    }
    plan.waiting_on.extend(
        unread
            .into_iter()
            .map(|arn| WaitingOn::Read(Need::Owner(arn))),
    );
}
