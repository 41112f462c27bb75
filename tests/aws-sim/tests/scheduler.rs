//! The scheduler's invariants over random histories: it never starts above the maximum and never
//! stops below the minimum.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs)]

use aws_sim::ecs::scheduler::{Limits, Phase, TaskView, decide};
use proptest::prelude::*;

#[derive(Debug, Clone)]
enum Event {
    Deploy,
    Scale(u32),
    BecomeHealthy(usize),
    BecomeUnhealthy(usize),
    Die(usize),
    BackOff(bool),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        1 => Just(Event::Deploy),
        1 => (0_u32..12).prop_map(Event::Scale),
        8 => any::<usize>().prop_map(Event::BecomeHealthy),
        1 => any::<usize>().prop_map(Event::BecomeUnhealthy),
        1 => any::<usize>().prop_map(Event::Die),
        1 => any::<bool>().prop_map(Event::BackOff),
    ]
}

fn healthy(tasks: &[TaskView]) -> usize {
    tasks
        .iter()
        .filter(|task| task.phase == Phase::Healthy)
        .count()
}

/// Schedules until nothing changes, checking every round.
fn run(limits: Limits, tasks: &mut Vec<TaskView>, may_start: bool) {
    for round in 0.. {
        assert!(round < 100, "the scheduler must come to rest");
        let decision = decide(limits, tasks, may_start);
        if decision.start == 0 && decision.stop.is_empty() {
            return;
        }
        let before = healthy(tasks);
        let mut stop = decision.stop.clone();
        stop.sort_unstable();
        stop.dedup();
        assert_eq!(stop.len(), decision.stop.len(), "no task is stopped twice");
        let mut index = 0;
        tasks.retain(|_| {
            index += 1;
            !stop.contains(&(index - 1))
        });
        assert!(
            healthy(tasks) >= limits.lower().min(before),
            "below the minimum: {limits:?}"
        );
        tasks.extend(vec![
            TaskView {
                primary: true,
                phase: Phase::Starting
            };
            decision.start
        ]);
        assert!(
            decision.start == 0 || tasks.len() <= limits.upper(),
            "above the maximum"
        );
    }
}

proptest! {
    #[test]
    fn limits_hold_over_any_history(
        minimum in 0_u32..=100,
        maximum in 100_u32..=200,
        desired in 0_u32..12,
        events in prop::collection::vec(event(), 0..60),
    ) {
        let mut limits = Limits { desired, minimum_percent: minimum, maximum_percent: maximum };
        let mut tasks: Vec<TaskView> = Vec::new();
        let mut may_start = true;
        run(limits, &mut tasks, may_start);
        for event in events {
            let pick = |index: usize, tasks: &[TaskView]| index % tasks.len().max(1);
            match event {
                Event::Deploy => tasks.iter_mut().for_each(|task| task.primary = false),
                Event::Scale(to) => limits.desired = to,
                Event::BecomeHealthy(index) => {
                    let index = pick(index, &tasks);
                    let task = tasks.get_mut(index);
                    if let Some(task) = task.filter(|task| task.phase == Phase::Starting) {
                        task.phase = Phase::Healthy;
                    }
                }
                Event::BecomeUnhealthy(index) => {
                    let index = pick(index, &tasks);
                    if let Some(task) = tasks.get_mut(index) {
                        task.phase = Phase::Unhealthy;
                    }
                }
                Event::Die(index) => {
                    let index = pick(index, &tasks);
                    if index < tasks.len() {
                        tasks.remove(index);
                    }
                }
                Event::BackOff(on) => may_start = !on,
            }
            run(limits, &mut tasks, may_start);
        }
    }

    /// Where the limits leave room, a rollout in which everything becomes healthy ends.
    #[test]
    fn a_healthy_rollout_ends(
        minimum in 0_u32..=100,
        maximum in 100_u32..=200,
        desired in 1_u32..12,
    ) {
        let limits = Limits { desired, minimum_percent: minimum, maximum_percent: maximum };
        prop_assume!(limits.lower() < limits.upper());
        let old = TaskView { primary: false, phase: Phase::Healthy };
        let mut tasks = vec![old; desired as usize];
        for _ in 0..100 {
            run(limits, &mut tasks, true);
            for task in &mut tasks {
                task.phase = Phase::Healthy;
            }
        }
        let wanted = vec![TaskView { primary: true, phase: Phase::Healthy }; desired as usize];
        prop_assert_eq!(tasks, wanted);
    }
}
