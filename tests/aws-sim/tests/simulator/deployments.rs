use std::time::Duration;

use aws_sdk_ecs::types::{
    DeploymentCircuitBreaker, DeploymentConfiguration, DeploymentRolloutState,
    ServiceDeploymentStatus, ThresholdConfiguration, ThresholdType,
};
use aws_sim::{Behaviour, Options, Subject};

use crate::harness::{CLUSTER, container, refusal, rolling, start};

fn broken() -> Behaviour {
    Behaviour {
        cannot_pull: true,
        ..Behaviour::default()
    }
}

#[tokio::test]
async fn a_first_deployment_completes_once_its_tasks_are_healthy() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let made = harness
        .service("api", &definition)
        .desired_count(2)
        .send()
        .await
        .unwrap();
    assert_eq!(made.service().unwrap().running_count(), 0);
    harness.advance(1);
    assert_eq!(harness.describe("api").await.pending_count(), 2);
    harness.advance(20);
    let service = harness.describe("api").await;
    assert_eq!((service.running_count(), service.pending_count()), (2, 0));
    let state = service.deployments()[0].rollout_state().cloned();
    assert_eq!(state, Some(DeploymentRolloutState::InProgress));
    assert!(service.current_service_deployment().is_some());
    // 15 s to RUNNING, then 40 s until a task without a health check counts as healthy.
    harness.advance(33);
    let service = harness.describe("api").await;
    let state = service.deployments()[0].rollout_state().cloned();
    assert_eq!(state, Some(DeploymentRolloutState::InProgress));
    harness.advance(2);
    let service = harness.describe("api").await;
    let state = service.deployments()[0].rollout_state().cloned();
    assert_eq!(state, Some(DeploymentRolloutState::Completed));
    let deployment = harness.newest_deployment("api").await;
    assert_eq!(
        deployment.status(),
        Some(&ServiceDeploymentStatus::Successful)
    );
    assert!(deployment.finished_at().is_some());
}

#[tokio::test]
async fn an_update_rolls_over_and_the_old_deployment_disappears() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let second = harness.register("api", container("b")).await;
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.task_definition(&second).send().await.unwrap();
    let service = harness.describe("api").await;
    let shown: Vec<_> = service
        .deployments()
        .iter()
        .map(|one| one.status().unwrap())
        .collect();
    assert_eq!(shown, ["PRIMARY", "ACTIVE"]);
    for _ in 0..60 {
        assert!(
            harness.describe("api").await.running_count() >= 1,
            "never below the minimum"
        );
        harness.advance(1);
    }
    let service = harness.describe("api").await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!(
        service.deployments()[0].task_definition(),
        Some(second.as_str())
    );
    assert_eq!(service.running_count(), 1);
}

#[tokio::test]
async fn fifty_to_one_hundred_and_fifty_percent_of_one_task_never_rolls() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", container("a")).await;
    let create = harness
        .service("api", &definition)
        .deployment_configuration(rolling(50, 150));
    create.send().await.unwrap();
    harness.advance(60);
    let second = harness.register("api", container("b")).await;
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.task_definition(&second).send().await.unwrap();
    harness.advance(3600);
    assert_eq!(harness.describe("api").await.deployments().len(), 2);
}

#[tokio::test]
async fn the_circuit_breaker_rolls_back_to_the_last_completed_revision() {
    let harness = start(Options::default()).await;
    let first = harness.running("api", "good").await;
    harness
        .simulator
        .behave(Subject::Image("bad".to_owned()), broken());
    let second = harness.register("api", container("bad")).await;
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.task_definition(&second).send().await.unwrap();
    // Three starts of 15 s each reach the least threshold.
    harness.advance(50);
    let service = harness.describe("api").await;
    let primary = &service.deployments()[0];
    assert_eq!(primary.task_definition(), Some(first.as_str()));
    let reason = primary.rollout_state_reason().unwrap();
    assert!(
        reason.starts_with("ECS deployment circuit breaker: rolling back to deploymentId ecs-svc/"),
        "{reason}"
    );
    assert_eq!(service.task_definition(), Some(first.as_str()));
    let record = harness.newest_deployment("api").await;
    assert_eq!(
        record.status(),
        Some(&ServiceDeploymentStatus::RollbackInProgress)
    );
    harness.advance(120);
    let service = harness.describe("api").await;
    assert_eq!(service.deployments().len(), 1);
    assert_eq!(service.running_count(), 1);
    let record = harness.newest_deployment("api").await;
    assert_eq!(
        record.status(),
        Some(&ServiceDeploymentStatus::RollbackSuccessful)
    );
    let breaker = record.deployment_circuit_breaker().unwrap();
    assert_eq!((breaker.failure_count(), breaker.threshold()), (3, 3));
    let failed = harness.stopped_tasks("api").await;
    let said = failed.iter().filter_map(|task| task.stopped_reason());
    assert!(
        said.clone()
            .any(|text| text.starts_with("CannotPullContainerError"))
    );
}

#[tokio::test]
async fn a_first_deployment_that_fails_stalls_and_starts_no_more_tasks() {
    let harness = start(Options::default()).await;
    harness
        .simulator
        .behave(Subject::Service("api".to_owned()), broken());
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(120);
    let service = harness.describe("api").await;
    let primary = &service.deployments()[0];
    assert_eq!(
        primary.rollout_state(),
        Some(&DeploymentRolloutState::Failed)
    );
    assert_eq!(
        primary.rollout_state_reason(),
        Some("ECS deployment circuit breaker: tasks failed to start.")
    );
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Stopped));
    assert_eq!(harness.stopped_tasks("api").await.len(), 3);
    // An update starts afresh.
    harness
        .simulator
        .behave(Subject::Service("api".to_owned()), Behaviour::default());
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.force_new_deployment(true).send().await.unwrap();
    harness.advance(60);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
}

#[tokio::test]
async fn a_rollback_to_a_deregistered_revision_fails() {
    let harness = start(Options::default()).await;
    let first = harness.running("api", "good").await;
    harness
        .ecs
        .deregister_task_definition()
        .task_definition(&first)
        .send()
        .await
        .unwrap();
    harness
        .simulator
        .behave(Subject::Image("bad".to_owned()), broken());
    let second = harness.register("api", container("bad")).await;
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.task_definition(&second).send().await.unwrap();
    harness.advance(120);
    let record = harness.newest_deployment("api").await;
    assert_eq!(
        record.status(),
        Some(&ServiceDeploymentStatus::RollbackFailed)
    );
    assert_eq!(
        harness.describe("api").await.running_count(),
        1,
        "the old task serves on"
    );
}

#[tokio::test]
async fn thresholds_follow_their_type() {
    let cases = [
        (ThresholdType::Count, 2, 2),
        (ThresholdType::UnboundedPercent, 10, 1),
        (ThresholdType::BoundedPercent, 10, 3),
    ];
    for (kind, value, expected) in cases {
        let harness = start(Options::default()).await;
        harness
            .simulator
            .behave(Subject::Service("api".to_owned()), broken());
        let definition = harness.register("api", container("a")).await;
        let threshold = ThresholdConfiguration::builder()
            .r#type(kind)
            .value(value)
            .build()
            .unwrap();
        let breaker = DeploymentCircuitBreaker::builder()
            .enable(true)
            .rollback(false);
        let breaker = breaker.threshold_configuration(threshold).build();
        let configuration = DeploymentConfiguration::builder()
            .deployment_circuit_breaker(breaker)
            .build();
        let create = harness
            .service("api", &definition)
            .deployment_configuration(configuration);
        create.send().await.unwrap();
        harness.advance(600);
        let record = harness.newest_deployment("api").await;
        let shown = record.deployment_circuit_breaker().unwrap();
        assert_eq!(
            (shown.failure_count(), shown.threshold()),
            (expected, expected)
        );
    }
}

#[tokio::test]
async fn failing_starts_are_backed_off_when_the_breaker_is_off() {
    let harness = start(Options::default()).await;
    harness
        .simulator
        .behave(Subject::Service("api".to_owned()), broken());
    let definition = harness.register("api", container("a")).await;
    let create = harness.service("api", &definition);
    let configuration = DeploymentConfiguration::builder().build();
    create
        .deployment_configuration(configuration)
        .send()
        .await
        .unwrap();
    harness.advance(3600);
    let service = harness.describe("api").await;
    let failed = service.deployments()[0].failed_tasks();
    // Without back-off an hour of 15 s starts would be 240.
    assert!((8..15).contains(&failed), "{failed}");
    let said = service.events().iter().filter_map(|event| event.message());
    assert!(
        said.clone()
            .any(|text| text.contains("unable to consistently start tasks"))
    );
}

#[tokio::test]
async fn a_new_deployment_supersedes_one_in_progress() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    for image in ["b", "c"] {
        let definition = harness.register("api", container(image)).await;
        let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
        update.task_definition(&definition).send().await.unwrap();
    }
    harness.advance(120);
    let listed = harness
        .ecs
        .list_service_deployments()
        .cluster(CLUSTER)
        .service("api");
    let listed = listed.send().await.unwrap();
    let statuses: Vec<_> = listed
        .service_deployments()
        .iter()
        .map(|one| one.status().unwrap().as_str())
        .collect();
    assert_eq!(statuses, ["SUCCESSFUL", "STOPPED", "SUCCESSFUL"]);
}

#[tokio::test]
async fn a_stopped_deployment_returns_to_the_last_completed_one() {
    let harness = start(Options::default()).await;
    let first = harness.running("api", "a").await;
    let record = harness.newest_deployment("api").await;
    let stop = |arn: &str| {
        harness
            .ecs
            .stop_service_deployment()
            .service_deployment_arn(arn)
            .send()
    };
    let done = stop(record.service_deployment_arn().unwrap()).await;
    assert!(refusal(done).starts_with("ConflictException"));
    let second = harness.register("api", container("b")).await;
    let update = harness.ecs.update_service().cluster(CLUSTER).service("api");
    update.task_definition(&second).send().await.unwrap();
    let record = harness.newest_deployment("api").await;
    stop(record.service_deployment_arn().unwrap())
        .await
        .unwrap();
    harness.advance(120);
    assert_eq!(
        harness.describe("api").await.task_definition(),
        Some(first.as_str())
    );
    let record = harness.newest_deployment("api").await;
    assert_eq!(
        record.status(),
        Some(&ServiceDeploymentStatus::RollbackSuccessful)
    );
}

#[tokio::test]
async fn a_late_crash_is_not_a_failed_deployment() {
    let harness = start(Options::default()).await;
    let late = Behaviour {
        exits_after: Some(Duration::from_secs(50)),
        ..Behaviour::default()
    };
    harness
        .simulator
        .behave(Subject::Service("api".to_owned()), late);
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(66);
    let record = harness.newest_deployment("api").await;
    assert_eq!(record.status(), Some(&ServiceDeploymentStatus::Successful));
    assert_eq!(harness.describe("api").await.running_count(), 0);
}
