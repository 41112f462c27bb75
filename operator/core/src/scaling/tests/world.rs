//! One service with its scaling, on a pure AWS, as passes of the operator see it.

use crate::desired::Desired;
use crate::fact::Fact;
use crate::fixtures::{self, apply, at, empty, resolved};
use crate::memory::{self, Memory};
use crate::names;
use crate::observed::{Observed, Service};
use crate::plan::{Need, Plan, WaitingOn};
use crate::scaling::fixtures::{TARGET_ARN, alarm_arn, seen, seen_mut};
use crate::scaling::{self, Bounds, ScalingStep, Thing};
use crate::step::{self, Step};
use privateservice_api::privateservice::PrivateServiceStatus;
use std::collections::BTreeMap;

pub(super) struct World {
    pub(super) desired: Desired,
    pub(super) observed: Observed,
    pub(super) status: PrivateServiceStatus,
    /// Tags of target and alarms, by ARN.
    pub(super) tags: BTreeMap<String, BTreeMap<String, String>>,
    clock: i64,
}

fn wanted(spec: &str) -> Desired {
    resolved(&format!("{{source: {{image: {{name: 'a:1'}}}}, {spec}}}")).desired
}

/// Operations without the service they are of.
pub(super) fn operations(steps: &[ScalingStep]) -> Vec<&'static str> {
    steps.iter().map(|step| short(step.operation())).collect()
}

fn short(operation: &'static str) -> &'static str {
    operation
        .split_once(':')
        .map_or(operation, |(_, name)| name)
}

impl World {
    /// A service that was just created, and nothing that scales it.
    pub(super) fn new(spec: &str) -> Self {
        let desired = wanted(spec);
        let mut observed = empty();
        for step in crate::plan::plan(&desired, &observed, &fixtures::memory()).steps {
            apply(&mut observed, &step, 1);
        }
        Self {
            desired,
            observed,
            status: PrivateServiceStatus::default(),
            tags: BTreeMap::new(),
            clock: 10,
        }
    }

    pub(super) fn edit(&mut self, spec: &str) {
        self.desired = wanted(spec);
    }

    /// Status is lost.
    pub(super) fn forget(&mut self) {
        self.status = PrivateServiceStatus::default();
    }

    pub(super) fn service(&mut self) -> &mut Service {
        let Fact::Present { value, .. } = &mut self.observed.service else {
            panic!()
        };
        value
    }

    pub(super) fn count(&self) -> i32 {
        self.observed.service.present().unwrap().desired_count
    }

    pub(super) fn bounds(&self) -> Bounds {
        let seen = self.observed.scaling.present().unwrap();
        seen.target.as_ref().unwrap().target.bounds
    }

    pub(super) fn set_bounds(&mut self, bounds: Bounds) {
        let target = seen_mut(&mut self.observed).target.as_mut().unwrap();
        target.target.bounds = bounds;
    }

    pub(super) fn memory(&self) -> Memory {
        memory::memory("uid-1", &self.status, at(self.clock))
    }

    pub(super) fn plan(&self) -> Plan {
        scaling::plan(
            &self.desired,
            &self.observed,
            &self.memory(),
            at(self.clock),
        )
    }

    /// The count a service that vanished would be created with.
    pub(super) fn recreated_with(&mut self) -> i32 {
        self.observed.service = Fact::Unknown.absent_again(at(1)).absent_again(at(100));
        let plan = crate::plan::plan(&self.desired, &self.observed, &self.memory());
        plan.steps
            .iter()
            .find_map(|step| match step {
                Step::CreateService(create) => Some(create.desired_count),
                _ => None,
            })
            .unwrap()
    }

    /// AWS is read again, so many seconds later.
    pub(super) fn look(&mut self, later: i64) {
        self.clock += later;
        let now = at(self.clock);
        let (environment, service) = ("pre-prod", "api");
        let looked_for = std::iter::once(Thing::Target)
            .chain(names::scaling_policies(environment, service).map(Thing::Policy))
            .chain(names::scaling_alarms(environment, service).map(Thing::Alarm))
            .chain(
                scaling::schedule_names(&self.desired, &self.memory().scaling)
                    .into_iter()
                    .map(Thing::Schedule),
            );
        let Fact::Present { value, at } = &mut self.observed.scaling else {
            return;
        };
        let before = value.clone();
        value.miss(looked_for, Some(&before), now);
        *at = now;
    }

    /// One pass that gets no further than so many calls, and a process that ends right after the last of them, before it writes status, if
    /// `crash`. The operations.
    pub(super) fn pass(&mut self, most: usize, crash: bool) -> Vec<&'static str> {
        self.look(1);
        let plan = self.plan();
        crate::guard::check(&plan, &self.observed, &fixtures::owner()).unwrap();
        let memory = self.memory();
        let announced = scaling::announced(
            &self.status,
            &self.desired,
            &self.observed,
            &memory.scaling,
            &plan,
        );
        if let Some(status) = announced {
            self.status = status;
        }
        let before = self.observed.clone();
        let mut outcomes = Vec::new();
        let mut called = Vec::new();
        for step in plan.steps.iter().take(most) {
            if let Step::Scaling(step) = step {
                self.put_tags(step);
            }
            apply(&mut self.observed, step, self.clock);
            called.push(short(step.operation()));
            let outcome = match step {
                Step::Scaling(step)
                    if matches!(step.as_ref(), ScalingStep::RegisterTarget { .. }) =>
                {
                    scaling::Outcome::TargetRegistered {
                        arn: Some(scaling::fixtures::TARGET_ARN.into()),
                    }
                }
                _ => scaling::Outcome::Done,
            };
            outcomes.push(step::Outcome::Scaling(outcome));
        }
        if !crash {
            self.status.autoscaling = scaling::remember(
                &self.status,
                &self.desired,
                &before,
                &self.observed,
                &self.memory().scaling,
                &plan,
                &outcomes,
            );
        }
        called
    }

    /// What a step does to tags: AWS takes them with a new thing only.
    fn put_tags(&mut self, step: &ScalingStep) {
        match step {
            ScalingStep::RegisterTarget {
                tags: Some(tags), ..
            } => {
                self.tags.insert(TARGET_ARN.to_owned(), tags.clone());
            }
            ScalingStep::PutAlarm { name, tags, .. }
                if !seen(&self.observed).alarms.contains_key(name) =>
            {
                self.tags.insert(alarm_arn(name), tags.clone());
            }
            ScalingStep::TagTarget { arn, tags } | ScalingStep::TagAlarm { arn, tags, .. } => {
                let on = self.tags.entry(arn.clone()).or_default();
                on.extend(tags.clone());
            }
            ScalingStep::UntagTarget { arn, keys } | ScalingStep::UntagAlarm { arn, keys } => {
                let on = self.tags.entry(arn.clone()).or_default();
                on.retain(|key, _| !keys.contains(key));
            }
            _ => {}
        }
    }

    /// One pass that gets no further than so many calls.
    pub(super) fn steps(&mut self, most: usize) {
        self.pass(most, false);
    }

    /// Passes until nothing is planned; the operations in order.
    pub(super) fn converge(&mut self) -> Vec<&'static str> {
        let mut calls = Vec::new();
        for _ in 0..8 {
            let called = self.pass(usize::MAX, false);
            let plan = self.plan();
            if called.is_empty() && !plan.waiting_on.is_empty() {
                let looks = [WaitingOn::AbsenceConfirmation(Need::Scaling)];
                assert_eq!(plan.waiting_on, looks);
                self.look(31);
                continue;
            }
            if called.is_empty() {
                assert!(plan.is_settled(), "{plan:?}");
                return calls;
            }
            calls.extend(called);
        }
        panic!("does not converge: {calls:?}");
    }
}
