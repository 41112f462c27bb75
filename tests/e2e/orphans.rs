//! What is left behind when objects vanish without the operator: counted, named, and left alone.

use anyhow::ensure;
use privateservice_api::meta;
use privateservice_tests::world::DEADLINE;
use privateservice_tests::{Options, World, eventually};
use serde_json::json;

/// Has the Environment looked at, and waits until it counts so many orphans.
async fn orphans(world: &World, look: &str, count: i32) {
    let patch = json!({"metadata": {"annotations": {meta::RECONCILE_AT: look}}});
    world.patch_environment("staging", &patch).await.unwrap();
    eventually(DEADLINE, &format!("{count} orphans"), async || {
        let environment = world.environments().get("staging").await?;
        let found = environment.status.unwrap_or_default().orphans;
        ensure!(found == Some(count), "it counts {found:?}");
        Ok(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn services_without_an_object_are_counted_and_left_alone() {
    let mut world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'app:1'}}}";
    for name in ["kept", "lost"] {
        world.apply_service(name, spec).await.unwrap();
    }
    for name in ["kept", "lost"] {
        world.ready(name).await.unwrap();
    }
    orphans(&world, "before", 0).await;

    // Somebody removes an object by force while the operator is away.
    world.kill_operator();
    let free = json!({"metadata": {"finalizers": null}});
    world.patch("lost", &free).await.unwrap();
    world.delete("lost").await.unwrap();
    world.gone("lost").await.unwrap();
    world.start_operator().await.unwrap();
    let mark = world.mark();
    orphans(&world, "after", 1).await;
    let lost = format!("{}/lost", world.namespace);
    world.told("Orphans", &lost).await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.ecs_service("lost").unwrap();

    // The object is created again and finds what is its own.
    world.apply_service("lost", spec).await.unwrap();
    world.ready("lost").await.unwrap();
    orphans(&world, "again", 0).await;
    let calls = world.calls_since(mark);
    assert_eq!(
        calls.count("ecs:CreateService") + calls.count("ecs:UpdateService"),
        0
    );
    world.finish().await.unwrap();
}
