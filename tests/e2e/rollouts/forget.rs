//! A rollback is held even if Kubernetes has forgotten it.

use kube::api::{DeleteParams, Patch, PatchParams};
use privateservice_api::meta::TAG_FAILED;
use privateservice_api::privateservice::EndedBy;
use privateservice_tests::{Options, World};
use serde_json::json;

use super::ending::{Ending, condition};
use super::play::{MISSING, NEW, OLD, deployments, edit, rests, sent, serve, with};

/// The object goes without its finalizer being heard, as with an etcd that is emptied, and is applied again.
async fn forget(world: &World, name: &str) {
    let services = world.services();
    services
        .delete(name, &DeleteParams::default())
        .await
        .unwrap();
    let unheard = Patch::Merge(json!({"metadata": {"finalizers": null}}));
    services
        .patch(name, &PatchParams::default(), &unheard)
        .await
        .unwrap();
    world.gone(name).await.unwrap();
}

#[tokio::test]
async fn what_failed_is_not_tried_again_by_an_operator_that_knows_nothing() {
    let mut world = with(Options::default()).await;
    serve(&world, &["web"]).await;
    edit(&world, "web", MISSING).await;
    Ending::rolled_back(EndedBy::CircuitBreaker, OLD)
        .reached(&world, "web")
        .await;
    let service = world.ecs_service("web").unwrap();
    assert!(World::tag(&service, TAG_FAILED).is_some(), "{service}");
    world.kill_operator();
    forget(&world, "web").await;
    let before = sent(&world);

    edit(&world, "web", MISSING).await;
    world.start_operator().await.unwrap();
    world.refused("web", "RolledBack").await.unwrap();
    rests(&mut world, &["web"]).await;
    world.refused("web", "RolledBack").await.unwrap();
    let object = world.service("web").await.unwrap();
    assert!(condition(&object, "Stalled").is_some());
    assert_eq!(sent(&world), before);
    assert_eq!(deployments(&world, "web").len(), 2);

    // Another spec is another matter.
    edit(&world, "web", NEW).await;
    Ending::complete(NEW).reached(&world, "web").await;
    let service = world.ecs_service("web").unwrap();
    assert_eq!(World::tag(&service, TAG_FAILED), None, "{service}");
    world.finish().await.unwrap();
}
