use std::time::Duration;

use aws_sdk_ecs::types::{
    DeploymentAlarms, DeploymentCircuitBreaker, DeploymentConfiguration,
    DeploymentRolloutState as State, ServiceDeploymentStatus as Status,
};
use aws_sim::{Behaviour, Options, Subject};

use crate::harness::{Harness, container, refusal, start};

async fn harness() -> Harness {
    let harness = start(Options::default()).await;
    let bad = Subject::Image("bad".to_owned());
    harness.simulator.behave(bad, Behaviour::cannot_pull());
    harness
}

async fn status(harness: &Harness) -> Status {
    let record = harness.newest_deployment("api").await;
    record.status().unwrap().clone()
}

/// Lets time pass until the newest service deployment has this status.
async fn until(harness: &Harness, wanted: &Status) {
    for _ in 0..1200 {
        if status(harness).await == *wanted {
            return;
        }
        harness.simulator.advance(Duration::from_millis(250));
    }
    panic!("never {wanted:?}");
}

#[tokio::test]
async fn a_rollback_is_requested_before_it_begins_and_keeps_its_arn() {
    let harness = harness().await;
    let first = harness.running("api", "a").await;
    let second = harness.roll("api", "bad").await;
    let rolling = harness.newest_deployment("api").await;
    let arn = rolling.service_deployment_arn();
    until(&harness, &Status::RollbackRequested).await;
    let service = harness.describe("api").await;
    assert_eq!(
        service.deployments()[0].rollout_state(),
        Some(&State::Failed)
    );
    assert_eq!(
        service.deployments()[0].task_definition(),
        Some(second.as_str())
    );
    assert_eq!(service.current_service_deployment(), arn);
    let record = harness.newest_deployment("api").await;
    let breaker = record.deployment_circuit_breaker().unwrap();
    assert_eq!((breaker.failure_count(), breaker.threshold()), (3, 3));
    assert_eq!(service.deployments()[0].failed_tasks(), 3);
    until(&harness, &Status::RollbackInProgress).await;
    let service = harness.describe("api").await;
    assert_eq!(
        service.deployments()[0].rollout_state(),
        Some(&State::InProgress)
    );
    assert_eq!(
        service.deployments()[0].task_definition(),
        Some(first.as_str())
    );
    assert_eq!(service.current_service_deployment(), arn);
    until(&harness, &Status::RollbackSuccessful).await;
    let service = harness.describe("api").await;
    assert_eq!(service.current_service_deployment(), arn);
    assert_eq!(service.deployments().len(), 1);
}

#[tokio::test]
async fn a_deployment_begun_during_a_rollback_has_nothing_to_return_to() {
    let harness = harness().await;
    harness.running("api", "a").await;
    harness.roll("api", "bad").await;
    until(&harness, &Status::RollbackInProgress).await;
    let superseded = harness.newest_deployment("api").await;
    harness.roll("api", "bad").await;
    let stop = harness.ecs.stop_service_deployment();
    let newest = harness.newest_deployment("api").await;
    let stop = stop.service_deployment_arn(newest.service_deployment_arn().unwrap());
    assert!(refusal(stop.send().await).starts_with("InvalidParameterException"));
    until(&harness, &Status::Stopped).await;
    let service = harness.describe("api").await;
    assert_eq!(
        service.deployments()[0].rollout_state(),
        Some(&State::Failed)
    );
    assert_eq!(service.running_count(), 1, "the first revision serves on");
    let arn = superseded.service_deployment_arn().unwrap();
    let superseded = harness.service_deployment(arn).await;
    assert_eq!(superseded.status(), Some(&Status::Stopped));
    // One that completes is a place to return to again.
    let good = harness.roll("api", "b").await;
    until(&harness, &Status::Successful).await;
    harness.roll("api", "bad").await;
    until(&harness, &Status::RollbackSuccessful).await;
    let service = harness.describe("api").await;
    assert_eq!(service.task_definition(), Some(good.as_str()));
}

#[tokio::test]
async fn a_deployment_begun_before_the_rollback_has_the_last_completed_one() {
    let harness = harness().await;
    let first = harness.running("api", "a").await;
    harness.roll("api", "bad").await;
    until(&harness, &Status::RollbackRequested).await;
    harness.roll("api", "bad").await;
    until(&harness, &Status::RollbackSuccessful).await;
    let service = harness.describe("api").await;
    assert_eq!(service.task_definition(), Some(first.as_str()));
}

#[tokio::test]
async fn a_first_deployment_cannot_be_stopped() {
    let harness = harness().await;
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    let record = harness.newest_deployment("api").await;
    let stop = harness.ecs.stop_service_deployment();
    let stop = stop.service_deployment_arn(record.service_deployment_arn().unwrap());
    let refused = refusal(stop.send().await);
    assert!(
        refused.starts_with("InvalidParameterException"),
        "{refused}"
    );
    assert_eq!(status(&harness).await, Status::InProgress, "it goes on");
}

#[tokio::test]
async fn a_superseded_deployment_stops_although_its_tasks_serve_on() {
    let harness = harness().await;
    let definition = harness.register("api", container("a")).await;
    let alarms = DeploymentAlarms::builder()
        .alarm_names("errors")
        .enable(true)
        .rollback(false);
    let breaker = DeploymentCircuitBreaker::builder().enable(true).build();
    let bakes = DeploymentConfiguration::builder()
        .alarms(alarms.build().unwrap())
        .deployment_circuit_breaker(breaker);
    let create = harness.service("api", &definition);
    let create = create.deployment_configuration(bakes.build());
    create.send().await.unwrap();
    // Healthy, and still baking.
    harness.advance(60);
    let first = harness.newest_deployment("api").await;
    harness.roll("api", "bad").await;
    let arn = first.service_deployment_arn().unwrap();
    let first = harness.service_deployment(arn).await;
    assert_eq!(first.status(), Some(&Status::StopRequested));
    harness.advance(300);
    let first = harness.service_deployment(arn).await;
    assert_eq!(first.status(), Some(&Status::Stopped));
    assert_eq!(
        status(&harness).await,
        Status::Stopped,
        "it had nothing to return to"
    );
    assert_eq!(harness.describe("api").await.running_count(), 1);
}

#[tokio::test]
async fn counts_of_the_target_revision_follow_the_tasks() {
    let harness = harness().await;
    let definition = harness.register("api", container("a")).await;
    let create = harness.service("api", &definition).desired_count(2);
    create.send().await.unwrap();
    let counts = async || {
        let record = harness.newest_deployment("api").await;
        let target = record.target_service_revision().unwrap().clone();
        (
            target.requested_task_count(),
            target.running_task_count(),
            target.pending_task_count(),
        )
    };
    assert_eq!(counts().await, (2, 0, 2));
    harness.advance(16);
    assert_eq!(counts().await, (2, 2, 0));
    harness.advance(60);
    assert_eq!(counts().await, (2, 2, 0));
}

#[tokio::test]
async fn a_crash_loop_after_completion_is_no_rollback_but_shows() {
    let harness = harness().await;
    let crashes = Behaviour::exits(Duration::from_secs(50), 1);
    harness.running("api", "a").await;
    let subject = Subject::Image("late".to_owned());
    harness.simulator.behave(subject, crashes);
    let late = harness.roll("api", "late").await;
    until(&harness, &Status::Successful).await;
    let mut short = 0;
    for _ in 0..300 {
        harness.advance(1);
        let service = harness.describe("api").await;
        short += u32::from(service.running_count() < service.desired_count());
        assert_eq!(service.task_definition(), Some(late.as_str()));
    }
    assert!(short > 30, "below desired for {short} of 300 s");
    assert_eq!(status(&harness).await, Status::Successful);
    assert!(
        harness.stopped_tasks("api").await.len() >= 4,
        "replaced by ECS"
    );
    let events = harness.events("api").await;
    let started = events.iter().find(|text| text.contains("has started"));
    let started = started.unwrap();
    assert!(
        started.starts_with("(service api) has started 1 tasks: (task "),
        "{started}"
    );
}

#[tokio::test]
async fn a_count_that_healthy_tasks_reset_shows_as_reset() {
    let harness = harness().await;
    harness.running("api", "a").await;
    harness.roll("api", "bad").await;
    harness.advance(20);
    let failures = async || {
        let record = harness.newest_deployment("api").await;
        record.deployment_circuit_breaker().unwrap().failure_count()
    };
    assert_eq!(failures().await, 1);
    let bad = Subject::Image("bad".to_owned());
    harness.simulator.behave(bad, Behaviour::healthy());
    harness.advance(90);
    assert_eq!(failures().await, 0);
    assert_eq!(status(&harness).await, Status::Successful);
}

#[tokio::test]
async fn an_inactive_revision_runs_on_but_starts_no_deployment() {
    let harness = harness().await;
    let first = harness.running("api", "a").await;
    let deregister = harness.ecs.deregister_task_definition();
    deregister.task_definition(&first).send().await.unwrap();
    let update = harness.update("api").desired_count(2);
    update.send().await.unwrap();
    harness.advance(60);
    assert_eq!(
        harness.describe("api").await.running_count(),
        2,
        "it scales"
    );
    for update in [
        harness.update("api").force_new_deployment(true),
        harness.update("api").task_definition(&first),
    ] {
        let refused = refusal(update.send().await);
        assert_eq!(refused, "ClientException: TaskDefinition is inactive");
    }
}
