//! What people want while ECS is going back to the version before.

use aws_sim::Behaviour;
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::World;
use serde_json::json;

use super::ending::Ending;
use super::play::{
    MISSING, NEW, OLD, Operator, calm, deployments, edit, go_on, phase, redeploy, rests, sent,
    serve, set, slow,
};

/// A world in which ECS is going back from [`MISSING`], slowly.
async fn going_back(names: &[&str]) -> World {
    let world = calm().await;
    serve(&world, names).await;
    slow(&world, OLD);
    for name in names {
        edit(&world, name, MISSING).await;
    }
    for name in names {
        phase(&world, name, RolloutPhase::RollingBack).await;
    }
    world
}

#[tokio::test]
async fn what_comes_during_a_rollback_waits_for_its_end() {
    during_a_rollback(Operator::Lives).await;
}

#[tokio::test]
async fn what_comes_during_a_rollback_waits_for_its_end_also_with_another_operator() {
    during_a_rollback(Operator::IsKilled).await;
}

async fn during_a_rollback(operator: Operator) {
    let mut world = going_back(&["edited", "reverted", "redeployed"]).await;
    let before = sent(&world);
    edit(&world, "edited", NEW).await;
    edit(&world, "reverted", OLD).await;
    redeploy(&world, "redeployed", "once more").await;
    let waiting = world.refused("edited", "RollingBack").await.unwrap();
    assert!(
        waiting.contains("what the spec asks for now is rolled out after that"),
        "{waiting}"
    );
    operator.in_the_middle(&mut world).await;
    for name in ["edited", "reverted", "redeployed"] {
        world.reconcile(name, "now").await.unwrap();
        world.refused(name, "RollingBack").await.unwrap();
    }
    assert_eq!(sent(&world), before, "the way back was disturbed");

    go_on(&world, OLD);
    Ending::complete(NEW).reached(&world, "edited").await;
    Ending::complete(OLD).reached(&world, "reverted").await;
    let again = Ending::rolled_back(EndedBy::CircuitBreaker, OLD).shows("CannotPull");
    super::play::handled_redeploy(&world, "redeployed", "once more").await;
    again.reached(&world, "redeployed").await;
    rests(&mut world, &["edited", "reverted", "redeployed"]).await;
    again.reached(&world, "redeployed").await;
    for (name, expected) in [("edited", 3), ("reverted", 2), ("redeployed", 3)] {
        assert_eq!(deployments(&world, name).len(), expected, "{name}");
    }
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_a_person_stops_in_aws_is_held() {
    stopped_by_a_person(Operator::Lives).await;
}

#[tokio::test]
async fn what_a_person_stops_in_aws_is_held_also_by_another_operator() {
    stopped_by_a_person(Operator::IsKilled).await;
}

async fn stopped_by_a_person(operator: Operator) {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, NEW);
    edit(&world, "web", NEW).await;
    phase(&world, "web", RolloutPhase::Progressing).await;
    let newest = deployments(&world, "web").pop().unwrap();
    let asked =
        json!({"serviceDeploymentArn": newest["serviceDeploymentArn"], "stopType": "ROLLBACK"});
    world
        .aws
        .call("ecs:StopServiceDeployment", asked)
        .await
        .unwrap();
    operator.in_the_middle(&mut world).await;
    set(&world, NEW, Behaviour::healthy());
    let stopped = Ending::rolled_back(EndedBy::Stopped, OLD).says("somebody stopped");
    stopped.reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    stopped.reached(&world, "web").await;
    assert_eq!(deployments(&world, "web").len(), 2);

    // Whoever wants it after all says so.
    redeploy(&world, "web", "after all").await;
    Ending::complete(NEW).reached(&world, "web").await;
    world.finish().await.unwrap();
}
