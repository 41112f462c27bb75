//! What is there and no longer wanted.

use super::{Scene, push};
use crate::names;
use crate::plan::{Need, Plan, WaitingOn};
use crate::scaling::step::ScalingStep;
use crate::scaling::whose::{Whose, whose};

impl Scene<'_> {
    /// What is there and no longer wanted: alarms before the policies they call.
    pub(super) fn obsolete(&self, plan: &mut Plan) {
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
            names::scheduled_action(&self.desired.scaling.environment, &scope.service, name)
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
            names::scheduled_action(&scaling.environment, service, &schedule.name) == name
        })
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
