//! The plan of a living service's scaling, case by case.

use super::world::{World, operations};
use crate::owner::Owner;
use crate::plan::{Need, WaitingOn};
use crate::scaling::fixtures::{TARGET_ARN, alarm_arn, seen, seen_mut, tag};
use crate::scaling::{Bounds, Decimal, ScalingStep, Suspended};
use privateservice_api::privateservice::ScalingPolicy;

const PLAIN: &str = "scaling: {}";

fn somebody() -> Owner {
    Owner {
        cluster_id: "other".into(),
        namespace: "team-b".into(),
        name: "api".into(),
    }
}

#[test]
fn a_new_service_gets_its_target_first_then_policies_then_alarms() {
    let mut world = World::new(PLAIN);
    assert_eq!(
        world.converge(),
        [
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "PutScalingPolicy",
            "PutMetricAlarm",
            "PutMetricAlarm"
        ]
    );
    let seen = seen(&world.observed);
    for (name, alarm) in &seen.alarms {
        let policy = if name.ends_with("scale-in") {
            "pre-prod/api/scale-in"
        } else {
            "pre-prod/api/scale-out"
        };
        assert_eq!(alarm.calls, [seen.policies[policy].arn.clone()], "{name}");
    }
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn a_fixed_number_is_one_call() {
    let mut world = World::new("scaling: {minTasks: 3, maxTasks: 3}");
    assert_eq!(world.converge(), ["RegisterScalableTarget"]);
    assert_eq!(world.count(), 3);
}

#[test]
fn nothing_is_planned_before_it_was_read_or_for_a_service_that_is_not_there_or_not_ours() {
    let mut world = World::new(PLAIN);
    world.observed.scaling = crate::fact::Fact::Unknown;
    let plan = world.plan();
    assert_eq!(plan.steps, []);
    assert_eq!(plan.waiting_on, [WaitingOn::Read(Need::Scaling)]);

    let mut world = World::new(PLAIN);
    world.service().tags.as_mut().unwrap().clear();
    assert!(world.plan().is_settled());
    world.observed.service = crate::fact::Fact::Unknown;
    assert!(world.plan().is_settled());
}

/// Each edit from the defaults, and exactly what it costs.
#[test]
fn edits_cost_what_they_change() {
    let cases: &[(&str, &[&str])] = &[
        (
            "scaling: {cpuThreshold: 70}",
            &["PutMetricAlarm", "PutMetricAlarm"],
        ),
        ("scaling: {maxTasks: 20}", &["RegisterScalableTarget"]),
        (
            "scaling: {cooldownSeconds: 600}",
            &["PutScalingPolicy", "PutScalingPolicy", "PutMetricAlarm"],
        ),
        (
            "scaling: {memoryThreshold: 60}",
            // The alarm for fewer tasks becomes metric math, so its policy has another step.
            &["PutScalingPolicy", "PutMetricAlarm", "PutMetricAlarm"],
        ),
        (
            "scaling: {cpuThreshold: 0}",
            &["DeleteAlarms", "DeleteScalingPolicy", "DeleteScalingPolicy"],
        ),
        (
            "scaling: {policy: TargetTracking}",
            &[
                "PutScalingPolicy",
                "DeleteAlarms",
                "DeleteScalingPolicy",
                "DeleteScalingPolicy",
            ],
        ),
        (
            "scaling: {schedules: [{name: night, schedule: rate(1 day), maxTasks: 2}]}",
            &["PutScheduledAction"],
        ),
    ];
    for (spec, wanted) in cases {
        let mut world = World::new(PLAIN);
        world.converge();
        world.edit(spec);
        assert_eq!(world.converge(), *wanted, "{spec}");
        world.edit(PLAIN);
        world.converge();
        assert_eq!(world.converge(), [""; 0], "and back from {spec}");
    }
}

/// Each thing somebody may change in AWS, and what mends it.
#[test]
fn drift_is_repaired_with_one_call() {
    type Change = fn(&mut World);
    let cases: &[(Change, &str)] = &[
        (
            |world| {
                world.set_bounds(Bounds { min: 1, max: 3 });
            },
            "RegisterScalableTarget",
        ),
        (
            |world| {
                let target = seen_mut(&mut world.observed).target.as_mut().unwrap();
                target.target.suspended.scale_in = true;
            },
            "RegisterScalableTarget",
        ),
        (
            |world| {
                let alarms = &mut seen_mut(&mut world.observed).alarms;
                alarms
                    .get_mut("pre-prod/api/cpu-high")
                    .unwrap()
                    .alarm
                    .threshold = Decimal::near(80.5);
            },
            "PutMetricAlarm",
        ),
        (
            |world| {
                let alarms = &mut seen_mut(&mut world.observed).alarms;
                alarms
                    .get_mut("pre-prod/api/cpu-high")
                    .unwrap()
                    .calls
                    .clear();
            },
            "PutMetricAlarm",
        ),
        (
            |world| {
                let alarms = &mut seen_mut(&mut world.observed).alarms;
                alarms
                    .get_mut("pre-prod/api/scale-in")
                    .unwrap()
                    .alarm
                    .enabled = false;
            },
            "PutMetricAlarm",
        ),
        (
            |world| {
                seen_mut(&mut world.observed)
                    .alarms
                    .remove("pre-prod/api/scale-in");
            },
            "PutMetricAlarm",
        ),
    ];
    for (number, (change, wanted)) in cases.iter().enumerate() {
        let mut world = World::new(PLAIN);
        world.converge();
        change(&mut world);
        assert_eq!(world.converge(), [*wanted], "case {number}");
    }
}

#[test]
fn a_policy_that_was_made_anew_has_its_alarm_pointed_at_it() {
    let mut world = World::new(PLAIN);
    world.converge();
    seen_mut(&mut world.observed)
        .policies
        .remove("pre-prod/api/scale-out");
    assert_eq!(world.converge(), ["PutScalingPolicy", "PutMetricAlarm"]);
    // Somebody else deleted it and made it again.
    let policies = &mut seen_mut(&mut world.observed).policies;
    policies.get_mut("pre-prod/api/scale-out").unwrap().arn = "policy-new".into();
    assert_eq!(world.converge(), ["PutMetricAlarm"]);
    let alarm = &seen(&world.observed).alarms["pre-prod/api/cpu-high"];
    assert_eq!(alarm.calls, ["policy-new"]);
}

#[test]
fn a_count_beyond_the_bounds_is_moved_by_registering_and_one_within_is_scalings_own() {
    let mut world = World::new("scaling: {minTasks: 2, maxTasks: 4}");
    world.converge();
    for (count, calls, after) in [
        (1, &["RegisterScalableTarget"][..], 2),
        (9, &["RegisterScalableTarget"], 4),
        (3, &[], 3),
    ] {
        world.service().desired_count = count;
        assert_eq!(world.converge(), calls, "{count}");
        assert_eq!(world.count(), after);
    }
}

const NIGHT: &str = "scaling: {minTasks: 2, maxTasks: 6, schedules: [\
    {name: night, schedule: 'cron(0 20 ? * * *)', minTasks: 1, maxTasks: 2}, \
    {name: day, schedule: 'cron(0 7 ? * * *)'}]}";

#[test]
fn bounds_that_a_schedule_set_stay_until_others_are_asked_for() {
    let mut world = World::new(NIGHT);
    world.converge();
    let night = Bounds { min: 1, max: 2 };
    world.set_bounds(night);
    world.service().desired_count = 2;
    assert_eq!(world.converge(), [""; 0]);
    // A count beyond them is moved into them, not into those of the day.
    world.service().desired_count = 5;
    assert_eq!(world.converge(), ["RegisterScalableTarget"]);
    assert_eq!((world.bounds(), world.count()), (night, 2));
    // Bounds of nobody are drift.
    world.set_bounds(Bounds { min: 1, max: 50 });
    assert_eq!(world.converge(), ["RegisterScalableTarget"]);
    assert_eq!(world.bounds(), Bounds { min: 2, max: 6 });
    // An edit is obeyed at once, at night too.
    world.set_bounds(night);
    world.edit(&NIGHT.replace("maxTasks: 6", "maxTasks: 8"));
    let calls = world.converge();
    assert!(calls.contains(&"RegisterScalableTarget"), "{calls:?}");
    assert_eq!(world.bounds(), Bounds { min: 2, max: 8 });
}

#[test]
fn a_schedule_that_is_no_longer_wanted_goes_and_so_do_its_bounds() {
    let mut world = World::new(NIGHT);
    world.converge();
    world.set_bounds(Bounds { min: 1, max: 2 });
    world.edit("scaling: {minTasks: 2, maxTasks: 6}");
    assert_eq!(
        world.converge(),
        [
            "RegisterScalableTarget",
            "DeleteScheduledAction",
            "DeleteScheduledAction"
        ]
    );
    assert!(seen(&world.observed).schedules.is_empty());
}

#[test]
fn a_time_that_is_past_is_not_scheduled_again() {
    let once =
        "scaling: {schedules: [{name: once, schedule: 'at(2001-01-01T00:00:00)', maxTasks: 3}]}";
    let mut world = World::new(once);
    let calls = world.converge();
    assert!(!calls.contains(&"PutScheduledAction"), "{calls:?}");
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn a_pause_suspends_before_it_stops_and_the_way_back_starts_before_it_resumes() {
    let mut world = World::new("scaling: {minTasks: 2}");
    world.converge();
    world.service().desired_count = 5;
    world.converge();
    world.edit("scaling: {minTasks: 2}, paused: true");
    assert_eq!(
        world.converge(),
        ["RegisterScalableTarget", "UpdateService"]
    );
    assert_eq!(world.count(), 0);
    assert_eq!(
        seen(&world.observed)
            .target
            .as_ref()
            .unwrap()
            .target
            .suspended,
        Suspended::ALL
    );
    assert_eq!(world.converge(), [""; 0]);
    world.edit("scaling: {minTasks: 2}");
    assert_eq!(
        world.converge(),
        ["UpdateService", "RegisterScalableTarget"]
    );
    assert_eq!(world.count(), 5);
    assert_eq!(world.status.autoscaling.as_ref().unwrap().paused, None);
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn a_pause_that_began_with_little_ends_with_the_fewest_tasks() {
    let mut world = World::new("scaling: {minTasks: 1}");
    world.converge();
    world.edit("paused: true, scaling: {minTasks: 1}");
    world.converge();
    world.edit("scaling: {minTasks: 3, maxTasks: 4}");
    world.converge();
    assert_eq!(world.count(), 3);
}

#[test]
fn a_count_that_somebody_sets_during_a_pause_is_told_and_not_sent() {
    let mut world = World::new("paused: true");
    world.converge();
    world.service().desired_count = 2;
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn pausing_again_before_the_way_back_is_through_pauses_again() {
    let mut world = World::new(PLAIN);
    world.converge();
    world.service().desired_count = 4;
    world.converge();
    world.edit("paused: true");
    world.converge();
    world.edit(PLAIN);
    // Only the count gets there.
    world.steps(1);
    assert_eq!(world.count(), 4);
    world.edit("paused: true");
    assert_eq!(world.converge(), ["UpdateService"]);
    assert_eq!(world.count(), 0);
    world.edit(PLAIN);
    world.converge();
    assert_eq!(world.count(), 4);
}

#[test]
fn a_service_that_is_paused_from_the_beginning_is_created_without_tasks() {
    let mut world = World::new("paused: true, scaling: {minTasks: 3}");
    assert_eq!(world.count(), 0);
    let calls = world.converge();
    assert!(!calls.contains(&"UpdateService"), "{calls:?}");
    world.edit("scaling: {minTasks: 3}");
    assert_eq!(
        world.converge(),
        ["UpdateService", "RegisterScalableTarget"]
    );
    assert_eq!(world.count(), 3);
}

#[test]
fn without_application_auto_scaling_a_pause_still_works() {
    let mut world = World::new(PLAIN);
    world.observed.scaling_unsupported = true;
    assert_eq!(world.converge(), [""; 0]);
    world.service().desired_count = 2;
    world.converge();
    world.edit("paused: true");
    assert_eq!(world.converge(), ["UpdateService"]);
    world.edit(PLAIN);
    assert_eq!(world.converge(), ["UpdateService"]);
    assert_eq!(world.count(), 2);
}

#[test]
fn what_carries_somebody_elses_tag_is_a_conflict_and_not_touched() {
    for (arn, kind) in [
        (TARGET_ARN.to_owned(), "scalable target"),
        (alarm_arn("pre-prod/api/cpu-high"), "CloudWatch alarm"),
    ] {
        let mut world = World::new(PLAIN);
        world.converge();
        world.forget();
        tag(&mut world.observed, &arn, Some(somebody()));
        world.edit("scaling: {cpuThreshold: 50, maxTasks: 30}");
        let plan = world.plan();
        assert_eq!(plan.steps, [], "{arn}");
        let conflict = plan.conflict.unwrap();
        assert_eq!((conflict.kind, conflict.arn), (kind, arn));
    }
}

#[test]
fn an_alarm_that_nobody_owns_is_taken_over_only_where_that_is_asked_for() {
    let orphaned = |spec: &str| {
        let mut world = World::new(PLAIN);
        world.converge();
        world.forget();
        let arn = alarm_arn("pre-prod/api/cpu-high");
        tag(&mut world.observed, &arn, None);
        tag(&mut world.observed, TARGET_ARN, None);
        world.edit(spec);
        world
    };
    let world = orphaned(PLAIN);
    assert!(world.plan().conflict.is_some());
    let mut world = orphaned(PLAIN);
    world.desired.adopt = true;
    assert_eq!(world.converge(), ["TagResource", "TagResource"]);
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn after_status_was_lost_the_tags_are_asked_once_and_nothing_is_written() {
    let mut world = World::new(PLAIN);
    world.converge();
    world.forget();
    let owners = std::mem::take(&mut world.observed.owners);
    let plan = world.plan();
    assert_eq!(plan.steps, []);
    assert_eq!(
        plan.needs(),
        [
            Need::Owner(TARGET_ARN.into()),
            Need::Owner(alarm_arn("pre-prod/api/cpu-high")),
            Need::Owner(alarm_arn("pre-prod/api/scale-in")),
        ]
    );
    world.observed.owners = owners;
    assert_eq!(world.converge(), [""; 0]);
    // From then on status knows.
    world.observed.owners.clear();
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn other_tags_reach_what_is_there_and_those_no_longer_asked_for_go() {
    let mut world = World::new("tags: {team: shop, stage: dark}, scaling: {}");
    world.converge();
    world.edit("tags: {team: orders}, scaling: {memoryThreshold: 70}");
    let calls = world.converge();
    let count = |operation: &str| calls.iter().filter(|one| **one == operation).count();
    // The target and the alarm of CPU; that of memory is new, and that of scaling in has another formula, but is the same alarm.
    assert_eq!((count("TagResource"), count("UntagResource")), (3, 3));
    assert!(world.tags.values().all(|tags| *tags == world.desired.tags));
    assert_eq!(world.tags.len(), 4);
    assert_eq!(world.converge(), [""; 0]);
}

#[test]
fn tags_are_not_written_only_because_nobody_remembers_them() {
    let mut world = World::new("tags: {team: shop}, scaling: {}");
    world.converge();
    let status = world.status.autoscaling.as_mut().unwrap();
    (status.tags, status.tag_keys) = Default::default();
    assert_eq!(world.converge(), [""; 0]);
    let status = world.status.autoscaling.as_ref().unwrap();
    assert_eq!(status.tag_keys, ["cost-center", "team"]);
    world.edit("scaling: {}");
    assert_eq!(world.converge().len(), 6);
    assert!(world.tags.values().all(|tags| *tags == world.desired.tags));
}

#[test]
fn a_target_is_registered_again_when_the_service_took_it_along() {
    let mut world = World::new("scaling: {minTasks: 2}");
    world.converge();
    let seen = seen_mut(&mut world.observed);
    seen.target = None;
    seen.policies.clear();
    // The alarms outlived it and call policies that are gone.
    assert_eq!(
        world.converge(),
        [
            "RegisterScalableTarget",
            "PutScalingPolicy",
            "PutScalingPolicy",
            "PutMetricAlarm",
            "PutMetricAlarm"
        ]
    );
}

#[test]
fn a_recreated_service_starts_with_as_many_tasks_as_ran_last_within_the_bounds() {
    for (spec, count) in [
        ("scaling: {minTasks: 2, maxTasks: 9}", 5),
        ("scaling: {minTasks: 6, maxTasks: 9}", 6),
        ("scaling: {minTasks: 1, maxTasks: 3}", 1),
        ("paused: true", 0),
    ] {
        let mut world = World::new("scaling: {minTasks: 2, maxTasks: 9}");
        world.converge();
        world.service().desired_count = 5;
        world.converge();
        world.edit(spec);
        assert_eq!(world.recreated_with(), count, "{spec}");
    }
}

#[test]
fn operations_are_named_as_iam_names_them() {
    assert_eq!(
        operations(&[ScalingStep::DeregisterTarget]),
        ["DeregisterScalableTarget"]
    );
    assert_eq!(ScalingPolicy::default(), ScalingPolicy::StepAlarms);
}

/// An empty page says as little about these as a full one.
#[test]
fn what_is_missing_from_one_answer_is_looked_for_again_before_it_is_made_again() {
    let mut world = World::new(NIGHT);
    world.converge();
    let whole = seen(&world.observed).clone();
    let without: [fn(&mut crate::scaling::Observed); 4] = [
        |seen| seen.target = None,
        |seen| drop(seen.policies.pop_last()),
        |seen| drop(seen.alarms.pop_last()),
        |seen| drop(seen.schedules.pop_last()),
    ];
    for (number, change) in without.iter().enumerate() {
        change(seen_mut(&mut world.observed));
        world.look(1);
        let plan = world.plan();
        assert_eq!(plan.steps, [], "case {number}");
        assert_eq!(
            plan.waiting_on,
            [WaitingOn::AbsenceConfirmation(Need::Scaling)]
        );
        // It was an empty page.
        *seen_mut(&mut world.observed) = whole.clone();
        world.look(40);
        assert!(world.plan().is_settled(), "case {number}");
        // It was not.
        change(seen_mut(&mut world.observed));
        world.look(1);
        world.look(30);
        assert!(!world.plan().steps.is_empty(), "case {number}");
        *seen_mut(&mut world.observed) = whole.clone();
    }
}
