use aws_sdk_ecs::types::{ServiceDeploymentStatus, TaskStopCode};
use aws_sim::Options;
use serde_json::json;

use crate::harness::{network, start};

#[tokio::test]
async fn a_broken_group_alone_fails_a_deployment_and_rolls_back() {
    let harness = start(Options::default()).await;
    let definition = harness.running("api", "a").await;
    let body = json!({"id": "sg-bad", "broken": true});
    assert_eq!(harness.control("network", body).await, 200);
    let update = harness.update("api");
    let update = update.network_configuration(network(&["sg-1", "sg-bad"]));
    update.send().await.unwrap();
    harness.advance(120);
    let record = harness.newest_deployment("api").await;
    assert_eq!(
        record.status(),
        Some(&ServiceDeploymentStatus::RollbackSuccessful)
    );
    let service = harness.describe("api").await;
    assert_eq!(service.task_definition(), Some(definition.as_str()));
    let vpc = service
        .network_configuration()
        .unwrap()
        .awsvpc_configuration();
    assert_eq!(vpc.unwrap().security_groups(), ["sg-1"]);
    let failed: Vec<_> = harness
        .stopped_tasks("api")
        .await
        .into_iter()
        .filter(|task| task.stop_code() == Some(&TaskStopCode::TaskFailedToStart))
        .collect();
    assert_eq!(failed.len(), 3);
    let reason = failed[0].stopped_reason().unwrap();
    let expected = "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to \
                    resolve ref a: dial tcp 10.0.0.1:443: i/o timeout";
    assert_eq!(reason, expected);
}

#[tokio::test]
async fn running_tasks_outlive_a_broken_subnet_and_new_ones_start_once_it_is_mended() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    harness.simulator.break_network("subnet-a", true);
    harness.advance(600);
    assert_eq!(harness.describe("api").await.running_count(), 1);
    harness.simulator.break_network("subnet-a", false);
    harness.roll("api", "b").await;
    harness.advance(60);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
}
