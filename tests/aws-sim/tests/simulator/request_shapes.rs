use aws_sim::Options;
use serde_json::{Value, json};

use crate::harness::{Harness, start};

async fn post(harness: &Harness, operation: &str, body: Value) -> (u16, Value) {
    let target = format!("AmazonEC2ContainerServiceV20141113.{operation}");
    let request = reqwest::Client::new()
        .post(&harness.server.url)
        .header("x-amz-target", target);
    let response = request.body(body.to_string()).send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_missing_or_unknown_or_mistyped_member_is_refused() {
    let harness = start(Options::default()).await;
    let cases = [
        (
            "CreateService",
            json!({"cluster": "staging"}),
            "serviceName should not be null",
        ),
        (
            "CreateService",
            json!({"serviceName": "a", "colour": 1}),
            "colour is not a member",
        ),
        (
            "CreateService",
            json!({"serviceName": "a", "desiredCount": "1"}),
            "expected Int",
        ),
        (
            "RegisterTaskDefinition",
            json!({"family": "a"}),
            "containerDefinitions should not",
        ),
    ];
    for (operation, body, expected) in cases {
        let (status, answer) = post(&harness, operation, body).await;
        assert_eq!(status, 400);
        assert!(
            answer["message"].as_str().unwrap().contains(expected),
            "{answer}"
        );
    }
}

#[tokio::test]
async fn what_is_not_simulated_is_a_loud_501() {
    let harness = start(Options::default()).await;
    let (status, answer) = post(&harness, "RunTask", json!({})).await;
    assert_eq!(
        (status, &answer["__type"]),
        (501, &json!("NotImplementedBySimulator"))
    );
    assert_eq!(answer["message"], "ecs:RunTask");
    let target = "Route53AutoNaming_v20170314.ListNamespaces";
    let request = reqwest::Client::new()
        .post(&harness.server.url)
        .header("x-amz-target", target);
    let response = request.body("{}").send().await.unwrap();
    assert_eq!(response.status().as_u16(), 501);
    assert!(response.text().await.unwrap().contains(target));
}

#[tokio::test]
async fn every_known_operation_is_answered() {
    let harness = start(Options::default()).await;
    for operation in aws_sim::ecs::KNOWN_OPERATIONS {
        let (status, answer) = post(&harness, operation, json!({})).await;
        assert_ne!(status, 501, "{operation}: {answer}");
    }
}
