//! A Kubernetes cluster that is lost and built again from the same manifests, under the same `--cluster-id`.

use privateservice_tests::world::ENVIRONMENT;
use privateservice_tests::{Options, World};

const NAMES: [&str; 3] = ["api", "web", "worker"];
const SPEC: &str = "{source: {image: {name: 'nginx:1'}}, tags: {team: a}}";

#[tokio::test]
async fn a_rebuilt_cluster_finds_its_services_and_writes_nothing() {
    let mut world = World::start(Options::default()).await.unwrap();
    for name in NAMES {
        world.apply_service(name, SPEC).await.unwrap();
    }
    for name in NAMES {
        world.ready(name).await.unwrap();
    }
    let before = world.service("api").await.unwrap();
    world.quiet().await.unwrap();
    world.kill_operator();
    let mark = world.mark();

    world.rebuild_cluster().await.unwrap();
    assert!(world.services().get_opt("api").await.unwrap().is_none());
    world
        .apply(&world.seeded.environment(ENVIRONMENT))
        .await
        .unwrap();
    for name in NAMES {
        world.apply_service(name, SPEC).await.unwrap();
    }
    world.start_operator().await.unwrap();
    for name in NAMES {
        world.ready(name).await.unwrap();
    }
    world.quiet().await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    let after = world.service("api").await.unwrap();
    assert_ne!(before.metadata.uid, after.metadata.uid);
    assert_eq!(
        before.status.unwrap().service_arn,
        after.status.unwrap().service_arn
    );

    // And it is the owner: what it is told to do it does.
    world.delete("api").await.unwrap();
    world.gone("api").await.unwrap();
    world.holds_nothing_of("api").await.unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_cluster_with_another_id_does_not_touch_what_the_first_one_made() {
    let mut world = World::start(Options::default()).await.unwrap();
    world.apply_service("web", SPEC).await.unwrap();
    world.ready("web").await.unwrap();
    world.quiet().await.unwrap();
    world.kill_operator();
    let mark = world.mark();
    world.rebuild_cluster().await.unwrap();
    world
        .apply(&world.seeded.environment(ENVIRONMENT))
        .await
        .unwrap();
    world.apply_service("web", SPEC).await.unwrap();
    world.settings().cluster_id = "another-cluster".into();
    world.start_operator().await.unwrap();
    let message = world.refused("web", "NameConflict").await.unwrap();
    assert!(message.contains("the-cluster"), "{message}");
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.ecs_service("web").unwrap();
    world.finish().await.unwrap();
}
