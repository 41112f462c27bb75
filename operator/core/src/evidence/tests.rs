//! Failures, their causes and their symptoms.

use super::*;
use crate::fixtures::{at, resolved, running};

const SPEC: &str = "{source: {image: {name: 'redis:7'}}}";

fn task(id: &str, second: i64, reason: &str) -> StoppedTask {
    StoppedTask {
        id: id.into(),
        started_by: Some("ecs-svc/2".into()),
        task_definition: "arn:aws:ecs:eu-west-3:1:task-definition/pre-prod_api:7".into(),
        stop_code: Some("TaskFailedToStart".into()),
        reason: Some(reason.into()),
        containers: vec![],
        started: false,
        at: Some(at(second)),
    }
}

fn listed(tasks: Vec<StoppedTask>) -> StoppedTasks {
    StoppedTasks {
        tasks,
        settled: true,
    }
}

#[test]
fn the_newest_five_are_kept_also_those_that_ecs_has_forgotten() {
    let desired = resolved(SPEC).desired;
    let first = failures(
        &[],
        Some(&listed(
            (0..4).map(|n| task(&format!("old{n}"), n, "x")).collect(),
        )),
        &desired,
        None,
    );
    let second = failures(
        &first,
        Some(&listed(vec![task("new1", 10, "x"), task("new2", 11, "x")])),
        &desired,
        None,
    );
    let ids: Vec<&str> = second.iter().map(|failure| failure.task.as_str()).collect();
    assert_eq!(ids, ["new2", "new1", "old3", "old2", "old1"]);
    assert_eq!(failures(&second, None, &desired, None), second);
    assert_eq!(second[0].task_definition.as_deref(), Some("pre-prod_api:7"));
}

#[test]
fn the_container_that_tells_most_is_named_with_a_link_to_its_log() {
    let desired = resolved(SPEC).desired;
    let container = |name: &str, exit_code, reason: Option<&str>| StoppedContainer {
        name: name.into(),
        exit_code,
        reason: reason.map(str::to_owned),
        unhealthy: false,
    };
    let mut stopped = task("abc", 1, "Essential container in task exited");
    stopped.started = true;
    stopped.containers = vec![
        container("sidecar", Some(0), None),
        container(
            "app",
            Some(137),
            Some("OutOfMemoryError: Container killed due to memory usage"),
        ),
    ];
    let known = failures(&[], Some(&listed(vec![stopped])), &desired, None);
    assert_eq!(known[0].container.as_deref(), Some("app"));
    assert_eq!(known[0].exit_code, Some(137));
    assert_eq!(cause(&known[0]), Cause::OutOfMemory);
    let url = known[0].logs_url.clone().unwrap();
    assert_eq!(
        url,
        "https://eu-west-3.console.aws.amazon.com/cloudwatch/home?region=eu-west-3#logsV2:log-groups/log-group/$252Fshop/log-events/api$252Fapp$252Fabc"
    );
}

#[test]
fn causes_are_recognised_in_the_words_that_ecs_documents() {
    let cases = [
        (
            "CannotPullContainerError: pull image manifest has been retried 1 time(s): failed to resolve ref docker.io/library/nope:1: docker.io/library/nope:1: not found",
            Cause::ImageNotFound,
        ),
        (
            "CannotPullContainerError: The task cannot pull nope:1 from the registry: manifest unknown",
            Cause::ImageNotFound,
        ),
        (
            "CannotPullContainerError: pull access denied for shop, repository does not exist or may require authorization",
            Cause::ImageDenied,
        ),
        (
            "CannotPullContainerError: pull image manifest has been retried 5 time(s): failed to resolve ref: dial tcp 10.0.0.1:443: i/o timeout",
            Cause::ImageUnreachable,
        ),
        (
            "CannotPullContainerError: image Manifest does not contain descriptor matching platform 'linux/arm64'",
            Cause::WrongArchitecture,
        ),
        (
            "CannotStartContainerError: exec /app: exec format error",
            Cause::WrongArchitecture,
        ),
        (
            "CannotPullContainerError: toomanyrequests",
            Cause::ImagePullFailed,
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: unable to retrieve secret from asm: AccessDeniedException: User is not authorized",
            Cause::AccessDenied,
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: ResourceNotFoundException: Secrets Manager can't find the specified secret.",
            Cause::SecretNotFound,
        ),
        (
            "ResourceInitializationError: unable to pull secrets or registry auth: RequestError: send request failed: dial tcp: i/o timeout",
            Cause::ResourceUnreachable,
        ),
        (
            "OutOfMemoryError: Container killed due to memory usage",
            Cause::OutOfMemory,
        ),
        (
            "Task failed container health checks",
            Cause::HealthCheckFailed,
        ),
        ("Something nobody has seen", Cause::TaskFailed),
    ];
    for (words, expected) in cases {
        let failure = TaskFailure {
            reason: Some(words.into()),
            stop_code: Some("TaskFailedToStart".into()),
            ..TaskFailure::default()
        };
        assert_eq!(cause(&failure), expected, "{words}");
        assert!(!expected.sentence(&failure).ends_with('.'));
    }
    let exited = TaskFailure {
        reason: Some("Essential container in task exited".into()),
        stop_code: Some("EssentialContainerExited".into()),
        exit_code: Some(3),
        container: Some("app".into()),
        ..TaskFailure::default()
    };
    assert_eq!(cause(&exited), Cause::ContainerExited);
    assert_eq!(
        cause(&exited).sentence(&exited),
        "the container app exited with code 3"
    );
}

#[test]
fn it_is_asked_again_only_when_something_got_worse() {
    let fine = running(2, 2);
    let before = Symptoms::of(&fine, None);
    assert!(!before.is_worse_than(&Symptoms::default(), &fine));
    let short = running(1, 2);
    let after = Symptoms::of(&short, None);
    assert!(after.is_worse_than(&before, &short));
    assert!(!after.is_worse_than(&after, &short));
    // More are wanted, and none was lost: that is scaling.
    let scaled = running(2, 5);
    assert!(!Symptoms::of(&scaled, None).is_worse_than(&before, &scaled));
    let mut failing = running(2, 2);
    failing.deployments[0].failed_tasks = 1;
    let one = Symptoms::of(&failing, None);
    assert!(one.is_worse_than(&before, &failing));
    failing.deployments[0].failed_tasks = 2;
    assert!(Symptoms::of(&failing, None).is_worse_than(&one, &failing));
}
