//! Rollouts that fail, or wait, for what is around them: networks, capacity, alarms, time.

use aws_sim::Behaviour;
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::World;
use privateservice_tests::world::ENVIRONMENT;
use serde_json::{Value, json};

use super::ending::{Ending, condition};
use super::play::{
    NEW, OLD, Operator, calm, deployments, edit, go_on, phase, rests, sent, serve, set, slow, spec,
    unhurried,
};

/// A broken subnet or security group alone: the Environment goes there and comes back.
async fn bad_network(broken: &str, patch: impl Fn(&World) -> (Value, Value)) {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    unhurried(&world, OLD, Behaviour::healthy());
    world.simulator.break_network(broken, true);
    let (there, back) = patch(&world);
    world.patch_environment(ENVIRONMENT, &there).await.unwrap();
    let ending = Ending::rolled_back(EndedBy::CircuitBreaker, OLD)
        .says("cannot be reached from the subnets and security groups")
        .shows("i/o timeout")
        .tells("ImageUnreachable");
    ending.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    ending.reached(&world, "web").await;
    assert_eq!(world.task_definitions(), 1, "only the network is another");
    assert_eq!(deployments(&world, "web").len(), 2);

    // What serves is in the good network already.
    let before = sent(&world);
    world.patch_environment(ENVIRONMENT, &back).await.unwrap();
    Ending::complete(OLD).reached(&world, "web").await;
    assert_eq!(sent(&world), before);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_bad_subnet_alone_is_rolled_back_and_held() {
    let broken = "subnet-0bad0bad0bad0bad0";
    let of = |subnets: &Value| json!({"spec": {"network": {"subnetIds": subnets}}});
    bad_network(broken, |world| {
        (of(&json!([broken])), of(&json!(world.seeded.subnets)))
    })
    .await;
}

#[tokio::test]
async fn a_bad_security_group_alone_is_rolled_back_and_held() {
    let broken = "sg-0bad0bad0bad0bad0";
    let of = |group: &str| json!({"spec": {"existing": {"securityGroupIds": [group]}}});
    bad_network(broken, |world| {
        (of(broken), of(&world.seeded.security_group))
    })
    .await;
}

#[tokio::test]
async fn without_spot_capacity_a_rollout_waits_and_goes_on_when_there_is_some() {
    without_spot_capacity(Operator::Lives).await;
}

#[tokio::test]
async fn without_spot_capacity_another_operator_waits_just_as_well() {
    without_spot_capacity(Operator::IsKilled).await;
}

async fn without_spot_capacity(operator: Operator) {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    world.simulator.set_capacity("FARGATE_SPOT", false);
    let spot = spec(NEW, ", spot: Always");
    world.apply_service("web", &spot).await.unwrap();
    world.apply_service("fresh", &spot).await.unwrap();
    for name in ["web", "fresh"] {
        let message = world.refused(name, "CapacityUnavailable").await.unwrap();
        assert!(message.contains("Capacity is unavailable"), "{message}");
        let object = world.service(name).await.unwrap();
        assert!(condition(&object, "Reconciling").is_some());
        assert!(condition(&object, "Stalled").is_none());
    }
    operator.in_the_middle(&mut world).await;
    for name in ["web", "fresh"] {
        world.reconcile(name, "still").await.unwrap();
        world.refused(name, "CapacityUnavailable").await.unwrap();
    }
    world.simulator.set_capacity("FARGATE_SPOT", true);
    for name in ["web", "fresh"] {
        Ending::complete(NEW).reached(&world, name).await;
    }
    rests(&mut world, &["web", "fresh"]).await;
    world.finish().await.unwrap();
}

const IMPATIENT: &str = ", rollout: {progressDeadlineSeconds: 6, circuitBreaker: {enabled: false}}";

#[tokio::test]
async fn a_rollout_past_its_deadline_is_stopped_once() {
    let mut world = calm().await;
    let impatient = spec(OLD, IMPATIENT);
    world.apply_service("web", &impatient).await.unwrap();
    world.ready("web").await.unwrap();
    slow(&world, OLD);
    slow(&world, NEW);
    let impatient = spec(NEW, IMPATIENT);
    world.apply_service("web", &impatient).await.unwrap();
    phase(&world, "web", RolloutPhase::RollingBack).await;
    let back = world.refused("web", "RollingBack").await.unwrap();
    assert!(back.contains("progressDeadlineSeconds"), "{back}");
    go_on(&world, OLD);
    let ending = Ending::rolled_back(EndedBy::Deadline, OLD)
        .says("not complete after 6 s (rollout.progressDeadlineSeconds)");
    ending.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    ending.reached(&world, "web").await;
    assert_eq!(world.calls().count("ecs:StopServiceDeployment"), 1);
    assert_eq!(deployments(&world, "web").len(), 2);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_first_deployment_past_its_deadline_says_so_and_ecs_goes_on() {
    let mut world = calm().await;
    slow(&world, OLD);
    let impatient = spec(OLD, IMPATIENT);
    world.apply_service("web", &impatient).await.unwrap();
    let message = world
        .refused("web", "ProgressDeadlineExceeded")
        .await
        .unwrap();
    assert!(message.contains("no version to go back to"), "{message}");
    let object = world.service("web").await.unwrap();
    assert!(condition(&object, "Stalled").is_some());
    rests(&mut world, &["web"]).await;
    world
        .refused("web", "ProgressDeadlineExceeded")
        .await
        .unwrap();
    assert!(world.calls().effects("ecs:StopServiceDeployment") == 0);
    go_on(&world, OLD);
    Ending::complete(OLD).reached(&world, "web").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_alarm_that_fires_rolls_back() {
    let mut world = calm().await;
    let watched = ", rollout: {alarms: [errors-high]}";
    let old = spec(OLD, watched);
    world.apply_service("web", &old).await.unwrap();
    world.ready("web").await.unwrap();
    slow(&world, NEW);
    let new = spec(NEW, watched);
    world.apply_service("web", &new).await.unwrap();
    phase(&world, "web", RolloutPhase::Progressing).await;
    world.simulator.set_alarm("errors-high", true);
    let ending = Ending::rolled_back(EndedBy::Alarm, OLD)
        .says("an alarm of rollout.alarms fired")
        .says("errors-high");
    ending.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    ending.reached(&world, "web").await;
    assert_eq!(deployments(&world, "web").len(), 2);

    // An alarm that stands when a rollout begins does not count.
    set(&world, NEW, Behaviour::healthy());
    world
        .apply_service("web", &spec("app:3", watched))
        .await
        .unwrap();
    Ending::complete("app:3").reached(&world, "web").await;
    edit(&world, "web", "app:4").await;
    Ending::complete("app:4").reached(&world, "web").await;
    world.finish().await.unwrap();
}
