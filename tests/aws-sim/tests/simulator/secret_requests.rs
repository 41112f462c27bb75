//! Secrets Manager: what a request must be like, what is logged of it, and what else may meet it.

use aws_sdk_secretsmanager::primitives::Blob;
use aws_sim::{Fault, FaultKind, Options, Outcome, Quotas};
use serde_json::json;

use crate::harness::{refusal, start};
use crate::secrets::{ONE, create, post, read};

#[tokio::test]
async fn what_a_request_must_be_like() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "hunter2").await;
    let no_token = "InvalidRequestException: You must provide a ClientRequestToken value. We recommend \
                    a UUID-type value.";
    let cases = [
        (
            "CreateSecret",
            json!({"Name": "x", "SecretString": "hunter2"}),
            no_token,
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "SecretString": "hunter2"}),
            no_token,
        ),
        (
            "UpdateSecret",
            json!({"SecretId": "db", "SecretString": "hunter2"}),
            no_token,
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "SecretString": "a", "ClientRequestToken": "short"}),
            "ValidationException: 1 validation error detected: Value at 'clientRequestToken' failed to \
             satisfy constraint: Member must have length greater than or equal to 32",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "SecretString": "", "ClientRequestToken": ONE}),
            "ValidationException: 1 validation error detected: Value at 'secretString' failed to \
             satisfy constraint: Member must have length greater than or equal to 1",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "ClientRequestToken": ONE}),
            "InvalidParameterException: You must provide either SecretString or SecretBinary.",
        ),
        (
            "PutSecretValue",
            json!({
                "SecretId": "db", "ClientRequestToken": ONE,
                "SecretString": "hunter2", "SecretBinary": "YQ==",
            }),
            "InvalidParameterException: You can't specify both",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "ClientRequestToken": ONE, "SecretBinary": "hunter2"}),
            "SerializationException: ",
        ),
        (
            "PutSecretValue",
            json!({"SecretId": "db", "SecretText": "hunter2"}),
            "ValidationException: ",
        ),
        ("DescribeSecret", json!({}), "ValidationException: "),
        (
            "CreateSecret",
            json!({"Name": "x", "AddReplicaRegions": [{"Region": "eu-west-1"}]}),
            "NotImplementedBySimulator: secretsmanager:CreateSecret.AddReplicaRegions",
        ),
        (
            "RotateSecret",
            json!({"SecretId": "db"}),
            "NotImplementedBySimulator: secretsmanager:RotateSecret",
        ),
    ];
    for (operation, body, expected) in cases {
        let (status, answer) = post(&harness, operation, body).await;
        let text = |member: &str| answer[member].as_str().unwrap().to_owned();
        let shown = format!("{}: {}", text("__type"), text("message"));
        assert!(shown.starts_with(expected), "{shown}");
        assert!(!shown.contains("hunter2"), "{shown}");
        let loud = expected.starts_with("NotImplemented");
        assert_eq!(status, if loud { 501 } else { 400 });
    }
    for operation in aws_sim::secrets::KNOWN_OPERATIONS {
        let (status, answer) = post(&harness, operation, json!({})).await;
        assert_ne!(status, 501, "{operation}: {answer}");
    }
}

#[tokio::test]
async fn no_value_is_in_the_log_the_record_or_the_state() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("requests.jsonl");
    let harness = start(Options {
        record: Some(path.clone()),
        ..Options::default()
    })
    .await;
    create(&harness, "db", "hunter2").await;
    let binary = harness.secrets.create_secret().name("key");
    binary
        .secret_binary(Blob::new(b"hunter2"))
        .send()
        .await
        .unwrap();
    let put = harness.secrets.put_secret_value().secret_id("db");
    put.secret_string("hunter2 too").send().await.unwrap();
    let update = harness.secrets.update_secret().secret_id("db");
    update.secret_string("hunter2 anew").send().await.unwrap();
    let bad = json!({"SecretId": "db", "SecretString": "hunter2", "secretbinary": "hunter2"});
    post(&harness, "PutSecretValue", bad).await;
    read(&harness, "db").await;

    let encoded = "aHVudGVyMg==";
    let requests = harness.simulator.requests();
    let shown = [
        format!("{requests:?}"),
        serde_json::to_string(&requests).unwrap(),
        std::fs::read_to_string(path).unwrap(),
        harness.simulator.state().to_string(),
        format!("{:?}", harness.simulator),
    ];
    for text in shown {
        assert!(
            !text.contains("hunter2") && !text.contains(encoded),
            "{text}"
        );
    }
    let named = |operation: &str| {
        let mut requests = requests.iter();
        requests.find(|request| request.name() == format!("secretsmanager:{operation}"))
    };
    assert_eq!(
        named("CreateSecret").unwrap().body["SecretString"],
        "(7 bytes)"
    );
    assert_eq!(
        named("UpdateSecret").unwrap().body["SecretString"],
        "(12 bytes)"
    );
    assert_eq!(harness.simulator.state()["secrets"][0]["Name"], "db");
}

#[tokio::test]
async fn faults_and_quotas_apply() {
    let harness = start(Options {
        quotas: Some(Quotas::default()),
        ..Options::default()
    })
    .await;
    let lost = Fault::next("secretsmanager:CreateSecret", FaultKind::LostAnswer, 1);
    harness.simulator.fault(lost);
    let create = || {
        let create = harness.secrets.create_secret().name("db");
        create
            .client_request_token(ONE)
            .secret_string("hunter2")
            .send()
    };
    assert!(create().await.is_err());
    assert_eq!(create().await.unwrap().version_id(), Some(ONE));
    let denied = Fault::next("writes", FaultKind::AccessDenied, 1);
    harness.simulator.fault(denied);
    read(&harness, "db").await;
    assert!(refusal(create().await).starts_with("AccessDeniedException"));

    let mut refused = 0;
    for _ in 0..60 {
        if let Err(error) = create().await {
            let text = refusal(Err::<(), _>(error));
            assert_eq!(text, "ThrottlingException: Rate exceeded");
            refused += 1;
        }
    }
    // Three of the fifty calls of this second were made before.
    assert_eq!(refused, 13);
    let throttled = harness.simulator.requests();
    let throttled = throttled
        .iter()
        .filter(|one| one.outcome == Outcome::Throttled);
    assert_eq!(throttled.count(), 13);
}
