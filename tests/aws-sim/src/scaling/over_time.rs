//! Application Auto Scaling and the alarms over time. In: moments. Out: what falls due at them. No IO. Invariant: nothing
//! is left to do at or before the last moment.

use super::activities::Activity;
use super::scheduled_actions::ScheduledAction;
use super::targets;
use crate::clock::Moment;
use crate::ecs::world::{ServiceKey, World};

impl World {
    /// When something of this next falls due.
    pub(crate) fn next_scaling(&self) -> Option<Moment> {
        let moments = [self.cloud_watch.next_minute(), self.scaling.next_schedule];
        moments.into_iter().flatten().min()
    }

    /// Lets everything happen that is due at a moment.
    pub(crate) fn scale_at(&mut self, now: Moment) {
        if self.scaling.next_schedule.is_some_and(|at| at <= now) {
            self.run_schedules(now);
        }
        if self.cloud_watch.next_minute().is_some_and(|at| at <= now) {
            self.cloud_watch.end_minute(now);
            self.emit(now);
            let invocations = self.evaluate_alarms(now);
            self.act(&invocations, now);
            self.give_up(now);
        }
    }

    /// Looks whether a service has reached the count it was scaled to.
    pub(crate) fn note_fulfilment(&mut self, key: &ServiceKey, now: Moment) {
        let Some(index) = self.scaling.open.get(key).copied() else {
            return;
        };
        let reached = self
            .services
            .get(key)
            .is_some_and(|service| service.has_reached(now));
        if !reached {
            return;
        }
        self.end_activity(key, index, "Successful", now);
        if let Some(target) = self.scaling.targets.get_mut(key)
            && let Some(cooldown) = &mut target.cooldown
        {
            cooldown.since.get_or_insert(now);
        }
    }

    fn end_activity(&mut self, key: &ServiceKey, index: usize, status: &'static str, now: Moment) {
        self.scaling.open.remove(key);
        if let Some(activity) = self.scaling.activities.get_mut(index) {
            activity.status = status;
            activity.ended = Some(now);
        }
    }

    /// What is not fulfilled in time is given up, without a cooldown.
    fn give_up(&mut self, now: Moment) {
        let patience = self.scaling_options().unfulfilled_after;
        let late = |activity: &Activity| activity.started + patience <= now;
        let open = self.scaling.open.iter();
        let late: Vec<(ServiceKey, usize)> = open
            .filter(|(_, index)| self.scaling.activities.get(**index).is_some_and(late))
            .map(|(key, index)| (key.clone(), *index))
            .collect();
        for (key, index) in late {
            self.end_activity(&key, index, "Unfulfilled", now);
            if let Some(target) = self.scaling.targets.get_mut(&key) {
                target.cooldown = target.cooldown.filter(|cooldown| cooldown.since.is_some());
            }
        }
    }

    /// Finds out when the next scheduled action takes place.
    pub(super) fn plan_schedules(&mut self) {
        let targets = self.scaling.targets.values();
        let actions = targets.flat_map(|target| target.scheduled.values());
        self.scaling.next_schedule = actions.filter_map(|action| action.next).min();
    }

    fn run_schedules(&mut self, now: Moment) {
        let mut due = Vec::new();
        for (key, target) in &mut self.scaling.targets {
            let is_suspended = target.suspended.scheduled;
            for action in target.scheduled.values_mut() {
                if action.next.is_some_and(|at| at <= now) {
                    action.plan(now);
                    if !is_suspended {
                        due.push((key.clone(), action.clone()));
                    }
                }
            }
        }
        for (key, action) in due {
            self.run_schedule(&key, &action, now);
        }
        self.plan_schedules();
    }

    fn run_schedule(&mut self, key: &ServiceKey, action: &ScheduledAction, now: Moment) {
        let Some(target) = self.scaling.targets.get_mut(key) else {
            return;
        };
        let minimum = action.minimum.unwrap_or(target.minimum);
        let maximum = action.maximum.unwrap_or(target.maximum);
        // One bound that crosses the other one, which it leaves: nothing happens.
        if targets::check_bounds(minimum, maximum).is_err() {
            return;
        }
        target.minimum = minimum;
        target.maximum = maximum;
        self.bring_within_bounds(key, now);
    }
}
