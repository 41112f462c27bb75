//! Services that cannot be had: what the object says, and that nothing of anybody else is touched.

use privateservice_tests::world::service;
use privateservice_tests::{Options, World};
use serde_json::json;

const WEB: &str = "{source: {image: {name: 'nginx:1'}}}";

#[tokio::test]
async fn of_two_objects_of_one_name_the_second_waits_for_the_first_to_go() {
    let world = World::start(Options::default()).await.unwrap();
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();

    let elsewhere = world.plane().unwrap().namespace("other").await.unwrap();
    let mut second = service("web", "{source: {image: {name: 'nginx:2'}}}").unwrap();
    second["metadata"]["namespace"] = json!(elsewhere);
    let mark = world.mark();
    world.apply(&second).await.unwrap();
    let message = world
        .refused_in(&elsewhere, "web", "NameConflict")
        .await
        .unwrap();
    assert!(
        message.contains(&world.namespace),
        "it names the other: {message}"
    );
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());

    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    world.ready_in(&elsewhere, "web").await.unwrap();
    let service = world.ecs_service("web").unwrap();
    let owner = World::tag(&service, "flexstack.dev/owner");
    assert_eq!(owner, Some(format!("the-cluster/{elsewhere}/web")));
    world.finish().await.unwrap();
}

#[tokio::test]
async fn what_somebody_else_made_is_never_touched() {
    let world = World::start(Options::default()).await.unwrap();
    let definition = world.foreign_task_definition("theirs").await.unwrap();
    let foreign = json!({
        "cluster": world.seeded.cluster, "serviceName": "web", "taskDefinition": definition,
        "desiredCount": 1, "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": {
            "subnets": world.seeded.subnets, "securityGroups": [world.seeded.security_group]}},
    });
    world.aws.call("ecs:CreateService", foreign).await.unwrap();
    let mark = world.mark();
    world.apply_service("web", WEB).await.unwrap();
    let message = world.refused("web", "NameConflict").await.unwrap();
    assert!(message.contains("ECS service"), "{message}");
    world.delete("web").await.unwrap();
    world.gone("web").await.unwrap();
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    world.ecs_service("web").unwrap();
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_reference_is_waited_for_until_it_is_there() {
    let world = World::start(Options::default()).await.unwrap();
    let mark = world.mark();
    let spec = "{source: {image: {name: 'nginx:1'}}, \
                env: [{name: CACHE, valueFrom: {serviceRef: {name: cache}}}]}";
    world.apply_service("web", spec).await.unwrap();
    let message = world.refused("web", "ReferenceNotFound").await.unwrap();
    assert!(message.contains("cache"), "{message}");
    assert_eq!(world.calls_since(mark).writes().counts(), [].into());
    let cache = "{source: {image: {name: 'redis:7'}}, ports: [{name: default, port: 6379}]}";
    world.apply_service("cache", cache).await.unwrap();
    world.ready("web").await.unwrap();
    let registered = world.calls().0.into_iter().find(|request| {
        request.operation == "RegisterTaskDefinition" && request.body["family"] == "staging_web"
    });
    let container = &registered.unwrap().body["containerDefinitions"][0];
    let expected = json!({"name": "CACHE", "value": "cache.flexstack.internal:6379"});
    let environment = container["environment"].as_array().unwrap();
    assert!(environment.contains(&expected), "{container}");
    world.finish().await.unwrap();
}

#[tokio::test]
async fn a_service_that_cannot_start_rolls_back_and_is_not_tried_again() {
    // Slow enough that the operator sees the rollback while it goes on, as it would at AWS's pace.
    let options = Options {
        sweep_seconds: 3,
        speed: 8.0,
        ..Options::default()
    };
    let world = World::start(options).await.unwrap();
    world.apply_service("web", WEB).await.unwrap();
    world.ready("web").await.unwrap();
    let broken = aws_sim::Behaviour {
        cannot_pull: true,
        ..aws_sim::Behaviour::default()
    };
    world
        .simulator
        .behave(aws_sim::Subject::Image("nginx:none".into()), broken);
    let mark = world.mark();
    world
        .apply_service("web", "{source: {image: {name: 'nginx:none'}}}")
        .await
        .unwrap();
    let message = world.refused("web", "RolledBack").await.unwrap();
    assert!(message.contains("change the spec"), "{message}");
    let service = world.ecs_service("web").unwrap();
    assert!(
        service["taskDefinition"]
            .as_str()
            .unwrap()
            .ends_with("staging_web:1"),
        "{service}"
    );
    // Several sweeps later it is as it was: one update, which failed, and no other.
    let sweeps = world.calls().count("servicediscovery:ListServices");
    privateservice_tests::eventually(
        privateservice_tests::world::DEADLINE,
        "sweeps",
        async || {
            anyhow::ensure!(world.calls().count("servicediscovery:ListServices") > sweeps + 2);
            Ok(())
        },
    )
    .await
    .unwrap();
    assert_eq!(world.calls_since(mark).count("ecs:UpdateService"), 1);

    world
        .apply_service("web", "{source: {image: {name: 'nginx:2'}}}")
        .await
        .unwrap();
    world.ready("web").await.unwrap();
    world.finish().await.unwrap();
}
