use std::time::Duration;

use aws_sdk_ecs::types::Tag;
use aws_sim::{CurrentDeployment, Options};

use crate::harness::{CLUSTER, container, refusal, start};

#[tokio::test]
async fn an_update_shows_only_after_the_lag() {
    let options = Options {
        update_lag: Duration::from_secs(10),
        ..Options::default()
    };
    let harness = start(options).await;
    let first = harness.running("api", "a").await;
    let before = harness.describe("api").await;
    let second = harness.register("api", container("b")).await;
    let update = harness.update("api").task_definition(&second);
    let answer = update.send().await.unwrap();
    let answered = answer.service().unwrap().task_definition();
    assert_eq!(answered, Some(second.as_str()), "the answer is not late");
    harness.advance(6);
    let third = harness.roll("api", "c").await;
    harness.advance(3);
    let tag = Tag::builder().key("k").value("v").build();
    let tagging = harness.ecs.tag_resource().tags(tag);
    let tagging = tagging.resource_arn(before.service_arn().unwrap());
    tagging.send().await.unwrap();
    let shown = harness.describe("api").await;
    assert_eq!(shown.task_definition(), Some(first.as_str()));
    assert_eq!(shown.deployments(), before.deployments());
    assert_eq!(
        shown.current_service_deployment(),
        before.current_service_deployment()
    );
    assert_eq!(shown.tags().len(), 1, "tags are not late");
    harness.advance(1);
    let shown = harness.describe("api").await;
    assert_eq!(shown.task_definition(), Some(second.as_str()));
    harness.advance(6);
    let shown = harness.describe("api").await;
    assert_eq!(shown.task_definition(), Some(third.as_str()));
}

#[tokio::test]
async fn service_deployments_can_be_hidden() {
    let options = Options {
        hide_service_deployments: true,
        ..Options::default()
    };
    let harness = start(options).await;
    harness.running("api", "a").await;
    harness.roll("api", "b").await;
    let shown = harness.describe("api").await;
    assert!(shown.current_service_deployment().is_none());
    assert!(shown.current_service_revisions().is_empty());
    assert_eq!(shown.deployments().len(), 2);
    let listed = harness.ecs.list_service_deployments().cluster(CLUSTER);
    let refused = refusal(listed.service("api").send().await);
    assert!(
        refused.starts_with("UnknownOperationException"),
        "{refused}"
    );
    let stop = harness.ecs.stop_service_deployment();
    let refused = refusal(stop.service_deployment_arn("arn").send().await);
    assert!(
        refused.starts_with("UnknownOperationException"),
        "{refused}"
    );
}

#[tokio::test]
async fn the_current_service_deployment_is_named_from_the_answer_on() {
    let harness = start(Options::default()).await;
    harness.running("api", "a").await;
    let update = harness.update("api").force_new_deployment(true);
    let answer = update.send().await.unwrap();
    let arn = answer.service().unwrap().current_service_deployment();
    let newest = harness.newest_deployment("api").await;
    assert_eq!(arn, newest.service_deployment_arn());
    harness.advance(120);
    let shown = harness.describe("api").await;
    assert_eq!(
        shown.current_service_deployment(),
        arn,
        "also once it has ended"
    );
}

#[tokio::test]
async fn an_answer_need_not_name_the_service_deployment() {
    let options = Options {
        current_deployment: CurrentDeployment::NotInAnswers,
        ..Options::default()
    };
    let harness = start(options).await;
    harness.running("api", "a").await;
    let update = harness.update("api").force_new_deployment(true);
    let answer = update.send().await.unwrap();
    let answered = answer.service().unwrap().current_service_deployment();
    assert!(answered.is_none());
    let shown = harness.describe("api").await;
    assert!(shown.current_service_deployment().is_some());
}

#[tokio::test]
async fn a_service_deployment_can_be_current_only_while_open() {
    let options = Options {
        current_deployment: CurrentDeployment::WhileOpen,
        ..Options::default()
    };
    let harness = start(options).await;
    harness.running("api", "a").await;
    let shown = harness.describe("api").await;
    assert!(shown.current_service_deployment().is_none());
    harness.roll("api", "b").await;
    let shown = harness.describe("api").await;
    assert!(shown.current_service_deployment().is_some());
}
