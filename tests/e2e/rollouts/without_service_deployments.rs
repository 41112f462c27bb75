//! Rollouts where ECS has no service deployments, or does not let the operator read them: DescribeServices has to do.

use aws_sim::{Behaviour, Fault, FaultKind};
use privateservice_api::privateservice::{EndedBy, RolloutPhase};
use privateservice_tests::{Options, World};

use super::ending::Ending;
use super::play::{
    MISSING, NEW, OLD, edit, go_on, over_in_aws, phase, rests, serve, slow, unhurried, with,
};

/// A good update, a bad image, and a restart in the middle of either.
async fn ends_the_same(mut world: World) {
    let names = ["good", "bad", "good-restarted", "bad-restarted"];
    serve(&world, &names).await;
    unhurried(&world, MISSING, Behaviour::cannot_pull());
    edit(&world, "good", NEW).await;
    edit(&world, "bad", MISSING).await;
    Ending::complete(NEW).reached(&world, "good").await;
    let bad = Ending::rolled_back(EndedBy::CircuitBreaker, OLD)
        .says("the image does not exist")
        .tells("ImageNotFound")
        .shows("CannotPullContainerError");
    bad.reached(&world, "bad").await;

    slow(&world, "app:3");
    edit(&world, "good-restarted", "app:3").await;
    phase(&world, "good-restarted", RolloutPhase::Progressing).await;
    let hold = world.simulator.hold_after("ecs:UpdateService", 1);
    edit(&world, "bad-restarted", MISSING).await;
    hold.held().await;
    world.kill_operator();
    hold.release();
    go_on(&world, "app:3");
    over_in_aws(&world, "good-restarted").await;
    over_in_aws(&world, "bad-restarted").await;
    world.start_operator().await.unwrap();
    Ending::complete("app:3")
        .reached(&world, "good-restarted")
        .await;
    let bad = Ending::rolled_back(EndedBy::CircuitBreaker, OLD);
    bad.reached(&world, "bad-restarted").await;
    rests(&mut world, &names).await;
    bad.reached(&world, "bad-restarted").await;
    world.finish().await.unwrap();
}

#[tokio::test]
async fn an_ecs_without_service_deployments_ends_the_same() {
    let options = Options {
        hide_service_deployments: true,
        ..Options::default()
    };
    ends_the_same(with(options).await).await;
}

#[tokio::test]
async fn an_operator_that_may_not_read_service_deployments_ends_the_same() {
    let world = with(Options::default()).await;
    let denied = Fault::always("ecs:DescribeServiceDeployments", FaultKind::AccessDenied);
    world.simulator.fault(denied);
    ends_the_same(world).await;
}
