//! From the wanted scaling and what is in AWS to the fewest calls that make them agree. Pure.
//!
//! Invariants: nothing for a service that is not there, or not ours; never a step on what carries somebody else's tag, nor on an alarm that
//! nobody owns unless taking over was asked for; a count is sent on entering and leaving a pause, never else; bounds that one of our
//! schedules set are left alone until others are asked for; a converged service plans nothing.

mod obsolete;
mod tags;
mod target;

use super::render::{Rendered, WantedAlarm, render};
use super::step::{PolicyReference, ScalingStep};
use super::whose::{Whose, whose};
use super::{Memory, Observed, Thing, pause, schedule};
use crate::desired::Desired;
use crate::fact::Fact;
use crate::memory;
use crate::observed::{self, Service, ServiceStatus};
use crate::plan::{Conflict, Need, Plan, WaitingOn};
use crate::step::Step;
use k8s_openapi::jiff::Timestamp;

/// What a plan is made from.
struct Scene<'a> {
    desired: &'a Desired,
    observed: &'a observed::Observed,
    memory: &'a Memory,
    service: &'a Service,
    seen: &'a Observed,
    /// When the last read began.
    at: Timestamp,
    rendered: Rendered,
}

/// Plans the scaling of a living service; the plan of the service itself goes before it.
pub fn plan(
    desired: &Desired,
    observed: &observed::Observed,
    memory: &memory::Memory,
    now: Timestamp,
) -> Plan {
    let mut plan = Plan {
        epoch: memory.epoch,
        ..Plan::default()
    };
    let Some(service) = ours(desired, observed) else {
        return plan;
    };
    if observed.scaling_unsupported {
        // The count alone can be set.
        let count = pause::count_to_set(&desired.scaling, service, None, &memory.scaling);
        set_count(desired, service, count, &mut plan);
        return plan;
    }
    let Fact::Present { value: seen, at } = &observed.scaling else {
        plan.waiting_on.push(WaitingOn::Read(Need::Scaling));
        return plan;
    };
    let mut rendered = render(&desired.scaling, &desired.scope);
    // AWS takes no time that is past, and may have dropped what was set for it.
    rendered.schedules.retain(|name, action| {
        seen.schedules.contains_key(name) || !schedule::is_past(action, now)
    });
    let scene = Scene {
        desired,
        observed,
        memory: &memory.scaling,
        service,
        seen,
        at: *at,
        rendered,
    };
    scene.target(&mut plan);
    scene.policies(&mut plan);
    scene.alarms(&mut plan);
    scene.schedules(&mut plan);
    scene.tags(&mut plan);
    scene.obsolete(&mut plan);
    if plan.conflict.is_some() || !plan.waiting_on.is_empty() {
        // Whose things are must be known before any of them is changed: they only make sense together.
        plan.steps.clear();
    }
    plan
}

/// The service, if it is alive and ours.
pub(super) fn ours<'a>(desired: &Desired, observed: &'a observed::Observed) -> Option<&'a Service> {
    observed.service.present().filter(|service| {
        service.status == ServiceStatus::Active && service.owner().as_ref() == Some(&desired.owner)
    })
}

fn push(plan: &mut Plan, step: ScalingStep) {
    plan.steps.push(Step::Scaling(Box::new(step)));
}

fn set_count(desired: &Desired, service: &Service, count: Option<i32>, plan: &mut Plan) {
    if let Some(count) = count {
        let step = ScalingStep::SetCount {
            cluster_arn: desired.scope.cluster_arn.clone(),
            arn: service.arn.clone(),
            count,
        };
        push(plan, step);
    }
}

impl Scene<'_> {
    /// True if something that status remembers has not been missing for long: a single answer that does not mention it proves little.
    fn must_look_again(&self, thing: &Thing, remembered: bool, plan: &mut Plan) -> bool {
        let again = remembered && !self.seen.is_surely_gone(thing, self.at);
        if again {
            let waiting = WaitingOn::AbsenceConfirmation(Need::Scaling);
            if !plan.waiting_on.contains(&waiting) {
                plan.waiting_on.push(waiting);
            }
        }
        again
    }

    fn policies(&self, plan: &mut Plan) {
        for (name, wanted) in &self.rendered.policies {
            let seen = self.seen.policies.get(name);
            let known = self.memory.policies.contains(name) && self.seen.target.is_some();
            if seen.is_none() && self.must_look_again(&Thing::Policy(name.clone()), known, plan) {
                continue;
            }
            if seen.is_none_or(|seen| seen.policy != *wanted) {
                push(
                    plan,
                    ScalingStep::PutPolicy {
                        name: name.clone(),
                        policy: wanted.clone(),
                    },
                );
            }
        }
    }

    fn alarms(&self, plan: &mut Plan) {
        for (name, wanted) in &self.rendered.alarms {
            // A policy that is put again keeps its ARN; one that is made anew has another, which the next look shows.
            let policy = self.seen.policies.get(&wanted.calls);
            if let Some(seen) = self.seen.alarms.get(name) {
                match self.whose_alarm(name, &seen.arn, plan) {
                    Some(Whose::Nobodys) if self.desired.adopt => push(
                        plan,
                        ScalingStep::TagAlarm {
                            name: name.clone(),
                            arn: seen.arn.clone(),
                            tags: self.desired.tags.clone(),
                        },
                    ),
                    Some(Whose::Nobodys) => {
                        plan.conflict = Some(Conflict {
                            kind: ALARM,
                            arn: seen.arn.clone(),
                            owner: None,
                            obstacle: None,
                        });
                        return;
                    }
                    Some(_) => {}
                    None => continue,
                }
                let calls = policy.is_some_and(|policy| seen.calls == [policy.arn.as_str()]);
                if calls && seen.alarm == wanted.alarm {
                    continue;
                }
            } else {
                let known = self.memory.alarms.contains(name);
                if self.must_look_again(&Thing::Alarm(name.clone()), known, plan) {
                    continue;
                }
            }
            self.put_alarm(name, wanted, plan);
        }
    }

    fn put_alarm(&self, name: &str, wanted: &WantedAlarm, plan: &mut Plan) {
        let calls = match self.seen.policies.get(&wanted.calls) {
            Some(policy) => PolicyReference::Known(policy.arn.clone()),
            None => PolicyReference::FromEarlierStep(wanted.calls.clone()),
        };
        push(
            plan,
            ScalingStep::PutAlarm {
                name: name.to_owned(),
                alarm: Box::new(wanted.alarm.clone()),
                calls,
                tags: self.desired.tags.clone(),
            },
        );
    }

    fn schedules(&self, plan: &mut Plan) {
        for (name, wanted) in &self.rendered.schedules {
            let seen = self.seen.schedules.get(name);
            let known = self.seen.target.is_some()
                && self.seen.asked.contains(name)
                && self
                    .memory
                    .schedules
                    .contains(crate::names::schedule_of(name));
            let thing = || Thing::Schedule(name.clone());
            if seen.is_none() && self.must_look_again(&thing(), known, plan) {
                continue;
            }
            if seen != Some(wanted) {
                push(
                    plan,
                    ScalingStep::PutSchedule {
                        name: name.clone(),
                        action: wanted.clone(),
                    },
                );
            }
        }
    }

    /// Whose a thing is that is to be changed; `None` if nothing may be done about it now, as the plan then says.
    fn whose(
        &self,
        arn: Option<&str>,
        remembered: bool,
        kind: &'static str,
        plan: &mut Plan,
    ) -> Option<Whose> {
        match whose(arn, remembered, self.observed, &self.desired.owner) {
            Whose::Somebodys(owner) => {
                plan.conflict = Some(Conflict {
                    kind,
                    arn: arn.unwrap_or_default().to_owned(),
                    owner: Some(owner),
                    obstacle: None,
                });
                None
            }
            Whose::Unread(arn) => {
                plan.waiting_on.push(WaitingOn::Read(Need::Owner(arn)));
                None
            }
            known => Some(known),
        }
    }

    fn whose_alarm(&self, name: &str, arn: &str, plan: &mut Plan) -> Option<Whose> {
        let remembered = self.memory.alarms.contains(name);
        self.whose(Some(arn), remembered, ALARM, plan)
    }
}

const ALARM: &str = "CloudWatch alarm";
