use aws_sdk_ecs::types::{LaunchType, ServiceDeploymentStatus};
use aws_sim::Options;
use serde_json::json;

use crate::harness::{container, network, on, rolling, start};

const NO_CAPACITY: &str = "(service api) was unable to place a task. Reason: Capacity is unavailable at \
                           this time. Please try again later or in a different availability zone.";

#[tokio::test]
async fn without_capacity_nothing_starts_and_nothing_fails() {
    let harness = start(Options::default()).await;
    harness.simulator.set_capacity("FARGATE_SPOT", false);
    let definition = harness.register("api", container("a")).await;
    let create = harness.service("api", &definition).desired_count(2);
    let create = create.set_capacity_provider_strategy(Some(vec![on("FARGATE_SPOT")]));
    create.send().await.unwrap();
    assert_eq!(harness.events("api").await, [NO_CAPACITY], "at once");
    harness.advance(3600);
    let service = harness.describe("api").await;
    assert_eq!((service.running_count(), service.pending_count()), (0, 0));
    assert!(harness.stopped_tasks("api").await.is_empty());
    assert_eq!(service.deployments()[0].failed_tasks(), 0);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::InProgress));
    let mut ids: Vec<_> = service.events().iter().map(|event| event.id()).collect();
    ids.dedup();
    assert!(
        (10..=40).contains(&ids.len()),
        "said again now and then: {}",
        ids.len()
    );

    harness.simulator.set_capacity("FARGATE_SPOT", true);
    harness.advance(60);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
}

#[tokio::test]
async fn other_capacity_and_running_tasks_are_untouched() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    harness.simulator.set_capacity("FARGATE_SPOT", false);
    harness.roll("api", "b").await;
    harness.advance(120);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));

    harness.simulator.set_capacity("FARGATE", false);
    harness.roll("api", "c").await;
    harness.advance(600);
    assert_eq!(harness.describe("api").await.running_count(), 1);
    assert_eq!(harness.events("api").await[0], NO_CAPACITY);
}

#[tokio::test]
async fn a_launch_type_draws_on_the_same_capacity() {
    let harness = start(Options::default()).await;
    let body = json!({"provider": "FARGATE", "available": false});
    assert_eq!(harness.control("capacity", body).await, 200);
    let definition = harness.register("api", container("a")).await;
    let create = harness
        .ecs
        .create_service()
        .cluster(crate::harness::CLUSTER);
    let create = create.service_name("api").task_definition(&definition);
    let create = create.launch_type(LaunchType::Fargate).desired_count(1);
    let create = create.network_configuration(network(&["sg-1"]));
    let create = create.deployment_configuration(rolling(100, 200));
    create.send().await.unwrap();
    assert_eq!(harness.events("api").await, [NO_CAPACITY]);
}

#[tokio::test]
async fn a_new_deployment_is_placed_at_once() {
    let harness = start(Options::default()).await;
    harness.simulator.set_capacity("FARGATE_SPOT", false);
    let definition = harness.register("api", container("a")).await;
    let create = harness.service("api", &definition);
    let create = create.set_capacity_provider_strategy(Some(vec![on("FARGATE_SPOT")]));
    create.send().await.unwrap();
    let update = harness.update("api").force_new_deployment(true);
    let update = update.capacity_provider_strategy(on("FARGATE"));
    update.send().await.unwrap();
    harness.advance(60);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
}
