//! What a pass over scaling means for the conditions.

use super::world::World;
use crate::conditions::{Ready, Verdict};
use crate::failure::Failure;
use crate::plan::{Need, Plan, WaitingOn};
use crate::scaling::{Pass, Standing, standing};
use privateservice_api::conditions::{ConditionType, Reason};

fn well() -> Verdict {
    Verdict {
        ready: Ready::True,
        reason: Reason::Succeeded,
        message: "all is as the spec asks".into(),
        findings: vec![],
    }
}

fn pass<'a>(world: &'a World, plan: &'a Plan) -> Pass<'a> {
    Pass {
        desired: &world.desired,
        plan,
        service: Some(true),
        executed: 0,
        futile: false,
        failure: None,
        read_failure: None,
        unsupported: false,
        held_before: false,
    }
}

fn told(standing: &Standing) -> (bool, Reason, Ready, Ready) {
    (
        standing.holds,
        standing.reason,
        standing.weigh(well(), false).ready,
        standing.weigh(well(), true).ready,
    )
}

#[test]
fn a_new_service_waits_for_its_scaling_and_one_that_served_goes_on_serving() {
    let mut world = World::new("scaling: {}");
    let plan = world.plan();
    let pending = standing(&pass(&world, &plan));
    assert_eq!(
        told(&pending),
        (false, Reason::AutoscalingPending, Ready::False, Ready::True)
    );
    let verdict = pending.weigh(well(), true);
    assert_eq!(verdict.reason, Reason::AutoscalingPending);
    assert_eq!(verdict.findings[0].kind, ConditionType::AutoscalingReady);
    world.converge();
    let plan = world.plan();
    let done = standing(&pass(&world, &plan));
    assert_eq!(
        told(&done),
        (true, Reason::Succeeded, Ready::True, Ready::True)
    );
    assert_eq!(done.message, "1 to 10 tasks, by CPU at 80 %");
}

#[test]
fn what_somebody_has_to_mend_is_not_ready() {
    let world = World::new("scaling: {}");
    let plan = world.plan();
    let denied = Failure::Waiting {
        operation: "cloudwatch:PutMetricAlarm",
        message: "is not authorized to perform: cloudwatch:PutMetricAlarm".into(),
        reason: Reason::AccessDenied,
    };
    let standing = standing(&Pass {
        failure: Some(&denied),
        ..pass(&world, &plan)
    });
    assert_eq!(
        told(&standing),
        (false, Reason::AccessDenied, Ready::False, Ready::False)
    );
}

#[test]
fn an_unclear_answer_is_no_news_about_a_deployment() {
    let world = World::new("scaling: {}");
    let plan = world.plan();
    let unclear = Failure::Ambiguous {
        operation: "cloudwatch:PutMetricAlarm",
        message: "no answer in time".into(),
    };
    let standing = standing(&Pass {
        failure: Some(&unclear),
        ..pass(&world, &plan)
    });
    assert_eq!(standing.reason, Reason::AutoscalingPending);
}

#[test]
fn an_aws_without_it_holds_nobody_back() {
    let world = World::new("scaling: {}");
    let plan = Plan::default();
    let standing = standing(&Pass {
        unsupported: true,
        ..pass(&world, &plan)
    });
    assert_eq!(
        told(&standing),
        (false, Reason::AutoscalingPending, Ready::True, Ready::True)
    );
    assert_eq!(
        standing.weigh(well(), false).reason,
        Reason::Succeeded,
        "Ready keeps its own words"
    );
}

#[test]
fn what_was_in_place_is_so_while_it_cannot_be_read() {
    let world = World::new("scaling: {}");
    let plan = Plan::wait(0, WaitingOn::Read(Need::Scaling));
    let fresh = standing(&pass(&world, &plan));
    assert!(!fresh.holds);
    let kept = standing(&Pass {
        held_before: true,
        ..pass(&world, &plan)
    });
    assert!(kept.holds);
}

#[test]
fn right_after_an_update_of_the_service_it_is_as_it_was() {
    let world = World::new("scaling: {}");
    let plan = Plan::default();
    for (service, held_before, holds) in [
        (None, true, true),
        (None, false, false),
        (Some(false), true, false),
    ] {
        let standing = standing(&Pass {
            service,
            held_before,
            ..pass(&world, &plan)
        });
        assert_eq!(standing.holds, holds, "{service:?} {held_before}");
    }
}

#[test]
fn it_has_no_say_where_all_is_not_well_anyway() {
    let mut world = World::new("scaling: {}");
    world.converge();
    let plan = world.plan();
    let failing = Verdict {
        ready: Ready::False,
        reason: Reason::RolledBack,
        ..well()
    };
    let verdict = standing(&pass(&world, &plan)).weigh(failing, false);
    assert_eq!(
        (verdict.ready, verdict.reason),
        (Ready::False, Reason::RolledBack)
    );
}

#[test]
fn a_pause_and_a_fixed_number_say_so() {
    for (spec, words) in [
        ("paused: true", "paused is true: scaling is suspended"),
        (
            "scaling: {minTasks: 3, maxTasks: 3}",
            "the number of tasks is kept at 3",
        ),
        (
            "scaling: {cpuThreshold: 0}",
            "1 to 10 tasks, whatever their load",
        ),
    ] {
        let world = World::new(spec);
        let plan = Plan::default();
        assert_eq!(standing(&pass(&world, &plan)).message, words);
    }
}
