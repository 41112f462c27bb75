//! Rollouts that end well, and those that are overtaken.

use privateservice_api::privateservice::RolloutPhase;
use privateservice_tests::{Options, World};

use super::ending::Ending;
use super::play::{
    NEW, OLD, Operator, calm, deployments, edit, go_on, phase, rests, sent, serve, slow, status,
};

#[tokio::test]
async fn a_good_update_ends_well_and_rests() {
    let mut world = calm().await;
    serve(&world, &["web"]).await;
    slow(&world, NEW);
    edit(&world, "web", NEW).await;
    phase(&world, "web", RolloutPhase::Progressing).await;
    let during = status(&world, "web").await;
    assert_eq!(
        during.deployed.unwrap().image.as_deref(),
        Some(OLD),
        "the old version serves"
    );
    let rollout = during.rollout.unwrap();
    assert!(rollout.service_deployment.is_some(), "{rollout:?}");
    assert_eq!(rollout.tasks.unwrap().desired, 1, "{rollout:?}");
    let deploying = world.refused("web", "Deploying").await.unwrap();
    assert!(deploying.contains("0 of 1 new tasks run"), "{deploying}");

    go_on(&world, NEW);
    Ending::complete(NEW).reached(&world, "web").await;
    rests(&mut world, &["web"]).await;
    Ending::complete(NEW).reached(&world, "web").await;
    assert_eq!(deployments(&world, "web").len(), 2);
    world.finish().await.unwrap();
}

/// The second edit comes while the first is under way; and once more before AWS shows the first at all.
#[tokio::test]
async fn of_two_quick_edits_only_the_last_serves_and_the_first_did_not_fail() {
    two_quick_edits(Operator::Lives).await;
}

#[tokio::test]
async fn of_two_quick_edits_only_the_last_serves_also_with_another_operator() {
    two_quick_edits(Operator::IsKilled).await;
}

async fn two_quick_edits(operator: Operator) {
    let options = Options {
        update_lag: std::time::Duration::from_mins(1),
        ..Options::default()
    };
    let mut world = World::start(options).await.unwrap();
    serve(&world, &["web", "api"]).await;
    slow(&world, NEW);
    edit(&world, "web", NEW).await;
    edit(&world, "api", NEW).await;
    phase(&world, "web", RolloutPhase::Progressing).await;
    edit(&world, "web", "app:3").await;
    edit(&world, "api", "app:3").await;
    operator.in_the_middle(&mut world).await;
    for name in ["web", "api"] {
        Ending::complete("app:3").reached(&world, name).await;
        let told = super::ending::events(&world, name).await.unwrap();
        for failure in ["RolledBack", "RollingBack", "RolloutFailed"] {
            assert!(!told.contains_key(failure), "{name}: {told:?}");
        }
        assert!(deployments(&world, name).len() <= 3);
    }
    rests(&mut world, &["web", "api"]).await;
    // Whoever did not see its answer, nor its effect yet, sends an update again; that starts no deployment (counted above).
    let again = usize::from(operator == Operator::IsKilled) * 2;
    assert!(sent(&world)[1].1 <= 4 + again, "{:?}", sent(&world));
    world.finish().await.unwrap();
}
