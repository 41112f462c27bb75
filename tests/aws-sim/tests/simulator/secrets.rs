//! Secrets Manager: a secret's name, its value, its tags.

use aws_sdk_secretsmanager::operation::create_secret::CreateSecretOutput;
use aws_sdk_secretsmanager::primitives::Blob;
use aws_sdk_secretsmanager::types::Tag;
use aws_sim::Options;
use serde_json::Value;

use crate::harness::{Harness, refusal, start};

pub(crate) const ONE: &str = "00000000-0000-0000-0000-000000000001";
pub(crate) const TWO: &str = "00000000-0000-0000-0000-000000000002";

pub(crate) const MISSING: &str =
    "ResourceNotFoundException: Secrets Manager can't find the specified secret.";

pub(crate) async fn create(harness: &Harness, name: &str, value: &str) -> CreateSecretOutput {
    let create = harness.secrets.create_secret().name(name);
    create.secret_string(value).send().await.unwrap()
}

pub(crate) async fn read(harness: &Harness, id: &str) -> Option<String> {
    let read = harness.secrets.get_secret_value().secret_id(id).send();
    read.await.unwrap().secret_string().map(str::to_owned)
}

pub(crate) fn tag(key: &str, value: &str) -> Tag {
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
