//! Secrets Manager: a secret's life, its name, its value, its tags.

use std::time::Duration;

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretOutput;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::Tag;
use aws_sim::{Fault, FaultKind, Options, Outcome, Quotas};
use serde_json::{Value, json};

use crate::harness::{Harness, refusal, start};

pub(crate) const ONE: &str = "00000000-0000-0000-0000-000000000001";
pub(crate) const TWO: &str = "00000000-0000-0000-0000-000000000002";

const MISSING: &str = "ResourceNotFoundException: Secrets Manager can't find the specified secret.";
const MARKED: &str = "InvalidRequestException: You can't perform this operation on the secret \
                      because it was marked for deletion.";

pub(crate) async fn create(harness: &Harness, name: &str, value: &str) -> CreateSecretOutput {
    let create = harness.secrets.create_secret().name(name);
    create.secret_string(value).send().await.unwrap()
}

async fn read(harness: &Harness, id: &str) -> Option<String> {
    let read = harness.secrets.get_secret_value().secret_id(id).send();
    read.await.unwrap().secret_string().map(str::to_owned)
}

fn tag(key: &str, value: &str) -> Tag {
    Tag::builder().key(key).value(value).build()
}

pub(crate) async fn post(harness: &Harness, operation: &str, body: Value) -> (u16, Value) {
    let request = reqwest::Client::new()
        .post(&harness.server.url)
        .header("x-amz-target", format!("secretsmanager.{operation}"))
        .body(body.to_string());
    let response = request.send().await.unwrap();
    (response.status().as_u16(), response.json().await.unwrap())
}

#[tokio::test]
async fn a_secret_is_found_by_name_and_by_complete_or_partial_arn() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "staging/default/api", "hunter2").await;
    let arn = made.arn().unwrap();
    let prefix = "arn:aws:secretsmanager:us-east-1:111122223333:secret:staging/default/api";
    let suffix = arn.strip_prefix(prefix).unwrap().strip_prefix('-').unwrap();
    assert!(suffix.len() == 6 && suffix.chars().all(|c| c.is_ascii_alphanumeric()));
    for reference in ["staging/default/api", arn, prefix] {
        assert_eq!(read(&harness, reference).await.as_deref(), Some("hunter2"));
    }
    let absent = [
        "staging/default".to_owned(),
        format!("staging/default/api-{suffix}"),
        format!("{prefix}-aaaaaa"),
        arn.replace("us-east-1", "eu-west-1"),
        arn.replace("111122223333", "444455556666"),
    ];
    for reference in absent {
        let read = harness.secrets.get_secret_value().secret_id(&reference);
        assert_eq!(refusal(read.send().await), MISSING, "{reference}");
    }
    let odd = harness.secrets.get_secret_value().secret_id("a b").send();
    let text = "ValidationException: Invalid name. Must be a valid name containing alphanumeric \
                characters, or any of the following: -/_+=.@!";
    assert_eq!(refusal(odd.await), text);
}

#[tokio::test]
async fn a_name_that_ends_like_an_arn_is_not_found_by_its_partial_arn() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "db-a1b2c3", "hunter2").await;
    let arn = made.arn().unwrap();
    let partial = &arn[..arn.len() - 7];
    let by_partial = harness.secrets.get_secret_value().secret_id(partial);
    assert_eq!(refusal(by_partial.send().await), MISSING);
    for reference in ["db-a1b2c3", arn] {
        assert_eq!(read(&harness, reference).await.as_deref(), Some("hunter2"));
    }
}

#[tokio::test]
async fn a_repeated_creation_succeeds_and_another_one_of_the_name_does_not() {
    let harness = start(Options::default()).await;
    let create = |token: &str, value: &str| {
        let create = harness.secrets.create_secret().name("db");
        create
            .client_request_token(token)
            .secret_string(value)
            .send()
    };
    let made = create(ONE, "hunter2").await.unwrap();
    assert_eq!(made.version_id(), Some(ONE));
    let again = create(ONE, "hunter2").await.unwrap();
    assert_eq!((again.arn(), again.version_id()), (made.arn(), Some(ONE)));
    let other_value = refusal(create(ONE, "hunter3").await);
    let arn = made.arn().unwrap();
    let expected = format!(
        "ResourceExistsException: You can't use ClientRequestToken {ONE} because that value is already \
         in use for a version of secret {arn}."
    );
    assert_eq!(other_value, expected);
    let other_token = refusal(create(TWO, "hunter2").await);
    let expected =
        "ResourceExistsException: The operation failed because the secret db already exists.";
    assert_eq!(other_token, expected);
}

#[tokio::test]
async fn a_secret_without_a_value_has_no_version() {
    let harness = start(Options::default()).await;
    let made = harness
        .secrets
        .create_secret()
        .name("db")
        .send()
        .await
        .unwrap();
    assert_eq!(made.version_id(), None);
    let read = harness.secrets.get_secret_value().secret_id("db").send();
    let expected = "ResourceNotFoundException: Secrets Manager can't find the specified secret value \
                    for staging label: AWSCURRENT";
    assert_eq!(refusal(read.await), expected);
    let found = harness.secrets.describe_secret().secret_id("db").send();
    let found = found.await.unwrap();
    assert!(found.version_ids_to_stages().is_none() && found.tags.is_none());
}

#[tokio::test]
async fn bytes_are_kept_as_they_are() {
    let harness = start(Options::default()).await;
    let bytes = Blob::new(vec![0, 1, 2, 255]);
    let create = harness.secrets.create_secret().name("key");
    create.secret_binary(bytes.clone()).send().await.unwrap();
    let read = harness.secrets.get_secret_value().secret_id("key").send();
    let read = read.await.unwrap();
    assert_eq!(
        (read.secret_binary(), read.secret_string()),
        (Some(&bytes), None)
    );
    assert_eq!(harness.simulator.secret_value("key", "AWSCURRENT"), None);
}

#[tokio::test]
async fn a_value_has_at_most_64_kib() {
    let harness = start(Options::default()).await;
    let text = |size: usize| "é".repeat(size / 2);
    create(&harness, "fits", &text(65_536)).await;
    let too_long = |member: &str| {
        format!(
            "ValidationException: 1 validation error detected: Value at '{member}' failed to satisfy \
             constraint: Member must have length less than or equal to 65536"
        )
    };
    let put = harness.secrets.put_secret_value().secret_id("fits");
    let put = put.secret_string(text(65_538)).send().await;
    assert_eq!(refusal(put), too_long("secretString"));
    let create = harness.secrets.create_secret().name("bytes");
    let most = create.clone().secret_binary(Blob::new(vec![0; 65_536]));
    most.send().await.unwrap();
    let more = harness.secrets.put_secret_value().secret_id("bytes");
    let more = more.secret_binary(Blob::new(vec![0; 65_537])).send().await;
    assert_eq!(refusal(more), too_long("secretBinary"));
}

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
async fn a_deleted_secret_can_be_restored_until_its_time_is_over() {
    let harness = start(Options::default()).await;
    let made = create(&harness, "db", "hunter2").await;
    let delete = harness.secrets.delete_secret().secret_id("db");
    let deleted = delete.recovery_window_in_days(7).send().await.unwrap();
    let due = deleted.deletion_date().unwrap().as_secs_f64();
    let window = due - harness.simulator.now().seconds();
    assert!((window - 7.0 * 86_400.0).abs() < 0.01, "{window}");
    let secrets = &harness.secrets;
    let refused = [
        refusal(secrets.get_secret_value().secret_id("db").send().await),
        refusal(
            secrets
                .put_secret_value()
                .secret_id("db")
                .secret_string("a")
                .send()
                .await,
        ),
        refusal(
            secrets
                .update_secret()
                .secret_id("db")
                .description("a")
                .send()
                .await,
        ),
        refusal(
            secrets
                .tag_resource()
                .secret_id("db")
                .tags(tag("a", "b"))
                .send()
                .await,
        ),
        refusal(
            secrets
                .untag_resource()
                .secret_id("db")
                .tag_keys("a")
                .send()
                .await,
        ),
        refusal(secrets.delete_secret().secret_id("db").send().await),
        refusal(
            secrets
                .update_secret_version_stage()
                .secret_id("db")
                .version_stage("a")
                .move_to_version_id(made.version_id().unwrap())
                .send()
                .await,
        ),
    ];
    for text in refused {
        assert_eq!(text, MARKED);
    }
    let again = secrets.create_secret().name("db").secret_string("b").send();
    let expected = "InvalidRequestException: You can't create this secret because a secret with this \
                    name is already scheduled for deletion.";
    assert_eq!(refusal(again.await), expected);
    let found = secrets
        .describe_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert!(found.deleted_date().is_some());
    assert_eq!(
        harness
            .simulator
            .secret_value("db", "AWSCURRENT")
            .as_deref(),
        Some("hunter2")
    );

    harness.simulator.advance(Duration::from_hours(7 * 24 - 1));
    secrets
        .restore_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    assert_eq!(read(&harness, "db").await.as_deref(), Some("hunter2"));
    secrets
        .delete_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    harness.simulator.advance(Duration::from_hours(30 * 24));
    let found = secrets.describe_secret().secret_id("db").send().await;
    assert_eq!(refusal(found), MISSING);
    assert_eq!(
        refusal(secrets.restore_secret().secret_id("db").send().await),
        MISSING
    );
    let anew = create(&harness, "db", "hunter3").await;
    assert_ne!(anew.arn(), made.arn());
}

#[tokio::test]
async fn a_recovery_window_is_7_to_30_days_and_excludes_force() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "hunter2").await;
    let delete = || harness.secrets.delete_secret().secret_id("db");
    for days in [0, 6, 31] {
        let refused = refusal(delete().recovery_window_in_days(days).send().await);
        let expected = "InvalidParameterException: The RecoveryWindowInDays value must be between 7 and \
                        30 days (inclusive).";
        assert_eq!(refused, expected);
    }
    let both = delete()
        .recovery_window_in_days(7)
        .force_delete_without_recovery(true);
    assert!(refusal(both.send().await).starts_with("InvalidParameterException"));
    assert_eq!(read(&harness, "db").await.as_deref(), Some("hunter2"));
    let absent = harness.secrets.delete_secret().secret_id("none").send();
    assert_eq!(refusal(absent.await), MISSING);
}

#[tokio::test]
async fn a_forced_deletion_is_final_and_takes_a_moment() {
    let harness = start(Options::default()).await;
    create(&harness, "db", "hunter2").await;
    harness
        .secrets
        .delete_secret()
        .secret_id("db")
        .send()
        .await
        .unwrap();
    let force = |id: &str| {
        let delete = harness.secrets.delete_secret().secret_id(id);
        delete.force_delete_without_recovery(true).send()
    };
    force("db").await.unwrap();
    force("db").await.unwrap();
    let restore = || harness.secrets.restore_secret().secret_id("db").send();
    assert_eq!(refusal(restore().await), MARKED);
    let create_early = harness.secrets.create_secret().name("db").send();
    assert!(refusal(create_early.await).starts_with("InvalidRequestException"));
    harness.advance(5);
    assert_eq!(refusal(restore().await), MISSING);
    create(&harness, "db", "hunter3").await;
    let never_there = force("none").await.unwrap();
    assert_eq!(never_there.name(), Some("none"));
}

#[tokio::test]
async fn tags_are_added_replaced_and_removed_within_their_rules() {
    let harness = start(Options::default()).await;
    let made = harness
        .secrets
        .create_secret()
        .name("db")
        .tags(tag("a", "1"));
    made.send().await.unwrap();
    let add = |tags: Vec<Tag>| {
        let add = harness.secrets.tag_resource().secret_id("db");
        add.set_tags(Some(tags)).send()
    };
    add(vec![tag("a", "2"), tag("b", "")]).await.unwrap();
    let shown = async || {
        let found = harness.secrets.describe_secret().secret_id("db").send();
        let found = found.await.unwrap();
        let pair = |tag: &Tag| format!("{}={}", tag.key().unwrap(), tag.value().unwrap());
        found.tags().iter().map(pair).collect::<Vec<_>>()
    };
    assert_eq!(shown().await, ["a=2", "b="]);
    let many = |count: usize| (0..count).map(|n| tag(&format!("k{n}"), "")).collect();
    let refused = [
        vec![tag("aws:a", "1")],
        vec![tag("c", "1"), tag("c", "2")],
        many(49),
        many(51),
    ];
    for tags in refused {
        assert!(refusal(add(tags).await).starts_with("InvalidParameterException"));
    }
    assert!(refusal(add(vec![tag(&"k".repeat(129), "")]).await).starts_with("ValidationException"));
    assert_eq!(shown().await, ["a=2", "b="]);
    add(many(48)).await.unwrap();
    let remove = harness.secrets.untag_resource().secret_id("db");
    remove.tag_keys("a").tag_keys("none").send().await.unwrap();
    assert_eq!(shown().await.len(), 49);
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
