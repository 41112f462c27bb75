//! Removing what scales a service, or letting go of it.

use super::world::World;
use crate::fact::Fact;
use crate::fixtures::{self, apply, place};
use crate::observed::Observed;
use crate::owner::Owner;
use crate::plan::{Need, Plan, Remains, WaitingOn, plan_deletion};
use crate::scaling::fixtures::{TARGET_ARN, alarm_arn, seen, tag};
use crate::scaling::{forget, memory};

fn remains(world: &World, retain: bool) -> Remains {
    Remains {
        owner: fixtures::owner(),
        cluster_arn: place().cluster_arn,
        existed: true,
        dns_existed: false,
        scaling: world
            .status
            .autoscaling
            .is_some()
            .then(|| memory(&world.status)),
        retain,
    }
}

fn converged() -> World {
    let mut world = World::new("scaling: {memoryThreshold: 50}");
    world.converge();
    world
}

fn operations(plan: &Plan) -> Vec<&'static str> {
    plan.steps
        .iter()
        .map(crate::step::Step::operation)
        .collect()
}

fn carry_out(plan: &Plan, observed: &mut Observed) {
    crate::guard::check(plan, observed, &fixtures::owner()).unwrap();
    for step in &plan.steps {
        apply(observed, step, 50);
    }
}

#[test]
fn alarms_go_first_then_the_target_then_the_service_and_nothing_is_left() {
    let mut world = converged();
    let remains = remains(&world, false);
    let plan = plan_deletion(&remains, &world.observed);
    assert_eq!(
        operations(&plan),
        [
            "cloudwatch:DeleteAlarms",
            "application-autoscaling:DeregisterScalableTarget",
            "ecs:DeleteService"
        ]
    );
    carry_out(&plan, &mut world.observed);
    let left = seen(&world.observed);
    assert!(left.target.is_none() && left.alarms.is_empty() && left.policies.is_empty());
    let rest = plan_deletion(&remains, &world.observed);
    assert_eq!(operations(&rest), ["servicediscovery:DeleteService"]);
}

#[test]
fn retain_removes_the_tags_and_nothing_else() {
    let mut world = converged();
    let remains = remains(&world, true);
    let plan = plan_deletion(&remains, &world.observed);
    let untagged = |plan: &Plan| {
        let count = |name| operations(plan).iter().filter(|one| **one == name).count();
        (
            count("cloudwatch:UntagResource"),
            count("application-autoscaling:UntagResource"),
            plan.steps.len(),
        )
    };
    // And of the ECS service and the DNS service.
    assert_eq!(untagged(&plan), (3, 1, 6));
    carry_out(&plan, &mut world.observed);
    assert_eq!(seen(&world.observed).alarms.len(), 3);
    assert_eq!(world.observed.owners[TARGET_ARN], None);
    assert!(plan_deletion(&remains, &world.observed).is_settled());
}

#[test]
fn what_is_not_ours_stays_and_what_is_not_known_is_asked_for() {
    let mut world = converged();
    world.observed.owners.clear();
    world.forget();
    let mut remains = remains(&world, false);
    remains.scaling = Some(memory(&world.status));
    let plan = plan_deletion(&remains, &world.observed);
    assert_eq!(plan.needs().len(), 4);
    assert!(plan.needs().contains(&Need::Owner(TARGET_ARN.into())));
    let other = Owner {
        name: "other".into(),
        ..fixtures::owner()
    };
    for name in ["cpu-high", "memory-high", "scale-in"] {
        let arn = alarm_arn(&format!("pre-prod/api/{name}"));
        tag(&mut world.observed, &arn, Some(other.clone()));
    }
    tag(&mut world.observed, TARGET_ARN, Some(other));
    let plan = plan_deletion(&remains, &world.observed);
    assert_eq!(operations(&plan), ["ecs:DeleteService"]);
    assert_eq!(plan.needs(), []);
}

#[test]
fn a_status_that_knows_of_no_scaling_asks_for_none() {
    let mut world = World::new("scaling: {}");
    world.observed.scaling = Fact::Unknown;
    let mut remains = remains(&world, false);
    assert_eq!(remains.scaling, None);
    assert_eq!(plan_deletion(&remains, &world.observed).needs(), []);
    remains.scaling = Some(memory(&world.status));
    assert_eq!(
        plan_deletion(&remains, &world.observed).needs(),
        [Need::Scaling]
    );
    world.observed.scaling_unsupported = true;
    assert_eq!(plan_deletion(&remains, &world.observed).needs(), []);
}

#[test]
fn an_empty_page_lets_nothing_go() {
    let mut world = converged();
    let left = remains(&world, false);
    let whole = seen(&world.observed).clone();
    let seen = crate::scaling::fixtures::seen_mut(&mut world.observed);
    (seen.target, seen.alarms) = Default::default();
    world.look(1);
    let needs = |world: &World, remains: &Remains| {
        let plan = plan_deletion(remains, &world.observed);
        plan.waiting_on
    };
    let again = WaitingOn::AbsenceConfirmation(Need::Scaling);
    assert!(needs(&world, &left).contains(&again));
    world.look(31);
    assert!(!needs(&world, &left).contains(&again));
    // What was removed by us is not missing.
    *crate::scaling::fixtures::seen_mut(&mut world.observed) = whole;
    world.look(1);
    let plan = plan_deletion(&left, &world.observed);
    carry_out(&plan, &mut world.observed);
    let before = world.status.autoscaling.clone().unwrap();
    world.status.autoscaling = Some(forget(&before, &plan, plan.steps.len()));
    world.look(1);
    assert!(!needs(&world, &remains(&world, false)).contains(&again));
}
