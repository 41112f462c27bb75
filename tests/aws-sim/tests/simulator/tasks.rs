use std::time::Duration;

use aws_sdk_ecs::types::{ContainerDefinition, ContainerRestartPolicy, HealthStatus, TaskStopCode};
use aws_sim::{Behaviour, Options, Subject};

use crate::harness::{CLUSTER, Harness, checked, container, start};

async fn only_task(harness: &Harness) -> aws_sdk_ecs::types::Task {
    let listed = harness
        .ecs
        .list_tasks()
        .cluster(CLUSTER)
        .send()
        .await
        .unwrap();
    let found = harness.ecs.describe_tasks().cluster(CLUSTER);
    let found = found
        .set_tasks(Some(listed.task_arns().to_vec()))
        .send()
        .await
        .unwrap();
    assert_eq!(found.tasks().len(), 1);
    found.tasks()[0].clone()
}

#[tokio::test]
async fn a_task_goes_through_its_states_and_its_health_check() {
    let harness = start(Options::default()).await;
    let definition = harness.register("api", checked("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    let mut seen = Vec::new();
    for _ in 0..30 {
        let task = only_task(&harness).await;
        let health = task.health_status().map_or("UNKNOWN", HealthStatus::as_str);
        let state = (task.last_status().unwrap().to_owned(), health.to_owned());
        if seen.last() != Some(&state) {
            seen.push(state);
        }
        harness.advance(1);
    }
    let expected = [
        ("PROVISIONING", "UNKNOWN"),
        ("PENDING", "UNKNOWN"),
        ("RUNNING", "UNKNOWN"),
        ("RUNNING", "HEALTHY"),
    ];
    let expected = expected.map(|(status, health)| (status.to_owned(), health.to_owned()));
    assert_eq!(seen, expected);
}

#[tokio::test]
async fn an_unhealthy_task_is_replaced_and_counts_as_a_failure() {
    let harness = start(Options::default()).await;
    let sick = Behaviour {
        healthy: false,
        ..Behaviour::default()
    };
    harness
        .simulator
        .behave(Subject::Service("api".to_owned()), sick);
    let definition = harness.register("api", checked("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(40);
    let service = harness.describe("api").await;
    assert_eq!(service.deployments()[0].failed_tasks(), 1);
    harness.advance(600);
    let stopped = harness.stopped_tasks("api").await;
    let reasons = stopped.iter().filter_map(|task| task.stopped_reason());
    assert!(
        reasons
            .clone()
            .any(|text| text == "Task failed container health checks")
    );
}

#[tokio::test]
async fn a_lost_task_is_replaced() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let task = only_task(&harness).await;
    let stop = harness
        .ecs
        .stop_task()
        .cluster(CLUSTER)
        .task(task.task_arn().unwrap());
    stop.send().await.unwrap();
    assert_eq!(harness.describe("api").await.running_count(), 0);
    harness.advance(20);
    let service = harness.describe("api").await;
    assert_eq!(
        (service.running_count(), service.deployments().len()),
        (1, 1)
    );
    let stopped = harness.stopped_tasks("api").await;
    assert_eq!(stopped[0].stop_code(), Some(&TaskStopCode::UserInitiated));
}

#[tokio::test]
async fn stopped_tasks_can_be_seen_for_an_hour() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let task = only_task(&harness).await;
    let stop = harness
        .ecs
        .stop_task()
        .cluster(CLUSTER)
        .task(task.task_arn().unwrap());
    stop.send().await.unwrap();
    harness.advance(3500);
    assert_eq!(harness.stopped_tasks("api").await.len(), 1);
    harness.advance(200);
    assert_eq!(harness.stopped_tasks("api").await.len(), 0);
}

#[tokio::test]
async fn a_restart_policy_hides_late_exits_but_not_early_ones() {
    let policy = ContainerRestartPolicy::builder()
        .enabled(true)
        .restart_attempt_period(60);
    let policy = policy.build().unwrap();
    for (after, stops) in [(30, true), (90, false)] {
        let harness = start(Options::default()).await;
        let exits = Some(Duration::from_secs(after));
        let exiting = Behaviour {
            exits_after: exits,
            ..Behaviour::default()
        };
        harness
            .simulator
            .behave(Subject::Image("a".to_owned()), exiting);
        let restarting = ContainerDefinition::builder()
            .name("app")
            .image("a")
            .restart_policy(policy.clone());
        let definition = harness.register("api", restarting.build()).await;
        harness.service("api", &definition).send().await.unwrap();
        harness.advance(200);
        assert_eq!(
            !harness.stopped_tasks("api").await.is_empty(),
            stops,
            "after {after} s"
        );
    }
}

#[tokio::test]
async fn an_exited_task_tells_its_exit_code() {
    let harness = start(Options::default()).await;
    let exits = Some(Duration::from_secs(3));
    let exiting = Behaviour {
        exits_after: exits,
        exit_code: 139,
        ..Behaviour::default()
    };
    harness
        .simulator
        .behave(Subject::Image("a".to_owned()), exiting);
    let definition = harness.register("api", container("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(20);
    let stopped = harness.stopped_tasks("api").await;
    assert_eq!(
        stopped[0].stop_code(),
        Some(&TaskStopCode::EssentialContainerExited)
    );
    assert_eq!(stopped[0].containers()[0].exit_code(), Some(139));
}
