//! From the wanted scaling and what is in AWS to the fewest calls that make them agree. Pure.
//!
//! Invariants: nothing for a service that is not there, or not ours; never a step on what carries somebody else's tag, nor on an alarm that
//! nobody owns unless taking over was asked for; a count is sent on entering and leaving a pause, never else; bounds that one of our
//! schedules set are left alone until others are asked for; a converged service plans nothing.

use super::parts::Target;
use super::render::{Rendered, WantedAlarm, render};
use super::step::{PolicyReference, ScalingStep};
use super::whose::{Whose, whose};
use super::{Bounds, Memory, Observed, Thing, pause, schedule};
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
    fn target(&self, plan: &mut Plan) {
        let scaling = &self.desired.scaling;
        let count = pause::count_to_set(scaling, self.service, Some(self.seen), self.memory);
        if !scaling.paused {
            // The way back: while scaling is still suspended.
            set_count(self.desired, self.service, count, plan);
        }
        match &self.seen.target {
            None if self.must_look_again(&Thing::Target, self.memory.target.is_some(), plan) => {}
            None => push(
                plan,
                ScalingStep::RegisterTarget {
                    target: self.rendered.target,
                    tags: Some(self.desired.tags.clone()),
                },
            ),
            Some(seen) => {
                let remembered = seen.arn.is_some() && self.memory.target == seen.arn;
                let arn = seen.arn.as_deref();
                match self.whose(arn, remembered, "scalable target", plan) {
                    Some(Whose::Nobodys) => push(
                        plan,
                        // It is about a service of ours.
                        ScalingStep::TagTarget {
                            arn: arn.unwrap_or_default().to_owned(),
                            tags: self.desired.tags.clone(),
                        },
                    ),
                    Some(_) => {}
                    None => return,
                }
                if let Some(target) = self.to_register(seen.target, count) {
                    let tags = None;
                    push(plan, ScalingStep::RegisterTarget { target, tags });
                }
            }
        }
        if scaling.paused {
            set_count(self.desired, self.service, count, plan);
        }
    }

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

    /// What the target is to be registered with, if it must be.
    fn to_register(&self, seen: Target, count: Option<i32>) -> Option<Target> {
        let wanted = self.rendered.target;
        let scaling = &self.desired.scaling;
        let asked_before = |bounds: Bounds| {
            let last = self.memory.bounds.as_ref();
            last.is_none_or(|last| *last == bounds.to_string())
        };
        let by_schedule = !scaling.paused
            && scaling.schedule_of(seen.bounds).is_some()
            && asked_before(wanted.bounds);
        if seen.suspended != wanted.suspended || (seen.bounds != wanted.bounds && !by_schedule) {
            return Some(wanted);
        }
        // Registering moves the count into the bounds, those of a schedule too (AWS: RegisterScalableTarget).
        let counts = !scaling.paused && count.is_none();
        (counts && !seen.bounds.hold(self.service.desired_count)).then_some(seen)
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

    /// What is there and no longer wanted: alarms before the policies they call.
    fn obsolete(&self, plan: &mut Plan) {
        let mut alarms = Vec::new();
        for (name, seen) in &self.seen.alarms {
            let wanted = self.rendered.alarms.contains_key(name);
            // What is not ours and not wanted is none of our business.
            if !wanted && self.whose_unwanted(name, &seen.arn, plan) == Some(Whose::Ours) {
                alarms.push(name.clone());
            }
        }
        if !alarms.is_empty() {
            push(plan, ScalingStep::DeleteAlarms { names: alarms });
        }
        for name in self.seen.policies.keys() {
            if !self.rendered.policies.contains_key(name) {
                push(plan, ScalingStep::DeletePolicy { name: name.clone() });
            }
        }
        let scope = &self.desired.scope;
        let remembered = self.memory.schedules.iter().map(|name| {
            crate::names::scheduled_action(&self.desired.scaling.environment, &scope.service, name)
        });
        let mut schedules: Vec<String> = self.seen.schedules.keys().cloned().collect();
        schedules.extend(remembered.filter(|name| {
            // It was not looked for yet.
            !self.seen.asked.contains(name)
        }));
        for name in schedules {
            if !self.is_wanted_schedule(&name) {
                push(plan, ScalingStep::DeleteSchedule { name });
            }
        }
    }

    fn is_wanted_schedule(&self, name: &str) -> bool {
        let scaling = &self.desired.scaling;
        let service = &self.desired.scope.service;
        scaling.schedules.iter().any(|schedule| {
            crate::names::scheduled_action(&scaling.environment, service, &schedule.name) == name
        })
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

    fn whose_unwanted(&self, name: &str, arn: &str, plan: &mut Plan) -> Option<Whose> {
        let remembered = self.memory.alarms.contains(name);
        let whose = whose(Some(arn), remembered, self.observed, &self.desired.owner);
        if let Whose::Unread(arn) = whose {
            plan.waiting_on.push(WaitingOn::Read(Need::Owner(arn)));
            return None;
        }
        Some(whose)
    }
}

const ALARM: &str = "CloudWatch alarm";
