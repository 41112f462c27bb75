//! The scalable target: registered, again where it differs or the count is outside its bounds, and around it the count of a pause.

use super::{Scene, push, set_count};
use crate::plan::Plan;
use crate::scaling::parts::Target;
use crate::scaling::step::ScalingStep;
use crate::scaling::whose::Whose;
use crate::scaling::{Bounds, Thing, pause};

impl Scene<'_> {
    pub(super) fn target(&self, plan: &mut Plan) {
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
}
