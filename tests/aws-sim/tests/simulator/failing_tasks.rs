use std::time::Duration;

use aws_sdk_ecs::types::{HealthStatus, TaskStopCode};
use aws_sim::{Behaviour, Options, Subject};
use serde_json::json;

use crate::harness::{checked, start};

/// Stop code, stopped reason, exit code and container reason of the first task that ended.
async fn evidence(behaviour: Behaviour) -> (TaskStopCode, String, Option<i32>, Option<String>) {
    let harness = start(Options::default()).await;
    let subject = Subject::Image("app:1".to_owned());
    harness.simulator.behave(subject, behaviour);
    let definition = harness.register("api", checked("app:1")).await;
    harness.service("api", &definition).send().await.unwrap();
    for _ in 0..120 {
        harness.advance(1);
        if let Some(task) = harness.stopped_tasks("api").await.first() {
            let container = &task.containers()[0];
            let code = task.stop_code().unwrap().clone();
            if code == TaskStopCode::TaskFailedToStart {
                assert!(task.started_at().is_none(), "it never ran");
            }
            if code == TaskStopCode::ServiceSchedulerInitiated {
                assert_eq!(task.health_status(), Some(&HealthStatus::Unhealthy));
            }
            return (
                code,
                task.stopped_reason().unwrap().to_owned(),
                container.exit_code(),
                container.reason().map(str::to_owned),
            );
        }
    }
    panic!("no task ended");
}

#[tokio::test]
async fn a_failed_start_says_why() {
    let cases = [
        (
            Behaviour::cannot_pull(),
            "CannotPullContainerError: ",
            "app:1: not found",
        ),
        (
            Behaviour::wrong_architecture(),
            "CannotPullContainerError: ",
            "image Manifest does not contain descriptor matching platform 'linux/arm64'",
        ),
        (
            Behaviour::secret_missing(),
            "ResourceInitializationError: unable to pull secrets or registry auth",
            "Secrets Manager can't find the specified secret.",
        ),
    ];
    for (behaviour, begins, ends) in cases {
        let (code, reason, exit, container) = evidence(behaviour).await;
        assert_eq!(code, TaskStopCode::TaskFailedToStart);
        assert!(
            reason.starts_with(begins) && reason.ends_with(ends),
            "{reason}"
        );
        assert_eq!((exit, container), (None, Some(reason)));
    }
}

#[tokio::test]
async fn an_exit_shows_its_code_and_reason() {
    let (code, reason, exit, container) =
        evidence(Behaviour::exits(Duration::from_secs(3), 2)).await;
    assert_eq!(code, TaskStopCode::EssentialContainerExited);
    assert_eq!(reason, "Essential container in task exited");
    assert_eq!((exit, container), (Some(2), None));

    let killed = Behaviour::out_of_memory(Duration::from_secs(3));
    let (code, _, exit, container) = evidence(killed).await;
    assert_eq!(
        (code, exit),
        (TaskStopCode::EssentialContainerExited, Some(137))
    );
    let expected = "OutOfMemoryError: Container killed due to memory usage";
    assert_eq!(container.as_deref(), Some(expected));
}

#[tokio::test]
async fn a_failed_health_check_is_stopped_by_the_scheduler() {
    let (code, reason, _, _) = evidence(Behaviour::never_healthy()).await;
    assert_eq!(code, TaskStopCode::ServiceSchedulerInitiated);
    assert_eq!(reason, "Task failed container health checks");
}

#[tokio::test]
async fn a_task_that_exits_never_becomes_healthy_afterwards() {
    let harness = start(Options::default()).await;
    let exits = Behaviour::exits(Duration::from_secs(3), 1);
    let subject = Subject::Service("api".to_owned());
    harness.simulator.behave(subject, exits);
    let definition = harness.register("api", checked("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(600);
    for task in harness.stopped_tasks("api").await {
        let health = task.health_status().map(HealthStatus::as_str);
        assert_eq!(health, Some("UNKNOWN"));
    }
}

#[tokio::test]
async fn behaviours_are_set_over_http() {
    let harness = start(Options::default()).await;
    let behaviour = json!({
        "start_delay_seconds": 2, "exits_after_seconds": 1.5, "exit_code": 137,
        "exit_reason": "OutOfMemoryError: Container killed due to memory usage",
    });
    let body = json!({"subject": {"service": "api"}, "behaviour": behaviour});
    assert_eq!(harness.control("behaviour", body).await, 200);
    let definition = harness.register("api", checked("a")).await;
    harness.service("api", &definition).send().await.unwrap();
    harness.advance(4);
    let stopped = harness.stopped_tasks("api").await;
    assert_eq!(stopped[0].containers()[0].exit_code(), Some(137));
    let body = json!({"subject": {"service": "api"}, "behaviour": {"fails_to_start": "Because"}});
    assert_eq!(harness.control("behaviour", body).await, 200);
    harness.advance(30);
    let stopped = harness.stopped_tasks("api").await;
    let reasons = stopped.iter().filter_map(|task| task.stopped_reason());
    assert!(reasons.collect::<Vec<_>>().contains(&"Because"));
    let unknown = json!({"subject": {"service": "api"}, "behaviour": {"cannot_pul": true}});
    assert_eq!(harness.control("behaviour", unknown).await, 400);
}
