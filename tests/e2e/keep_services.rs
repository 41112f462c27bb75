//! Services that are to stay: `deletionPolicy: Retain` and `suspend`.

use privateservice_tests::{Options, World, eventually};
use serde_json::json;

const OWNER: &str = "flexstack.dev/owner";

#[tokio::test]
async fn retain_lets_go_and_leaves_everything_running() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'nginx:1'}}, deletionPolicy: Retain}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    assert_eq!(service["runningCount"], 1);
    assert_eq!(
        World::tag(&service, OWNER),
        None,
        "it belongs to nobody now"
    );
    assert_eq!(world.resolve("web").await.unwrap().len(), 1);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_suspended_service_is_left_as_it_is_until_it_is_resumed() {
    let world = World::start(Options {
        sweep_seconds: 2,
        ..Options::default()
    })
    .await
    .unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:1'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let mark = world.mark();
    let patch = json!({"spec": {"suspend": true, "source": {"image": {"name": "nginx:2"}}}});
    world.patch("web", &patch).await.unwrap();
    let deadline = privateservice_tests::world::DEADLINE;
    world
        .ready_is("web", "True", Some("Suspended"), deadline)
        .await
        .unwrap();
    let elsewhere = json!({"cluster": world.seeded.cluster, "service": "web", "desiredCount": 2});
    world
        .aws
        .call("ecs:UpdateService", elsewhere)
        .await
        .unwrap();
    // Sweeps go on and see the difference.
    let sweeps = world.calls().count("ecs:DescribeServices");
    eventually(deadline, "sweeps", async || {
        anyhow::ensure!(world.calls().count("ecs:DescribeServices") > sweeps + 2);
        Ok(())
    })
    .await
    .unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    world
        .patch("web", &json!({"spec": {"suspend": null}}))
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    assert!(
        service["taskDefinition"]
            .as_str()
            .unwrap()
            .ends_with("staging_web:2"),
        "{service}"
    );
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_suspended_service_can_be_deleted() {
    let world = World::start(Options::default()).await.unwrap();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:1'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    world
        .patch("web", &json!({"spec": {"suspend": true}}))
        .await
        .unwrap();
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
