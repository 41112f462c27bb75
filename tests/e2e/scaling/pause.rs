//! A pause, from `kubectl` to the last task and back.

use super::{condition, counts_sent, status_until};
use aws_sim::Load;
use privateservice_api::privateservice::PrivateServiceStatus;
use privateservice_tests::{Options, World};
use serde_json::json;

fn ready(status: &PrivateServiceStatus) -> Option<(&str, &str)> {
    let ready = status.conditions.iter().find(|one| one.type_ == "Ready")?;
    Some((ready.status.as_str(), ready.reason.as_str()))
}

#[tokio::test]
async fn a_paused_service_runs_nothing_and_comes_back_as_it_was() {
    let mut world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'web:1'}}, scaling: {minTasks: 2, maxTasks: 8}}";
    world.apply_service("web", spec).await.unwrap();
    world.ready("web").await.unwrap();
    let more = json!({"cluster": world.seeded.cluster, "service": "web", "desiredCount": 5});
    world.aws.call("ecs:UpdateService", more).await.unwrap();
    world.reconcile("web", "look").await.unwrap();
    status_until(&world, "web", "five tasks", |status| {
        status.tasks.is_some_and(|tasks| tasks.running == 5)
    })
    .await;

    let paused = spec.replace("scaling:", "paused: true, scaling:");
    world.apply_service("web", &paused).await.unwrap();
    let generation = world.service("web").await.unwrap().metadata.generation;
    let status = status_until(&world, "web", "the pause", |status| {
        status.observed_generation == generation && ready(status) == Some(("True", "Paused"))
    })
    .await;
    assert_eq!(status.tasks.unwrap().running, 0);
    assert!(condition(&status).unwrap().message.contains("suspended"));
    let target = world.scalable_target("web").unwrap();
    assert_eq!(target["MinCapacity"], 0);
    assert_eq!(target["SuspendedState"]["DynamicScalingOutSuspended"], true);
    // Neither load nor a restart, nor another version of it, starts a task.
    let load = Load {
        cpu_percent: Some(99.0),
        ..Load::default()
    };
    world.simulator.set_load(None, "web", Some(load));
    world.kill_operator();
    world.start_operator().await.unwrap();
    let next = paused.replace("web:1", "web:2");
    world.apply_service("web", &next).await.unwrap();
    let generation = world.service("web").await.unwrap().metadata.generation;
    status_until(&world, "web", "the next version, paused", |status| {
        status.observed_generation == generation && ready(status) == Some(("True", "Paused"))
    })
    .await;
    assert_eq!(world.ecs_service("web").unwrap()["desiredCount"], 0);

    world.simulator.set_load(None, "web", None);
    let resumed = next.replace("paused: true, ", "");
    world.apply_service("web", &resumed).await.unwrap();
    let status = world.ready("web").await.unwrap().status.unwrap();
    assert_eq!(status.autoscaling.unwrap().paused, None);
    status_until(&world, "web", "five tasks again", |status| {
        status.tasks.is_some_and(|tasks| tasks.running == 5)
    })
    .await;
    let target = world.scalable_target("web").unwrap();
    assert_eq!(
        (&target["MinCapacity"], &target["MaxCapacity"]),
        (&json!(2), &json!(8))
    );
    assert_eq!(counts_sent(&world), [json!(0), json!(5)]);
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_service_may_begin_with_a_pause() {
    let world = World::start(Options::default()).await.unwrap();
    let spec = "{source: {image: {name: 'web:1'}}, paused: true, scaling: {minTasks: 3}}";
    world.apply_service("web", spec).await.unwrap();
    status_until(&world, "web", "the pause", |status| {
        ready(status) == Some(("True", "Paused"))
    })
    .await;
    assert_eq!(counts_sent(&world), [] as [serde_json::Value; 0]);
    let resumed = spec.replace("paused: true, ", "");
    world.apply_service("web", &resumed).await.unwrap();
    world.ready("web").await.unwrap();
    assert_eq!(world.ecs_service("web").unwrap()["desiredCount"], 3);
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.holds_nothing().await.unwrap();
    world.finish().await.unwrap();
}
