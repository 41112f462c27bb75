//! Laws that hold over random edits, drift, scaling by AWS and crashes.

use super::world::World;
use crate::plan::Plan;
use crate::scaling::fixtures::{TARGET_ARN, seen, seen_mut};
use crate::scaling::{Bounds, Decimal, Suspended, render};
use proptest::prelude::*;

const SPECS: &[&str] = &[
    "scaling: {}",
    "scaling: {minTasks: 2, maxTasks: 4, memoryThreshold: 70}",
    "tags: {team: shop, stage: dark}, scaling: {}",
    "tags: {team: orders}, scaling: {memoryThreshold: 70}",
    "scaling: {minTasks: 3, maxTasks: 3}",
    "scaling: {cpuThreshold: 0}",
    "scaling: {policy: TargetTracking, memoryThreshold: 50}",
    "ports: [{name: web, port: 80, protocol: http}], scaling: {requestThreshold: 100, cooldownSeconds: 60}",
    "scaling: {minTasks: 2, maxTasks: 6, schedules: [{name: night, schedule: rate(1 day), minTasks: 1, maxTasks: 2}]}",
    "paused: true, scaling: {}",
    "paused: true, scaling: {minTasks: 2, maxTasks: 4, memoryThreshold: 70}",
    "paused: true, scaling: {minTasks: 2, maxTasks: 6, schedules: [{name: night, schedule: rate(1 day), minTasks: 1, maxTasks: 2}]}",
];

#[derive(Clone, Debug)]
enum Event {
    /// The spec becomes another one.
    Edit(usize),
    /// AWS scales, or somebody sets the count.
    Count(i32),
    /// Somebody sets the bounds, or a schedule does.
    Bounds(i32, i32),
    /// Somebody resumes scaling.
    Resume,
    /// Somebody deletes what scales the service.
    Deregister,
    /// Somebody deletes or changes an alarm.
    Alarm(bool),
    /// A pass that gets no further than so many calls.
    Pass(usize),
    /// The same, and the process ends before it writes status.
    Crash(usize),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        3 => (0..SPECS.len()).prop_map(Event::Edit),
        2 => (0..12).prop_map(Event::Count),
        1 => (0..3, 0..12).prop_map(|(min, more)| Event::Bounds(min, min + more)),
        1 => Just(Event::Resume),
        1 => Just(Event::Deregister),
        1 => any::<bool>().prop_map(Event::Alarm),
        4 => (0..8_usize).prop_map(Event::Pass),
        2 => (0..8_usize).prop_map(Event::Crash),
    ]
}

/// Counts are sent on entering and leaving a pause, and never else.
struct Counts {
    paused: bool,
    /// `paused` changed, and what follows from that has not been carried out and remembered.
    due: bool,
}

impl Counts {
    fn edited(&mut self, paused: bool) {
        self.due |= self.paused != paused;
        self.paused = paused;
    }

    fn called(&mut self, calls: &[&str], plan: &Plan, crash: bool) {
        let counted = calls.contains(&"UpdateService");
        assert!(
            !counted || self.due,
            "a count was sent although nobody paused"
        );
        let through = plan.waiting_on.is_empty() && calls.len() == plan.steps.len();
        if !crash && (counted || through) {
            self.due = false;
        }
    }
}

fn drift(world: &mut World, event: &Event) {
    match event {
        Event::Count(count) => world.service().desired_count = *count,
        Event::Bounds(min, max) if seen(&world.observed).target.is_some() => {
            let (min, max) = (*min, *max);
            world.set_bounds(Bounds { min, max });
        }
        Event::Resume => {
            if let Some(target) = seen_mut(&mut world.observed).target.as_mut() {
                target.target.suspended = Suspended::NONE;
            }
        }
        Event::Deregister => {
            let seen = seen_mut(&mut world.observed);
            (seen.target, seen.policies, seen.schedules) = Default::default();
        }
        Event::Alarm(delete) => {
            let alarms = &mut seen_mut(&mut world.observed).alarms;
            if *delete {
                alarms.pop_last();
            } else if let Some(mut alarm) = alarms.first_entry() {
                alarm.get_mut().alarm.threshold = Decimal::whole(42);
            }
        }
        _ => {}
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn counts_are_sent_for_pauses_alone_and_any_history_converges(
        first in 0..SPECS.len(),
        events in proptest::collection::vec(event(), 0..24),
    ) {
        let mut world = World::new(SPECS[first]);
        let mut counts = Counts {
            paused: world.desired.scaling.paused,
            due: world.desired.scaling.paused,
        };
        for event in &events {
            match event {
                Event::Edit(spec) => {
                    world.edit(SPECS[*spec]);
                    counts.edited(world.desired.scaling.paused);
                }
                Event::Pass(most) | Event::Crash(most) => {
                    let crash = matches!(event, Event::Crash(_));
                    let plan = world.plan();
                    let calls = world.pass(*most, crash);
                    counts.called(&calls, &plan, crash);
                }
                _ => drift(&mut world, event),
            }
        }
        let plan = world.plan();
        let calls = world.pass(usize::MAX, false);
        counts.called(&calls, &plan, false);
        let calls = world.converge();
        prop_assert!(!calls.contains(&"UpdateService") || counts.due, "{:?}", calls);
        prop_assert!(world.plan().is_settled());

        let scaling = &world.desired.scaling;
        let wanted = render(scaling, &world.desired.scope);
        let seen = seen(&world.observed);
        let target = seen.target.as_ref().unwrap().target;
        prop_assert_eq!(target.suspended, wanted.target.suspended);
        if scaling.paused {
            prop_assert_eq!(target.bounds, wanted.target.bounds);
        } else {
            let scheduled = scaling.schedule_of(target.bounds).is_some();
            prop_assert!(scheduled || target.bounds == wanted.target.bounds);
            prop_assert!(target.bounds.hold(world.count()));
            let paused = world.status.autoscaling.as_ref().and_then(|one| one.paused);
            prop_assert_eq!(paused, None);
        }
        prop_assert!(seen.policies.keys().eq(wanted.policies.keys()));
        prop_assert!(seen.schedules.keys().eq(wanted.schedules.keys()));
        prop_assert!(seen.alarms.keys().eq(wanted.alarms.keys()));
        prop_assert_eq!(&world.tags[TARGET_ARN], &world.desired.tags);
        for (name, alarm) in &seen.alarms {
            prop_assert_eq!(&world.tags[&alarm.arn], &world.desired.tags);
            let wanted = &wanted.alarms[name];
            prop_assert_eq!(&alarm.alarm, &wanted.alarm);
            prop_assert_eq!(&alarm.calls, &[seen.policies[&wanted.calls].arn.clone()]);
        }
    }
}
